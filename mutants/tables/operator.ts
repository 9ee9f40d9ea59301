import { mutantsOf, type Mutant } from '../mutant.ts'

/** Mistakes in what the operator knows, and in what it sends: `src/operator`. */
export const OPERATOR: readonly Mutant[] = [
  ...mutantsOf('src/operator/act-pod.ts', 'src/operator/act-pod.test.ts', [
    {
      name: 'groups that share a pod write to it all at once',
      find: 'if (turn.before) await turn.before',
      replace: "if (turn.before && uid === '') await turn.before",
      rule: 'decisions: one write of a pod at a time, for all but one of several are refused',
    },
    {
      name: 'who has waited for the pod goes to the end of the line',
      find: '    turn.keep()\n',
      replace: '',
      rule: 'decisions: whose turn comes after another’s write decides anew and keeps its turn',
    },
    {
      name: 'a pod is patched whatever its version',
      find: 'const patch = { metadata: { uid, resourceVersion, labels, annotations } }',
      replace: 'const patch = { metadata: { uid, labels, annotations } }',
      rule: 'design 4.1: every pod patch carries the resourceVersion as read',
    },
    {
      name: 'a pod is patched whatever its UID',
      find: 'const patch = { metadata: { uid, resourceVersion, labels, annotations } }',
      replace: 'const patch = { metadata: { resourceVersion, labels, annotations } }',
      rule: 'design 4.1: every pod patch carries the UID as read',
    },
    {
      name: 'a write under way goes on when the right to act has ended',
      find: '{ namespace, name }, patch, { signal })',
      replace: '{ namespace, name }, patch)',
      rule: 'design 3: who may not act any more writes nothing more',
      killedBy: 'src/operator/act.test.ts',
    },
    {
      name: 'a write says of any version that nobody else has touched it',
      find: 'const base = kept?.object.metadata.resourceVersion === resourceVersion ? kept : undefined',
      replace: 'const base = kept',
      rule: 'I2: only a write on the version that was seen leaves no room for another between the pod and the gate',
    },
    {
      name: 'a conflict is retried blindly',
      find: "if (outcome.kind === 'conflict') return await stale(readPod(errand, pod))",
      replace:
        "if (outcome.kind === 'conflict') {\n    await api.mergePatch(Pods, { namespace, name }, { metadata: { uid, labels, annotations } }, { signal })\n    return DONE\n  }",
      rule: 'design 4.1: on a conflict re-read and decide again',
    },
    {
      name: 'a conflict is not read',
      find: "if (outcome.kind === 'conflict') return await stale(readPod(errand, pod))",
      replace: "if (outcome.kind === 'conflict') return stale(Promise.resolve(DONE))",
      rule: 'design 4.1: on a conflict re-read and decide again',
    },
    {
      name: 'a pod that vanishes is patched',
      find: 'if (seen?.metadata.uid === uid && isVanishing(seen)) {',
      replace: 'if (seen?.metadata.uid !== seen?.metadata.uid && isVanishing(seen!)) {',
      rule: 'decisions: a pod that was force-deleted is not written to any more',
    },
    {
      name: 'another pod of the name proves nothing',
      find: "if (outcome.kind === 'notFound' || outcome.object.metadata.uid !== uid) cache.podGone",
      replace: "if (outcome.kind === 'notFound') cache.podGone",
      rule: 'design 4.1: gone: a quorum GET that answers 404 or another UID',
    },
    {
      name: 'a reply is not known until the watch tells',
      find: `  if (base) cache.pods.replaced(base, written, begunAt)
  else cache.pods.apply(written, begunAt)`,
      replace: '  if (written === undefined) cache.pods.replaced(base!, written, begunAt)',
      rule: 'I7: read your own writes',
    },
  ]),
  ...mutantsOf('src/operator/act-gate.ts', 'src/operator/act-gate.test.ts', [
    {
      name: 'the gate advances from the newest version known',
      find: 'if (lease?.metadata.resourceVersion !== action.resourceVersion) return STALE',
      replace: 'if (!lease) return STALE',
      rule: 'design 4.1 step 2: with the version read before the seal',
    },
    {
      name: 'the gate is written without its version',
      find: 'metadata: { ...lease.metadata, annotations },',
      replace:
        "metadata: { ...lease.metadata, annotations, resourceVersion: undefined } as unknown as Lease['metadata'],",
      rule: 'design 4.1: one compare-and-swap from the observed version',
    },
    {
      name: 'the gate is written without its UID',
      find: 'metadata: { ...lease.metadata, annotations },',
      replace: "metadata: { ...lease.metadata, annotations, uid: undefined } as unknown as Lease['metadata'],",
      rule: 'design 4.1: a PUT to a deleted Lease would create it',
    },
    {
      name: 'the mark stays as it was',
      find: 'const annotations = { ...lease.metadata.annotations, [GATE_ANNOTATION]: mark }',
      replace: 'const annotations = { [GATE_ANNOTATION]: mark, ...lease.metadata.annotations }',
      rule: 'design 4.1: every gate write of ours renews the mark',
    },
    {
      name: 'the gate is born with a holder’s duration',
      find: 'const ENDLESS_SECONDS = 2 ** 31 - 1',
      replace: 'const ENDLESS_SECONDS = 15',
      rule: 'design 4.2: a term ends by decision, not by time',
    },
    {
      name: 'the gate is born without an owner',
      find: `      ownerReferences: [
        { apiVersion: \`\${LeaderGroups.group}/\${LeaderGroups.version}\`, kind: LeaderGroups.kind, name, uid },
      ],`,
      replace: '      ownerReferences: [],',
      rule: 'design 4.4: the Lease goes with its group',
    },
    {
      name: 'the gate is deleted whatever its version',
      find: '{ preconditions: { uid, resourceVersion }, signal })',
      replace: '{ signal })',
      rule: 'design 4.1: every write carries what it was decided on',
    },
    {
      name: 'that a Lease was taken back is forgotten',
      find: 'if (action.takesBack) rememberTakenBack(errand)\n',
      replace: '',
      rule: 'design 4.2: taken back with back-off',
    },
  ]),
  ...mutantsOf('src/operator/act-lease.ts', 'src/operator/act-lease.test.ts', [
    {
      name: 'a Lease is emptied in whatever version is known',
      find: 'if (lease?.metadata.uid !== uid || lease.metadata.resourceVersion !== resourceVersion) return STALE',
      replace: 'if (lease?.metadata.uid !== uid) return STALE',
      rule: 'design 4.3: the release carries the version of the dead holder’s record',
    },
    {
      name: 'a Lease is emptied without its version',
      find: "const released = { ...lease, spec: { ...lease.spec, holderIdentity: '' } }",
      replace:
        "const released = {\n    ...lease,\n    metadata: { ...lease.metadata, resourceVersion: undefined },\n    spec: { ...lease.spec, holderIdentity: '' },\n  }",
      rule: 'design 4.3: a successor’s renewal wins',
    },
    {
      name: 'a release writes more than the holder',
      find: "spec: { ...lease.spec, holderIdentity: '' } }",
      replace: "spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 } }",
      rule: 'design 3: in Observe only the emptying of a holder',
    },
    {
      name: 'a read of the Lease counts from its end',
      find: "else if (outcome.kind === 'ok') cache.leases.apply(trimLease(outcome.object), begunAt, begunMillis)",
      replace:
        "else if (outcome.kind === 'ok') cache.leases.apply(trimLease(outcome.object), cache.tick(), clock.now())",
      rule: 'I2: a read of the gate begun after that pod read',
    },
    {
      name: 'a Lease is emptied although its holder’s node is back',
      find: 'return isDown && isThere ? DONE : STALE',
      replace: 'return isThere ? DONE : STALE',
      rule: 'I9: a Lease is taken after silence only',
    },
    {
      name: 'a Lease is emptied although another pod has the name',
      find: 'return isDown && isThere ? DONE : STALE',
      replace: 'return isDown ? DONE : STALE',
      rule: 'I9: a Lease is taken after silence only',
    },
  ]),
  ...mutantsOf('src/operator/act-status.ts', 'src/operator/act-status.test.ts', [
    {
      name: 'status is written without the group’s version',
      find: 'metadata: { name, namespace, uid, resourceVersion },',
      replace: 'metadata: { name, namespace, uid },',
      rule: 'design 4.1: status writes carry the group’s resourceVersion',
    },
  ]),
  ...mutantsOf('src/operator/act.ts', 'src/operator/act.test.ts', [
    {
      name: 'chores that fail fail the failover',
      find: 'return worst(results.slice(0, urgent > 0 ? urgent : undefined))',
      replace: 'return worst(results)',
      rule: 'decisions: chores never hold a failover up',
    },
    {
      name: 'a server that is not there is asked for everything',
      find: "unreachable ||= result.kind === 'failed' && isUnreachable(result.error)",
      replace: "unreachable ||= result.kind === 'failed' && isUnreachable(result)",
      rule: 'I14: no server, no use in asking it for the rest',
    },
  ]),
  ...mutantsOf('src/operator/acted.ts', 'src/operator/act.test.ts', [
    {
      name: 'what the server asks for is not waited for',
      find: 'return { ...failed(new ApiError(message, { reason: kind })), retryAfterMillis: refusal.retryAfterMillis }',
      replace: 'return failed(new ApiError(message, { reason: kind }))',
      rule: 'I14: 429 says when to come back',
    },
    {
      name: 'what is refused counts as no answer',
      find: 'reason: kind, status: STATUS[kind] }',
      replace: 'reason: kind }',
      rule: 'what one pod is refused holds up no other',
    },
  ]),
  ...mutantsOf('src/operator/brain.ts', 'src/operator/operator.test.ts', [
    {
      name: 'a replica that stands by acts',
      find: 'return !this.#options.dryRun && this.#options.authority()?.aborted === false',
      replace: 'return !this.#options.dryRun',
      rule: 'design 6: only the elected one acts',
    },
    {
      name: 'a dry run writes',
      find: 'return !this.#options.dryRun && this.#options.authority()?.aborted === false',
      replace: 'return this.#options.authority()?.aborted === false',
      rule: 'a dry run says what it would do, and does nothing',
    },
    {
      name: 'chores that fail put the next failover off',
      find: 'return decision.urgent > 0 ? acted : this.#putOff(key, before, acted)',
      replace: 'return acted',
      rule: 'decisions: chores that fail are put off with a back-off of their own',
    },
  ]),
  ...mutantsOf('src/operator/operator.ts', 'src/operator/operator.test.ts', [
    {
      name: 'the operator acts on half a picture',
      find: '(key) => this.#synced && this.#loop.wake(key))',
      replace: '(key) => this.#loop.wake(key))',
      rule: 'I7: a restart begins from a consistent list',
    },
    {
      name: 'a new leader among the replicas does not look at its groups',
      find: "this.#options.log.info('this replica acts')\n    this.#wakeAll()",
      replace: "this.#options.log.info('this replica acts')",
      rule: 'I11: what happened before the takeover is acted on',
    },
  ]),
  ...mutantsOf('src/operator/store.ts', 'src/operator/store.test.ts', [
    {
      name: 'an older version replaces a newer one',
      find: 'if (kept && isNewer(kept.object.metadata.resourceVersion, resourceVersion)) return\n',
      replace: '',
      rule: 'I7: never act on a version older than one observed earlier',
    },
    {
      name: 'a list goes back in time',
      find: 'if (!uids.has(uid) && !isNewer(resourceVersion, change.resourceVersion)) this.#drop(object)',
      replace: 'if (!uids.has(uid)) this.#drop(object)',
      rule: 'I7: a reply of ours may be newer than the list',
    },
    {
      name: 'what a list lacks is gone',
      find: 'if (!uids.has(uid) && !isNewer(resourceVersion, change.resourceVersion)) this.#drop(object)',
      replace: 'if (!uids.has(uid) && !isNewer(resourceVersion, change.resourceVersion)) this.gone(object)',
      rule: 'design 4.1: a list that does not contain it proves nothing',
    },
    {
      name: 'what is gone comes back by a late reply',
      find: 'if (this.#deaths.uids.has(uid)) return\n',
      replace: '',
      rule: 'I7: what is proved gone does not come back',
    },
    {
      name: 'a reply that is later than the deletion brings the object back',
      find: 'if (!kept && begunAt !== undefined && this.#listLacked(namespace, resourceVersion)) return\n',
      replace: '',
      rule: 'I7: the list after this version did not show it',
    },
    {
      name: 'an object of before the read is taken for gone',
      find: 'if (kept && kept.seenAt < begunAt) this.gone(kept.object)',
      replace: 'if (kept) this.gone(kept.object)',
      rule: 'I7: a read that is older than the object says nothing of it',
    },
    {
      name: 'the name is enough for a deletion',
      find: 'if (kept?.object.metadata.uid !== uid) return false',
      replace: 'if (!kept) return false',
      rule: 'design 4.1: a recreated pod is another one',
    },
    {
      name: 'the last state of a deleted object is not looked at',
      find: `        this.apply(change.object)
        return this.gone(change.object)`,
      replace: '        return this.gone(change.object)',
      rule: 'design 4.3: also in the last state before DELETED',
      killedBy: 'src/operator/store.test.ts',
    },
  ]),
  ...mutantsOf('src/operator/sight.ts', 'src/operator/sight.test.ts', [
    {
      name: 'a recreated pod inherits what was seen of the old one',
      find: "return typeof before === 'object' && before.object.metadata.uid === object.metadata.uid ? before : undefined",
      replace: "return typeof before === 'object' ? before : undefined",
      rule: 'design 4.3: of the very pod UID that the record maps to',
    },
    {
      name: 'a pod that was there at the start appeared',
      find: 'appeared: kept?.appeared ?? before !== undefined,',
      replace: 'appeared: true,',
      rule: 'design 4.3: seen to come, only if a list of before lacked it',
    },
    {
      name: 'an old read goes on proving silence',
      find: 'readMillis: readMillis ?? (record === sight.record ? sight.readMillis : undefined)',
      replace: 'readMillis: readMillis ?? sight.readMillis',
      rule: 'I9: the read has to have shown this record',
    },
    {
      name: 'a node that was out of service at the start was seen to go',
      find: 'return known?.sight ?? { node: node.metadata.name, seenAt: tick, witnessed: known !== undefined }',
      replace: 'return known?.sight ?? { node: node.metadata.name, seenAt: tick, witnessed: true }',
      rule: 'design 4.3: after an operator restart the duration is waited out',
    },
  ]),
  ...mutantsOf('src/operator/cache.ts', 'src/operator/cache.test.ts', [
    {
      name: 'a group inherits the memory of its namesake',
      find: `      this.#memory.delete(key)
      this.#deadHolders.delete(key)`,
      replace: '      this.#deadHolders.delete(key)',
      rule: 'a group that was created anew begins anew',
    },
    {
      name: 'that a Lease is absent stays known when there is one',
      find: 'if (after) this.#leaseAbsentAt.delete(keyOf(namespace, name))\n',
      replace: '',
      rule: 'I7: an old read of absence says nothing of a Lease that is there',
      killedBy: 'src/operator/cache.test.ts',
    },
    {
      name: 'that a group is absent stays known when there is one',
      find: 'if (after) this.#absentAt.delete(key)\n',
      replace: '',
      rule: 'I7: an old read of absence says nothing of a group that is there',
    },
  ]),
  ...mutantsOf('src/operator/membership.ts', 'src/operator/membership.test.ts', [
    {
      name: 'a holder that lost its labels is out of sight',
      find: 'for (const lease of this.#naming.get(named)) for (const group of this.usersOf(lease)) touched.add(group)\n',
      replace: '',
      rule: 'I11: each event that changes the decision wakes the group',
    },
    {
      name: 'a changed Lease wakes nobody',
      find: 'return this.usersOf(name)\n',
      replace: 'return []\n',
      rule: 'I11: each event that changes the decision wakes the group',
    },
  ]),
  ...mutantsOf('src/operator/pod-lists.ts', 'src/operator/pod-lists.test.ts', [
    {
      name: 'a list that is under way will do',
      find: 'const waiting = this.#next.get(namespace)',
      replace: 'const waiting = this.#next.get(namespace) ?? this.#running.get(namespace)',
      rule: 'design 4.1: a quorum list begun after the gate was read',
    },
    {
      name: 'the first page is the list',
      find: '} while (continueToken)',
      replace: '} while (continueToken === namespace)',
      rule: 'design 4.1: every pod is stamped',
    },
  ]),
  ...mutantsOf('src/operator/trim.ts', 'src/operator/act-lease.test.ts', [
    {
      name: 'what others wrote on a Lease is dropped',
      find: 'return withoutManagedFields(lease)',
      replace: 'return { ...lease, metadata: { ...withoutManagedFields(lease).metadata, labels: {} } }',
      rule: 'design 4.3: a PUT of the Lease as read, and nothing else of it changes',
    },
  ]),
]
