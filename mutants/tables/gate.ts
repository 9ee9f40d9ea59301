import { mutantsOf, type Mutant } from '../mutant.ts'

/** Mistakes in what the gate is taken to say: `src/group/gate`. */
export const GATE: readonly Mutant[] = [
  ...mutantsOf('src/group/gate/lease-gate.ts', 'src/group/gate/gate-state.test.ts', [
    {
      name: 'a foreign Lease is adopted',
      find: "if (lease.ownerUID !== groupUID) return { kind: 'foreign', object: lease }\n",
      replace: '',
      rule: 'design 4.2: Assign never adopts a Lease',
    },
    {
      name: 'the holder on the Lease is not compared with the mark',
      find: '    lease.holderIdentity === formatIdentity(holder) &&\n',
      replace: '',
      rule: 'design 4.1: a gate that disagrees with its mark was not written by us',
    },
    {
      name: 'a Lease that was put back from a copy is trusted',
      find: '    mark.gateUID === lease.uid &&\n',
      replace: '',
      rule: 'decisions: the mark bears the gate’s own UID',
    },
    {
      name: 'transitions that somebody changed are trusted',
      find: '    lease.transitions === transitionsOf(term)\n',
      replace: '    term >= 0\n',
      rule: 'design 4.1: a gate whose term disagrees with its mark was not written by us',
    },
    {
      name: 'a mark that cannot be read counts as new',
      find: "if (!mark || lease.mode !== 'Assign') return { kind: 'spoiled', object: lease }",
      replace: "if (!mark || lease.mode !== 'Assign') return { kind: 'open', object: lease, term: 0 }",
      rule: 'decisions: without a mark no safe term is known, so the Lease is deleted',
    },
  ]),
  ...mutantsOf('src/group/gate/gate.ts', 'src/group/gate/gate.test.ts', [
    {
      name: 'terms beyond exact numbers are read',
      find: 'return term <= LAST_TERM ? term : undefined',
      replace: 'return term',
      rule: 'design 4.1: well-formed up to 2^53−2',
    },
    {
      name: 'transitions overflow in the gate',
      find: 'return Math.min(term, LAST_TRANSITION)',
      replace: 'return term',
      rule: 'I4: leaseTransitions = min(term, 2147483647)',
    },
  ]),
  ...mutantsOf('src/group/gate/status-gate.ts', 'src/group/gate/status-gate.test.ts', [
    {
      name: 'the UID in status is not compared with the mark',
      find: ' &&\n    status.holderUID === mark.holder?.uid\n',
      replace: '\n',
      rule: 'design 4.1: a gate whose UID disagrees with its mark was not written by us',
    },
    {
      name: 'a status that was copied from another group is trusted',
      find: '    mark.gateUID === uid &&\n',
      replace: '',
      rule: 'decisions: the mark bears the gate’s own UID',
    },
    {
      name: 'a term that somebody wrote into status comes again',
      find: 'return shown < term + FORGED_LEAP ? Math.max(term, shown) : term',
      replace: 'return Math.min(term, shown)',
      rule: 'decisions: a status that disagrees with its mark counts with the higher of both terms',
    },
  ]),
  ...mutantsOf('src/group/gate/lease-version.ts', 'src/group/gate/lease-version.test.ts', [
    {
      name: 'a lagging watch of the Lease is trusted',
      find: 'if (lease.uid !== uid || isNewer(version, lease.resourceVersion)) return false',
      replace: 'if (lease.uid !== uid) return false',
      rule: 'design 4.3: nobody advances the gate on an older view',
    },
    {
      name: 'a Lease of another UID is trusted unread',
      find: 'if (lease.uid !== uid || isNewer(version, lease.resourceVersion)) return false',
      replace: 'if (isNewer(version, lease.resourceVersion)) return false',
      rule: 'design 4.3: after a change of the Lease’s UID a quorum GET comes first',
    },
    {
      name: 'a Lease that was only listed is trusted',
      find: 'return lease.sight.changed || readAt !== undefined',
      replace: 'return true',
      rule: 'design 4.3: after an operator’s start a quorum GET comes first',
    },
    {
      name: 'any read of the Lease will do',
      find: 'if (begunAfter(readAt, groupSeenAt)) return true',
      replace: 'if (readAt !== undefined) return true',
      rule: 'design 4.3: the read began after the gate was seen',
    },
  ]),
]
