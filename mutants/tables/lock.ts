import { mutantsOf, type Mutant } from '../mutant.ts'

/** Mistakes in the shell of the election and in its locks: `src/lock`. */
export const LOCK: readonly Mutant[] = [
  ...mutantsOf('src/lock/lease-lock.ts', 'src/lock/lease-lock.test.ts', [
    {
      name: 'a Lease is written without its version',
      find: 'return { ...base, spec: { ...kept, ...toSpec(next) } }',
      replace:
        "return {\n    ...base,\n    metadata: { ...base.metadata, resourceVersion: undefined } as unknown as Lease['metadata'],\n    spec: { ...kept, ...toSpec(next) },\n  }",
      rule: 'I3: one compare-and-swap from the observed version',
    },
    {
      name: 'a Lease is written without its UID',
      find: 'return { ...base, spec: { ...kept, ...toSpec(next) } }',
      replace:
        "return {\n    ...base,\n    metadata: { ...base.metadata, uid: undefined } as unknown as Lease['metadata'],\n    spec: { ...kept, ...toSpec(next) },\n  }",
      rule: 'design 4.1: a PUT to a deleted Lease would create it',
    },
    {
      name: 'a Lease that moved on is read and overwritten',
      find: "if (base === 'absent' || base.metadata.resourceVersion !== version) return 'conflict'",
      replace: "if (base === 'absent') return 'conflict'",
      rule: 'I3: the old holder never re-reads and overwrites',
    },
    {
      name: 'what an elector does not know is taken off the Lease',
      find: 'spec: { ...kept, ...toSpec(next) } }',
      replace: 'spec: { ...(kept && {}), ...toSpec(next) } }',
      rule: 'design 5.7: unknown fields of the Lease survive',
    },
    {
      name: 'the Lease of a group in mode Assign is not told apart',
      find: "!== 'Assign') return undefined",
      replace: "!== '') return undefined",
      rule: 'design 4.2: electors refuse a Lease that a group in mode Assign writes',
    },
    {
      name: 'renewals share a lane with everything else',
      find: "replacement(base, next), { signal, lane: 'lease' })",
      replace: 'replacement(base, next), { signal })',
      rule: 'design 7: one agent for Leases',
    },
    {
      name: 'a Lease that was deleted is an error',
      find: "if (outcome.kind === 'conflict' || outcome.kind === 'notFound') return 'conflict'",
      replace: "if (outcome.kind === 'conflict') return 'conflict'",
      rule: 'design 5.2: a Lease that is gone ends the term at once',
    },
  ]),
  ...mutantsOf('src/lock/candidacy.ts', 'src/lock/elector.test.ts', [
    {
      name: 'isLeader waits for a timer',
      find: `    this.#lookAtTime()
    return this.#o.tenure !== undefined && this.#o.tenure.ending === undefined`,
      replace: '    return this.#o.tenure !== undefined && this.#o.tenure.ending === undefined',
      rule: 'design 5.1: isLeader() compares with the clock',
    },
    {
      name: 'a term has no timer',
      find: "at === undefined ? undefined : this.#clock.timer(at, () => this.#fold({ kind: 'tick', at: this.#instant() }))",
      replace: 'undefined',
      rule: 'design 5.1: it ends by its own timer, whatever requests hang',
    },
    {
      name: 'records of one millisecond are the same',
      find: 'wall: clock.wallNow() + random() })',
      replace: 'wall: clock.wallNow() })',
      rule: 'design 5.5: a record is never written twice',
    },
    {
      name: 'a pause does not end the term',
      find: "const intent = isWanted && !this.#isPaused ? 'contend' : 'paused'",
      replace: "const intent = isWanted ? 'contend' : 'paused'",
      rule: 'pause ends the term, and looks on',
    },
  ]),
  ...mutantsOf('src/lock/term.ts', 'src/lock/term.test.ts', [
    {
      name: 'isCurrent waits for a signal',
      find: 'return this.#tenant.remainingMillis() > 0',
      replace: 'return !this.signal.aborted',
      rule: 'design 5.9: isCurrent() compares the clock and is the truth',
    },
    {
      name: 'the token is the number of the term',
      find: 'this.token = BigInt(facts.token)',
      replace: 'this.token = BigInt(facts.number)',
      rule: 'design 5.9: the token grows even if the Lease is deleted',
      killedBy: 'src/lock/elector.test.ts',
    },
  ]),
  ...mutantsOf('src/lock/requests.ts', 'src/lock/elector.test.ts', [
    {
      name: 'a write counts from its answer, in the shell',
      find: "fold({ kind: 'wrote', at: now(), attempt, found })",
      replace: "fold({ kind: 'wrote', at: now(), attempt: { ...attempt, startedAt: now() }, found })",
      rule: 'design 5.1: the deadline counts from the start of the last write',
    },
    {
      name: 'a write under way is not known',
      find: "fold({ kind: 'sent', at: startedAt, attempt })\n",
      replace: '',
      rule: 'design 5.7: a watch may tell of the write before its own answer comes',
    },
    {
      name: 'a request that hangs stops the rest',
      find: 'return await Promise.race([call(signal), throwOnAbort(signal)])',
      replace: 'return await call(new AbortController().signal)',
      rule: 'design 7: a deadline on each call',
    },
    {
      name: 'a fault is swallowed',
      find: `      fold(failed(failure, now(), startedAt))
      this.#answers.report(failure)`,
      replace: `      fold(failed(failure, now(), startedAt))`,
      rule: 'design 5.8: errors go to onError, never swallowed',
    },
    {
      name: 'a version that is no number is believed',
      find: 'if (/^\\d+$/.test(version)) return',
      replace: "if (version !== '') return",
      rule: 'I7: only numbers tell which is newer',
    },
  ]),
  ...mutantsOf('src/lock/elector.ts', 'src/lock/elector.test.ts', [
    {
      name: 'work that outlived its term counts as done',
      find: 'if (!term.signal.aborted && term.isCurrent()) return value',
      replace: 'return value',
      rule: 'design 5.8: it contends again when the term was lost before the work returned',
    },
    {
      name: 'the error of the work is swallowed',
      find: 'if (!isEndOf(term, error)) throw error',
      replace: 'if (isEndOf(term, error)) throw error',
      rule: 'design 5.8: errors are never swallowed',
    },
  ]),
  ...mutantsOf('src/lock/multi-lock.ts', 'src/lock/multi-lock.test.ts', [
    {
      name: 'a write that got half way took effect',
      find: "return joint && joint !== 'absent' && isSameWrite(joint.record, next) ? joint : 'conflict'",
      replace: "return joint && joint !== 'absent' ? joint : 'conflict'",
      rule: 'decisions: what got half way has not happened',
    },
    {
      name: 'a half-written record counts',
      find: 'return !this.#half || !this.#isHalfWritten() || this.#isHalfCreated()',
      replace: 'return !this.#half || this.#isHalfWritten() || this.#isHalfCreated()',
      rule: 'decisions: until it is complete it counts for nothing',
    },
    {
      name: 'of two locks an older word replaces a newer one',
      find: 'if (this.newest !== undefined && isNewer(this.newest, found.version)) return\n',
      replace: '',
      rule: 'I7: an older version never replaces a newer one',
    },
    {
      name: 'versions of two etcds are compared',
      find: 'if (before === undefined || isNewer(version, before)) return\n',
      replace: 'if (version !== "") return\n',
      rule: 'decisions: two types in different etcds are found out, and refused',
    },
  ]),
  ...mutantsOf('src/lock/annotation-lock.ts', 'src/lock/annotation-lock.test.ts', [
    {
      name: 'a record is written whatever stands there',
      find: '      unchanged,\n',
      replace: '',
      rule: 'decisions: a renewal tests the annotation',
    },
    {
      name: 'an object of the same name is the same object',
      find: "      { op: 'test', path: '/metadata/uid', value: uid },\n",
      replace: '',
      rule: 'decisions: a renewal tests the UID',
    },
    {
      name: 'each foreign edit is a new record',
      find: 'const recordVersion = isSame ? seen.recordVersion : resourceVersion',
      replace: 'const recordVersion = resourceVersion',
      rule: 'decisions: on an annotation the record is compared, not the object',
    },
    {
      name: 'an older word replaces a newer one',
      find: 'if (seen === undefined || !isNewer(seen.objectVersion, resourceVersion)) {',
      replace: 'if (seen !== null) {',
      rule: 'I7: an older version never replaces a newer one',
    },
  ]),
]
