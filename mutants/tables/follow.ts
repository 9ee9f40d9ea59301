import { mutantsOf, type Mutant } from '../mutant.ts'

/** Mistakes in how mode Observe follows a Lease: `src/group/follow`, and `followed.ts` that acts on it. */
export const FOLLOW: readonly Mutant[] = [
  ...mutantsOf('src/group/follow/silence.ts', 'src/group/follow/silence.test.ts', [
    {
      name: 'a followed Lease expires by its renewTime',
      find: 'const dueMillis = lease.sight.sinceMillis + durationSeconds(lease) * 1000',
      replace: "const dueMillis = Date.parse(lease.renewTime ?? '') + durationSeconds(lease) * 1000",
      rule: 'design 4.3: never by comparing renewTime with a clock',
    },
    {
      name: 'a followed Lease expires one tick early',
      find: 'if (nowMillis < dueMillis) return',
      replace: 'if (nowMillis < dueMillis - 1) return',
      rule: 'I9: expired after the whole duration',
    },
    {
      name: 'a stalled watch proves silence',
      find: "return { state: lease.readMillis !== undefined && lease.readMillis >= dueMillis ? 'expired' : 'overdue' }",
      replace: "return { state: 'expired' }",
      rule: 'design 4.3: a quorum read shows the record unchanged before it counts as expired',
    },
    {
      name: 'a read of before the end proves silence',
      find: 'lease.readMillis !== undefined && lease.readMillis >= dueMillis',
      replace: 'lease.readMillis !== undefined',
      rule: 'I9: the read began at or after the end of the duration',
    },
    {
      name: 'an operator that starts trusts an old record',
      find: "state: lease.sight.changed ? 'live' : 'unproven'",
      replace: "state: lease.sight.changed ? 'live' : 'live'",
      rule: 'design 4.3: a record first seen at the start gives no label',
    },
    {
      name: 'an edit of the metadata is a sign of life',
      find: 'before.uid === found.uid && isSameRecord(before, found)',
      replace:
        '(before as { resourceVersion?: string }).resourceVersion === (found as { resourceVersion?: string }).resourceVersion && before.uid === found.uid && isSameRecord(before, found) && before.sight.seenAt === at.tick',
      rule: 'design 4.3: only a change of the record counts',
    },
    {
      name: 'a Lease that was born anew is the old one',
      find: 'before.uid === found.uid && isSameRecord(before, found)',
      replace: 'isSameRecord(before, found)',
      rule: 'the same record under another UID was written anew',
    },
    {
      name: 'a record without duration expires at once',
      find: "if (typeof said !== 'number' || !(said > 0)) return UNSAID_DURATION_SECONDS",
      replace: "if (typeof said !== 'number' || !(said > 0)) return 0",
      rule: 'a holder that says nothing of its duration gets client-go’s',
    },
  ]),
  ...mutantsOf('src/group/follow/holder.ts', 'src/group/follow/holder.test.ts', [
    {
      name: 'a renewal makes a record this pod’s, whoever acquired it',
      find: "if (by === 'prefix' && isAcquiredBeforeStart(record.acquireTime, pod)) return true",
      replace: '',
      rule: 'design 4.3: a record older than the pod maps to nobody',
    },
    {
      name: 'the IP of a hostNetwork pod is mapped',
      find: 'return !pod.hostNetwork && pod.phase',
      replace: 'return pod.phase',
      rule: 'design 4.3: by pod IP, never of a hostNetwork pod',
    },
    {
      name: 'the IP of a finished pod is mapped',
      find: "!pod.hostNetwork && pod.phase !== 'Succeeded' && pod.phase !== 'Failed'",
      replace: '!pod.hostNetwork',
      rule: 'a pod that has finished has given its IP back',
    },
    {
      name: 'a recreated pod keeps the label of the old one',
      find: 'return !isAcquiredAfterStart(record.acquireTime, pod)',
      replace: 'return isAcquiredAfterStart(record.acquireTime, pod) && false',
      rule: 'design 4.3: a record older than the pod maps to nobody',
    },
    {
      name: 'a record of before a pod’s eyes is its own',
      find: "if (pod.appeared || by === 'ip') return true\n",
      replace: '',
      rule: 'design 4.3: a record that was first seen before the pod means another one',
    },
    {
      name: 'a record that changed before the pod came is the pod’s',
      find: 'if (record.sight.changed && record.sight.seenAt > meantSince) return false',
      replace: 'if (record.sight.changed) return false',
      rule: 'design 4.3: a record older than the pod maps to nobody',
    },
    {
      name: 'a pod that started in the second of the record counts as older',
      find: 'acquired > Math.max(...starts)',
      replace: 'acquired >= Math.max(...starts)',
      rule: 'stamps are cut to seconds: acquireTime has to lie in a later one',
    },
    {
      name: 'of two pods the first is taken',
      find: "if (others.length > 0) return { kind: 'ambiguous', pods: selected.map(({ pod }) => pod) }\n",
      replace: '',
      rule: 'design 4.3: ambiguous: no label on anyone',
    },
    {
      name: 'a name that only begins like the pod’s is mapped',
      find: "if (cut > 0 && identity.slice(0, cut) === pod.name) return 'prefix'",
      replace: "if (identity.startsWith(pod.name)) return 'prefix'",
      rule: 'design 4.3: <pod name>_<anything>',
    },
    {
      name: 'a pod that is not selected is labelled',
      find: 'const selected = current.filter(({ pod }) => pod.selected)',
      replace: 'const selected = current',
      rule: 'I12: only selected pods are labelled',
    },
  ]),
  ...mutantsOf('src/group/follow/death.ts', 'src/group/follow/death.test.ts', [
    {
      name: 'NotReady proves death',
      find: 'return isTainted && ready.length === 1 &&',
      replace: 'return ready.length === 1 &&',
      rule: 'design 4.3: NotReady and an unreachable node prove nothing',
    },
    {
      name: 'the taint alone proves death',
      find: "return isTainted && ready.length === 1 && ready.every(({ status }) => status === 'False' || status === 'Unknown')",
      replace: 'return isTainted && ready.length === 1',
      rule: 'design 4.3: out of service and not Ready',
    },
    {
      name: 'one dead container proves death',
      find: '!ends.every((end) => end !== undefined && end.finishedAt > renewed)',
      replace: '!ends.some((end) => end !== undefined && end.finishedAt > renewed)',
      rule: 'design 4.3: every container of the spec must be shown dead',
    },
    {
      name: 'a renewal in the second of the end is before it',
      find: 'end.finishedAt > renewed)) return undefined',
      replace: 'end.finishedAt >= renewed)) return undefined',
      rule: 'design 4.3: renewTime lies strictly before finishedAt',
    },
    {
      name: 'an end of before the last renewal proves death',
      find: 'return finishedAt > renewed || (finishedAt === renewed && isInOrder)',
      replace: 'return finishedAt > 0 || (finishedAt === renewed && isInOrder)',
      rule: 'design 4.3: the process that wrote the record is dead, not one before it',
    },
    {
      name: 'a renewal after the proof does not refute it',
      find: 'return sight.changed && sight.seenAt > proof.seenAt',
      replace: 'return sight.changed && sight.seenAt > Infinity + proof.seenAt',
      rule: 'design 4.3: somebody who writes is alive',
    },
    {
      name: 'the containers of the spec may change after the proof',
      find: 'if (renewed === undefined || !standstill || !isOf(standstill, electing)) return undefined',
      replace: 'if (renewed === undefined || !standstill) return undefined',
      rule: 'design 4.3: the electing container is the one that the annotation names',
    },
  ]),
  ...mutantsOf('src/group/follow/containers.ts', 'src/group/follow/containers.test.ts', [
    {
      name: 'an end that the kubelet invented proves death',
      find: "reason === '' || reason === INVENTED_REASON) return undefined",
      replace: "reason === '') return undefined",
      rule: 'design 4.3: a reason other than ContainerStatusUnknown',
    },
    {
      name: 'a container that runs again is at a standstill',
      find: "(state === 'ended' || state === 'waiting' ? end : undefined)",
      replace: 'end',
      rule: 'design 4.3: no electing container has a process',
    },
    {
      name: 'restartable init containers are not looked at',
      find: "inits.filter((init) => named !== undefined || at(init, 'restartPolicy') === 'Always')",
      replace: 'inits.filter(() => named !== undefined)',
      rule: 'design 4.3: every container, restartable init containers included',
    },
    {
      name: 'a container without a status is dead',
      find: "return at(state, 'waiting') === undefined ? 'unknown' : 'waiting'",
      replace: "return 'waiting'",
      rule: 'design 4.3: a container without a status counts as alive',
    },
    {
      name: 'the last end is forgotten',
      find: 'witnessed: before !== undefined } : last }',
      replace: 'witnessed: before !== undefined } : undefined }',
      rule: 'design 4.3: now or as the last state of a restart',
    },
    {
      name: 'what was there at the start counts as seen',
      find: 'seenAt: tick, witnessed: before !== undefined } : last }',
      replace: 'seenAt: tick, witnessed: true } : last }',
      rule: 'design 4.3: after an operator restart the duration is waited out',
    },
  ]),
  ...mutantsOf('src/group/follow/follow.ts', 'src/group/follow/follow.test.ts', [
    {
      name: 'phase Failed proves death',
      find: 'if (proofs.length > 0) return dead(view, lease, mapping, proofs)',
      replace:
        "if (proofs.length > 0 || pod.phase === 'Failed')\n    return dead(view, lease, mapping, [{ by: 'restarted', seenAt: Infinity, witnessed: true }])",
      rule: 'design 4.3: phase Failed proves nothing, the garbage collector writes it',
      killedBy: 'src/group/follow/follow.test.ts',
    },
    {
      name: 'a deletion proves death',
      find: 'if (proofs.length > 0) return dead(view, lease, mapping, proofs)',
      replace:
        "if (proofs.length > 0 || pod.deleted)\n    return dead(view, lease, mapping, [{ by: 'restarted', seenAt: Infinity, witnessed: true }])",
      rule: 'design 4.3: after a force delete the process lives on',
    },
    {
      name: 'a pod that was deleted is labelled',
      find: 'if (pod.deleted) {',
      replace: "if (pod.deleted && silence.state !== 'live') {",
      rule: 'I10: the leader is a pod that is there',
    },
    {
      name: 'the label of another stays while the holder is unproven',
      find: 'return view.named === undefined || view.named.uid === pod.uid\n',
      replace: 'return view.named === undefined || view.named.uid !== undefined\n',
      rule: 'design 4.3: a label that stands stays only on the pod that the Lease names',
    },
    {
      name: 'the Lease is emptied unasked',
      find: 'view.releaseDeadHolder ? releaseOf(lease, holder, proofs) : undefined',
      replace: 'releaseOf(lease, holder, proofs)',
      rule: 'design 4.3: only with failover.releaseDeadHolder',
    },
    {
      name: 'the Lease of a group in mode Assign is followed',
      find: 'if (ownedBy !== undefined)\n',
      replace: 'if (ownedBy === "nobody")\n',
      rule: 'design 4.4: a Lease that another group writes is no Lease of candidates',
    },
  ]),
  ...mutantsOf('src/group/follow/release.ts', 'src/group/follow/release.test.ts', [
    {
      name: 'a Lease is emptied that changed after the death',
      find: 'proof.witnessed && lease.seenAt < proof.seenAt',
      replace: 'proof.witnessed',
      rule: 'design 4.3: the record was held before the event that proves the death',
    },
    {
      name: 'a Lease is emptied for a death that was not seen',
      find: 'proof.witnessed && lease.seenAt < proof.seenAt',
      replace: 'lease.seenAt < proof.seenAt',
      rule: 'design 4.3: after an operator restart the duration is waited out',
    },
    {
      name: 'a Lease is emptied for a holder known by its IP',
      find: " || by === 'ip'",
      replace: '',
      rule: 'design 4.3: mapped by exact name, name_ or UID',
    },
    {
      name: 'the Lease of an earlier pod of the name is emptied',
      find: ' || isAcquiredBeforeStart(lease.acquireTime, pod)',
      replace: '',
      rule: 'design 4.3: proof of death must never be wrong',
    },
    {
      name: 'a Lease is emptied for stamps of one second',
      find: "proof.by !== 'standstill' && proof.witnessed",
      replace: 'proof.witnessed',
      rule: 'design 4.3: renewTime lies strictly before finishedAt',
    },
    {
      name: 'that a node is down is not confirmed',
      find: 'return ways.length > 0 && confirm ? { ...release, confirm } : undefined',
      replace: 'return ways.length > 0 && confirm ? release : undefined',
      rule: 'I9: watches lag each on their own, so the node may be back, and its pod lead',
    },
  ]),
  ...mutantsOf('src/group/followed.ts', 'src/group/followed.test.ts', [
    {
      name: 'the gate follows without a seal',
      find: 'if (holder && !isSealed(holder, gate)) return sealing(view, holder, `${target.message}: sealing ${holder.name}`)\n',
      replace: '',
      rule: 'design 4.1: seal before advance',
    },
    {
      name: 'a label that was lost while its holder is unproven is forgotten',
      find: 'return isLost ? sealing(view, holder, lossOf(holder, gate)) : resting(target.message)',
      replace:
        'return isLost && (false as boolean) ? sealing(view, holder, lossOf(holder, gate)) : resting(target.message)',
      rule: 'design 3: what was lost comes back only under a higher number',
    },
    {
      name: 'a holder that is out of sight is gone',
      find: 'if (!holder && !o.gone.has(gate.holder.uid)) return asking(gate.holder)\n',
      replace: '',
      rule: 'design 4.1: a list that does not contain a pod proves nothing',
    },
    {
      name: 'the gate moves on a Lease that may be old',
      find: 'if (readLease || (moves(gate, target) && !isFresh(o, group.status))) {',
      replace: 'if (readLease) {',
      rule: 'design 4.3: nobody advances the gate on an older view',
    },
    {
      name: 'a status that somebody edited is trusted after no round',
      find: 'if (stamping) return stamping\n',
      replace: '',
      rule: 'design 4.1: every pod is stamped before a holder is named',
    },
    {
      name: 'a gate is born in the term of a pod',
      find: 'const term = highestTerm(o.pods, group.status?.term ?? 0) + 1',
      replace: 'const term = highestTerm(o.pods, group.status?.term ?? 0)',
      rule: 'decisions: a gate in status is born above every number in sight',
    },
    {
      name: 'a gate is born on pods that were not listed',
      find: 'if (o.podsListedAt === undefined || o.podsListedAt <= seenAt) {',
      replace: 'if (o.podsListedAt === undefined) {',
      rule: 'decisions: a gate in status is born above every number in sight',
    },
    {
      name: 'a followed pod is named without a stamp',
      find: 'if (stampedTerm(pod, view.gate) !== undefined) return advance(view, pod, why)',
      replace: 'if (pod.uid !== undefined) return advance(view, pod, why)',
      rule: 'design 4.1: a pod may be named only if it bears a stamp of this gate',
    },
    {
      name: 'the expiry of a followed Lease is not waited for',
      find: '...(wakeAt === undefined ? {} : { wakeAt }),\n    follow',
      replace: 'follow',
      rule: 'I11: what changes by time alone is woken by time',
    },
  ]),
]
