import { mutantsOf, type Mutant } from '../mutant.ts'

/** Mistakes in the routing: `src/group/routing`, and `route-group.ts`. */
export const ROUTING: readonly Mutant[] = [
  ...mutantsOf('src/group/routing/leader-slices.ts', 'src/group/routing/leader-slices.test.ts', [
    {
      name: 'a slice is swapped on an old read of the gate',
      find: 'else if (readAfter(input, leader.pod) && readAfter(input, observed)) entering.push(write)',
      replace: 'else if (readAfter(input, undefined)) entering.push(write)',
      rule: 'design 4.1: slice writes obey the rule of the label',
    },
    {
      name: 'a successor’s slice is taken for a stray',
      find: 'if (readAfter(input, observed)) removing.push(deleteOf(observed))',
      replace: 'if (readAfter(input, undefined)) removing.push(deleteOf(observed))',
      rule: 'design 4.1: slice writes obey the rule of the label',
    },
    {
      name: 'the slice of an old term counts as this one’s',
      find: 'uids.has(pod.uid) && parseTerm(observed.annotations[groupKeys(group).term]) === term',
      replace: 'uids.has(pod.uid)',
      rule: 'design 4.5: every swap writes the term, so it always moves the resourceVersion',
    },
    {
      name: 'a leader that begins to terminate is told',
      find: 'const shown = stands ? untilItsEnd(leader, set, observed) : set',
      replace: 'const shown = set',
      rule: 'decisions: a write before the swap costs kube-proxy’s second',
    },
    {
      name: 'a leader that terminates is said to serve for ever',
      find: 'if (!pod.terminating || !pod.ready) return set',
      replace: 'if (!pod.terminating) return set',
      rule: 'design 4.5: serving is the pod’s readiness',
    },
    {
      name: 'the leader’s slice belongs to the Service',
      find: "const owner = { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid }",
      replace: "const owner = { apiVersion: 'v1', kind: 'Service', name: pod.name, uid: pod.uid }",
      rule: 'design 4.5: the leader’s slice goes with the leader’s pod',
    },
  ]),
  ...mutantsOf('src/group/routing/slice.ts', 'src/group/routing/slice.test.ts', [
    {
      name: 'a slice is written without its version',
      find: '...(observed ? { uid: observed.uid, resourceVersion: observed.resourceVersion } : {}),',
      replace: '...(observed ? { uid: observed.uid } : {}),',
      rule: 'design 4.5: swapped with the version that it was decided on',
    },
    {
      name: 'a slice of somebody else is written',
      find: 'return slice.labels[MANAGED_BY_LABEL] === MANAGED_BY && slice.labels[GROUP_LABEL] === group',
      replace: 'return slice.labels[GROUP_LABEL] === group',
      rule: 'I13: a slice that is not the group’s own is never written',
    },
    {
      name: 'a slice of another group is written',
      find: 'return slice.labels[MANAGED_BY_LABEL] === MANAGED_BY && slice.labels[GROUP_LABEL] === group',
      replace: 'return slice.labels[MANAGED_BY_LABEL] === MANAGED_BY',
      rule: 'I13: groups never touch what is another’s',
      killedBy: 'src/group/routing/slice.test.ts',
    },
  ]),
  ...mutantsOf('src/group/routing/decide-routing.ts', 'src/group/routing/decide-routing.test.ts', [
    {
      name: 'a former group’s Service is deleted on an old sight of the group',
      find: 'begunAfter(input.groupReadAt, seenAt)',
      replace: 'seenAt > 0',
      rule: 'decisions: only a read that began after the Service was seen proves its owner gone',
    },
    {
      name: 'the leader leaves the followers before it enters',
      find: 'const beforeLabel = withGateRead(slices.urgent, slices.urgentNeedsGateRead)',
      replace: 'const beforeLabel = withGateRead([...slices.leaving, ...slices.urgent], slices.urgentNeedsGateRead)',
      rule: 'decisions: a new leader enters its own slices first, for the second change waits for kube-proxy',
      killedBy: 'src/group/routing/leader-slices.test.ts',
    },
  ]),
  ...mutantsOf('src/group/routing/service.ts', 'src/group/routing/service.test.ts', [
    {
      name: 'the Service of another group is deleted as a former one’s',
      find: "kind === 'LeaderGroup' && name === group.name",
      replace: "kind === 'LeaderGroup' && name !== ''",
      rule: 'I12: only what is its own is written',
    },
  ]),
  ...mutantsOf('src/group/routing/follower-slices.ts', 'src/group/routing/follower-slices.test.ts', [
    {
      name: 'a former leader enters the followers’ slices before it has left the leader’s',
      find: "if (led.has(uid)) return 'waits'\n",
      replace: '',
      rule: 'design 4.5: a pod that is no longer the leader is in a leader’s or in a followers’ slice, not in both',
      killedBy: 'src/group/routing/leader-slices.test.ts',
    },
  ]),
  ...mutantsOf('src/group/routing/endpoints.ts', 'src/group/routing/endpoints.test.ts', [
    {
      name: 'a pod that terminates is a ready endpoint',
      find: 'ready: serving && !terminating,',
      replace: 'ready: serving,',
      rule: 'design 4.5: conditions mirror the pod',
    },
  ]),
  ...mutantsOf('src/group/route-group.ts', 'src/group/route-group.test.ts', [
    {
      name: 'a sealed holder gets traffic',
      find: 'const mayLead = leads(pod, gate) || (stampedTerm(pod, gate) ?? Infinity) < term',
      replace: 'const mayLead = true',
      rule: 'design 4.5: a slice leads to whom the gate names while it may lead',
    },
    {
      name: 'a leader without its stamp gets no traffic',
      find: 'const mayLead = leads(pod, gate) || (stampedTerm',
      replace: 'const mayLead = (stampedTerm',
      rule: 'design 3: the label says where traffic goes',
    },
    {
      name: 'the slice goes while the next leader is named',
      find: 'if (preparing) return { beforeLabel: [], besideLabel: [], chores: [], conditions, problems }\n',
      replace: '',
      rule: 'decisions: the slice goes from the old leader to the new one in one write',
    },
  ]),
]
