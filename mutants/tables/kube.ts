import { mutantsOf, type Mutant } from '../mutant.ts'

/** Mistakes in requests and watches: `src/kube`. */
export const KUBE: readonly Mutant[] = [
  ...mutantsOf('src/kube/watch-object.ts', 'src/kube/watch-object.test.ts', [
    {
      name: 'all objects of the namespace are watched for one',
      find: ', fieldSelector: `metadata.name=${name}`',
      replace: '',
      rule: 'only the one object is watched: a watcher of all makes each renewal dearer',
    },
    {
      name: 'many have a watch each',
      find: 'if (this.#size <= FEW || this.#all !== undefined) return\n',
      replace: 'if (this.#size > 0) return\n',
      rule: 'a thousand electors of a process share a watch',
    },
    {
      name: 'nobody is told that all may not be watched',
      find: 'if (error instanceof ApiError && error.status === 403) refused.abort()',
      replace: '',
      rule: 'a role that names objects is enough',
    },
    {
      name: 'who comes later waits for the next change',
      find: "if (this.#hasBegun) latest.tell(this.#objects.get(name) ?? 'absent')\n",
      replace: '',
      rule: 'a watch begins with what is there',
    },
    {
      name: 'the shared watch outlives its watchers',
      find: '    this.#gone.abort()\n',
      replace: '',
      rule: 'nothing is left after',
    },
  ]),
  ...mutantsOf('src/kube/spare.ts', 'src/kube/spare.test.ts', [
    {
      name: 'a spare is opened again and again where none is wanted',
      find: 'if (this.#clock.now() - this.#openedAt >= HEALTHY_MILLIS) this.prepare()',
      replace: 'this.prepare()',
      rule: 'no busy loop against a server that hangs up',
    },
    {
      name: 'a spare is used on which the server has said something',
      find: "socket.on('readable', drop).on('end', drop).on",
      replace: 'socket.on',
      rule: 'an answer is believed of its own request only',
    },
    {
      name: 'there is a spare beside connections',
      find: ' || !this.#isNeeded()',
      replace: '',
      rule: 'a connection that is there is enough',
    },
    {
      name: 'a spare outlives its agent',
      find: '    this.#socket?.destroy()\n',
      replace: '',
      rule: 'no socket is left',
    },
  ]),
  ...mutantsOf('src/kube/turns.ts', 'src/kube/turns.test.ts', [
    {
      name: 'who gave up keeps its turn',
      find: `    this.give()
    throw`,
      replace: '    throw',
      rule: 'a turn is never lost, or nothing is sent any more',
    },
    {
      name: 'who waits is not sent to the next connections',
      find: 'for (const resolve of this.#waiting) resolve(false)\n',
      replace: '',
      rule: 'F7: after dead connections the next request connects anew',
    },
  ]),
  ...mutantsOf('src/kube/exchange.ts', 'src/kube/undici.test.ts', [
    {
      name: 'what comes is kept without a bound',
      find: 'if (this.#unreadBytes > MOST_UNREAD_BYTES) controller.pause()\n',
      replace: '',
      rule: 'who reads slowly is not run over',
    },
    {
      name: 'who reads no further keeps the connection',
      find: 'if (this.#end === undefined) this.abort(',
      replace: 'if (this.#end === undefined) void (',
      rule: 'no socket is left',
    },
    {
      name: 'a body that was cut short ends like a whole one',
      find: 'if (this.#end) throw this.#end.cause',
      replace: 'if (this.#end) return',
      rule: 'only a whole answer is believed',
    },
  ]),
  ...mutantsOf('src/kube/watch.ts', 'src/kube/watch.test.ts', [
    {
      name: 'a watch replays what was superseded',
      find: 'if (this.#version !== undefined && BigInt(version) <= BigInt(this.#version)) return undefined\n',
      replace: '',
      rule: 'I7: the version never goes back',
    },
    {
      name: 'versions of a watch are compared as text',
      find: 'BigInt(version) <= BigInt(this.#version)',
      replace: 'version <= this.#version',
      rule: 'I7: versions are numbers',
    },
    {
      name: 'bookmarks move nothing',
      find: `    this.#version = version
    if (event.type === 'BOOKMARK') return undefined`,
      replace: `    if (event.type === 'BOOKMARK') return undefined
    this.#version = version`,
      rule: 'F9: a watch resumes from the last bookmark',
    },
    {
      name: 'a deletion is a change',
      find: "kind: event.type === 'DELETED' ? 'delete' : 'apply'",
      replace: "kind: 'apply'",
      rule: 'I11: a deletion is told',
    },
    {
      name: 'silence is waited out for ever',
      find: 'using silence = deadline(this.#clock, this.#what, SILENCE_MILLIS, this.#signal)',
      replace: 'using silence = deadline(this.#clock, this.#what, SILENCE_MILLIS * 1e6, this.#signal)',
      rule: 'F7: a connection that went half-open is given up',
    },
    {
      name: 'a busy watch is cut',
      find: '        silence.extend(SILENCE_MILLIS)\n',
      replace: '',
      rule: 'F7: the limit is on silence',
    },
    {
      name: 'a version that expired is asked for again',
      find: 'if (mustRelist(error)) this.#version = undefined\n',
      replace: '',
      rule: 'F9: 410: list anew',
    },
    {
      name: 'each failure lists anew',
      find: 'if (mustRelist(error)) this.#version = undefined',
      replace: 'this.#version = undefined',
      rule: 'design 6: a watch resumes; lists are dear',
    },
    {
      name: 'a watch is opened again without back-off',
      find: '    this.#failures++\n    if (atOnce) return',
      replace: '    this.#failures++\n    if (!atOnce || atOnce) return',
      rule: 'I14: exponential back-off',
    },
    {
      name: 'a watch that ends at once is opened at once',
      find: 'if (lasted < HEALTHY_MILLIS) throw',
      replace: 'if (lasted < 0) throw',
      rule: 'I14: a watch that ends sooner has failed, cleanly or not',
    },
    {
      name: 'a version that is yet to come is resumed for ever',
      find: 'if (!heard && silence.signal.reason instanceof DeadlineExceeded) this.#version = undefined\n',
      replace: '',
      rule: 'F6: after etcd was restored a watch says nothing until its version comes',
    },
    {
      name: 'the first page of a list is all of it',
      find: 'if (continueToken === undefined) return this.#listed',
      replace: 'if (continueToken !== this.#what) return this.#listed',
      rule: 'I11: a list is complete',
    },
    {
      name: 'what the server asks a watch to wait is not waited',
      find: "const asked = refusal?.kind === 'throttled' ? refusal.retryAfterMillis : 0",
      replace: "const asked = refusal?.kind === 'throttled' ? 0 : 0",
      rule: 'F13: 429 says when to come back',
    },
  ]),
  ...mutantsOf('src/kube/api.ts', 'src/kube/api.test.ts', [
    {
      name: 'a quorum read is served from a cache',
      find: "{ method: 'GET', path: objectPath(resource, key) },",
      replace: "{ method: 'GET', path: withQuery(objectPath(resource, key), { resourceVersion: '0' }) },",
      rule: 'F10, I2: a quorum read is never older than its call',
    },
    {
      name: 'a quorum list is served from a cache',
      find: '      continue: options.continueToken,\n',
      replace:
        "      continue: options.continueToken,\n      resourceVersion: options.continueToken ? undefined : '0',\n",
      rule: 'F10: a list is not older than its call',
    },
    {
      name: 'a deletion has no preconditions',
      find: '      preconditions,\n',
      replace: '',
      rule: 'design 4.1: every write carries what it was decided on',
    },
    {
      name: 'the deadline of a request ends with its headers',
      find: '    signal.throwIfAborted()\n  } catch (error) {\n    throw explained(error)',
      replace: '  } catch (error) {\n    throw explained(error)',
      rule: 'F7: a body that was cut short is no answer',
    },
    {
      name: 'a request has no deadline',
      find: 'using limit = deadline(this.#clock, what, options.timeoutMillis ?? this.#timeoutMillis, options.signal)',
      replace: 'using limit = deadline(this.#clock, what, 1e12, options.signal)',
      rule: 'design 7: a deadline on each call',
    },
  ]),
  ...mutantsOf('src/kube/refusal.ts', 'src/kube/refusal.test.ts', [
    {
      name: 'another UID is an invalid object',
      find: "return { kind: namesUid(status) ? 'conflict' : 'invalid', message }",
      replace: "return { kind: 'invalid', message }",
      rule: 'design 4.1: 422 on metadata.uid is a conflict',
    },
    {
      name: 'a name that is taken is a stale version',
      find: "return { kind: status.reason === 'AlreadyExists' ? 'exists' : 'conflict', message }",
      replace: "return { kind: 'conflict', message }",
      rule: 'design 6: typed outcomes',
    },
  ]),
  ...mutantsOf('src/kube/item-splitter.ts', 'src/kube/page.property.test.ts', [
    {
      name: 'an escaped quote ends a string',
      find: 'else if (byte === BACKSLASH) this.#isEscaped = true\n',
      replace: '',
      rule: 'a list is parsed object by object, and is what the whole of it is',
    },
    {
      name: 'any array of a list is its items',
      find: 'if (!BEFORE_ITEMS.test(decode([...this.#rest, chunk.subarray(0, at)]))) break\n',
      replace: '',
      rule: 'a list is parsed object by object, and is what the whole of it is',
    },
  ]),
]
