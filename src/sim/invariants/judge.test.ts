import { asks, FOLLOWED, gate, gone, group, label, lease, LED, pod, podWrite, seal, status } from './group-fixtures.ts'
import { rows } from './rows-fixtures.ts'
import { GROUP_UID, shown, stranger, write } from './story-fixtures.ts'

const failover = [seal('a', 2), lease('b', 3), label('b', 3), status('b', 3)]
const strangersLease = (term: number, holder = 'a') => stranger(lease(holder, term))

rows('unique label', [
  ['an election', LED],
  ['a failover', [...LED, ...failover]],
  ['a failover from a pod that is gone', [...LED, gone('pods', 'a'), lease('b', 3), label('b', 3)]],
  ['a label that a stranger adds', [...LED, stranger(label('b', 2))]],
  [
    'an operator’s label beside a stranger’s',
    [...LED, seal('a', 2), stranger(label('a', 2)), lease('b', 3), label('b', 3)],
  ],
  ['two labels', [...LED, label('b', 2)], 'I1', /2 pods bear the leader label: a \(a-uid, term 2\) and b/],
  ['two labels in mode Observe', [...FOLLOWED, label('b', 2)], 'I1'],
  [
    'two labels, the first of which a stranger moves to another term',
    [...LED, stranger(label('a', 9)), label('b', 3)],
    'I1',
  ],
  ['a label of a naming that a stranger overwrote in due form', [...LED, strangersLease(7, 'b'), label('b', 7)]],
  [
    'a second label by a naming that a stranger forged',
    [...LED, strangersLease(7, 'b'), label('b', 7), seal('a', 7), label('c', 8)],
    'I1',
  ],
])

rows('label implies gate', [
  ['the same pod in a new term', [...LED, seal('a', 2), lease('a', 3), label('a', 3)]],
  [
    'a label that arrives after a stranger deleted its gate',
    [
      ...LED,
      seal('a', 2),
      lease('b', 3),
      gone('leases', 'db'),
      label('b', 3),
      seal('b', 3),
      lease('b', 5),
      label('b', 5),
    ],
  ],
  [
    'a label that arrives after the next gate was born',
    [...LED, seal('a', 2), lease('b', 3), gone('leases', 'db'), lease(undefined, 0, { uid: 'lease-2' }), label('b', 3)],
  ],
  [
    'a label that arrives after a stranger took the gate',
    [...LED, seal('a', 2), lease('b', 3), stranger(lease('b', 3, { holder: 'java-client' })), label('b', 3)],
  ],
  [
    'a label that arrives after its group was deleted and created again',
    [...LED, seal('a', 2), lease('b', 3), gone('leadergroups', 'db'), group({ uid: 'other' }), label('b', 3)],
  ],
  [
    'a gate whose mark cannot be read, which is deleted',
    [...LED, stranger(lease('a', 2, { mark: '?' })), write('leases', 'db', () => undefined)],
  ],
  ['a label that a stranger puts on whom nobody named', [...LED, seal('a', 2), stranger(label('b', 9))]],
  [
    'a gate that nobody leads by',
    [...FOLLOWED, seal('a', 2, GROUP_UID), gate(undefined, 2), gate('b', 3), label('b', 3)],
  ],
  ['a label before the gate', [...LED, seal('a', 2), label('b', 3)], 'I2', /the gate named a \(a-uid\) in term 2 last/],
  ['a label in another term', [...LED, seal('a', 2), lease('b', 3), label('b', 4)], 'I2', /label on b/],
  ['a label without a term', [...LED, seal('a', 2), lease('b', 3), podWrite('b', { role: 'leader' })], 'I2'],
  [
    'a label on a namesake',
    [...LED, seal('a', 2), lease('b', 3), gone('pods', 'b'), pod('b', { uid: 'b2' }), label('b', 3)],
    'I2',
    /label on b \(b2\)/,
  ],
  ['a label after the gate has moved on', [...LED, seal('a', 2), lease('b', 3), label('a', 2)], 'I2', /label on a/],
  [
    'a label of a deleted gate after the next one names somebody',
    [...LED, seal('a', 2), gone('leases', 'db'), lease('b', 4, { uid: 'lease-2' }), label('a', 2)],
    'I2',
  ],
  ['a label that status does not name in mode Observe', [...FOLLOWED, seal('a', 2), label('b', 2)], 'I2'],
  [
    'a label that arrives after the gate names nobody',
    [...FOLLOWED, seal('a', 2, GROUP_UID), gate(undefined, 2), label('a', 2)],
    'I2',
    /named nobody last/,
  ],
  [
    'a gate that moves on before the seal',
    [...LED, lease('b', 3)],
    'I2',
    /while a \(a-uid\) bears the label of term 2/,
  ],
  ['a gate that names the same pod anew before the seal', [...LED, lease('a', 3)], 'I2'],
  [
    'a gate that is born anew and names somebody before the seal',
    [...LED, gone('leases', 'db'), lease(undefined, 0, { uid: 'lease-2' }), lease('b', 4, { uid: 'lease-2' })],
    'I2',
  ],
  ['a gate that moves on before the seal in mode Observe', [...FOLLOWED, gate('b', 3)], 'I2'],
  ['a gate that names nobody before the seal', [...FOLLOWED, gate(undefined, 2)], 'I2', /vacant at term 2 while a/],
  ['a gate that the operator deletes for no reason', [...LED, write('leases', 'db', () => undefined)], 'I2', /removed/],
])

rows('terms', [
  [
    'a gate that is deleted and born anew',
    [
      ...LED,
      gone('leases', 'db'),
      lease(undefined, 0, { uid: 'lease-2' }),
      seal('a', 0, 'lease-2'),
      lease('b', 4, { uid: 'lease-2' }),
    ],
  ],
  [
    'a stranger’s garbage in the Lease',
    [...LED, stranger(lease('a', 2, { transitions: -5 })), seal('a', 2), lease('a', 3)],
  ],
  ['transitions as far as 32 bits reach', [...LED, seal('a', 2), lease('a', 2 ** 40, { transitions: 2 ** 31 - 1 })]],
  [
    'another group of the same name',
    [
      ...LED,
      gone('leadergroups', 'db'),
      gone('leases', 'db'),
      podWrite('a', { role: null, term: null, sealed: null }),
      group({ uid: 'other' }),
      lease(undefined, 0, { uid: 'lease-2', groupUID: 'other' }),
      lease('b', 1, { uid: 'lease-2', groupUID: 'other' }),
    ],
  ],
  [
    'a count that goes on above the numbers that pods keep through the round',
    [
      ...LED,
      gone('leases', 'db'),
      stranger(status(undefined, 0)),
      lease(undefined, 0, { uid: 'lease-2' }),
      seal('a', 2, 'lease-2'),
      lease('b', 4, { uid: 'lease-2' }),
    ],
  ],
  [
    'a count that begins anew when nothing is left of the old one',
    [
      ...FOLLOWED,
      gone('pods', 'a'),
      gone('pods', 'b'),
      pod('c'),
      stranger(status(undefined, 0)),
      status(undefined, 1, { gate: '-/-/1' }),
      gate('c', 2),
    ],
  ],
  ['a term that repeats', [...LED, seal('a', 2), lease('b', 2)], 'I4', /term 2 comes after term 2/],
  [
    'a term that repeats for the same pod',
    [...LED, seal('a', 2), stranger(lease('a', 2, { holder: 'x' })), lease('a', 2)],
    'I4',
  ],
  ['a term that goes back', [...LED, seal('a', 2), lease('b', 7), lease('a', 6)], 'I4', /term 6 comes after term 7/],
  [
    'a term that repeats over a deleted gate',
    [...LED, seal('a', 2), gone('leases', 'db'), lease('b', 2, { uid: 'lease-2' })],
    'I4',
  ],
  ['a term that repeats in mode Observe', [...FOLLOWED, seal('a', 2, GROUP_UID), gate('b', 2)], 'I4'],
  [
    'a count that begins anew although a pod still bears a number',
    [
      ...FOLLOWED,
      seal('a', 2, GROUP_UID),
      stranger(status(undefined, 0)),
      status(undefined, 1, { gate: '-/-/1' }),
      gate('b', 2),
    ],
    'I4',
    /term 2 comes after term 2/,
  ],
  [
    'a count that begins anew although an operator has just taken a number off a pod',
    [
      ...LED,
      gone('leases', 'db'),
      stranger(status(undefined, 0)),
      lease(undefined, 0, { uid: 'lease-2' }),
      seal('a', 0, 'lease-2'),
      lease('b', 2, { uid: 'lease-2' }),
    ],
    'I4',
    /term 2 comes after term 2/,
  ],
  [
    'transitions that are not the term',
    [...LED, seal('a', 2), lease('b', 3, { transitions: 1 })],
    'I4',
    /leaseTransitions/,
  ],
  [
    'a holder that is not the mark’s',
    [...LED, seal('a', 2), lease('b', 3, { holder: 'b' })],
    'I4',
    /the Lease names b,/,
  ],
])

rows('status', [
  [
    'a number that a stranger raises, and which is taken over',
    [...LED, stranger(status('a', 50)), status(undefined, 50)],
  ],
  ['a number that a stranger lowers, and which is put right', [...LED, stranger(status('a', 1)), status('a', 2)]],
  [
    'a generation that grows',
    [...LED, group({ metadata: { generation: 2 } }), status('a', 2, { observedGeneration: 2 })],
  ],
  ['a status before the gate', [...LED, status('a', 3)], 'I6', /status.term is 3/],
  ['a status before the label', [...LED, seal('a', 2), lease('b', 3), status('b', 3)], 'I6', /nobody bore the label/],
  [
    'a status with the holder of another term',
    [...LED, ...failover.slice(0, 3), status('a', 3)],
    'I6',
    /status names a \(a-uid\) in term 3/,
  ],
  ['a status that goes back', [...LED, ...failover, status('a', 2)], 'I6', /went from 3 to 2/],
  ['a generation that goes back', [...LED, status('a', 2, { observedGeneration: 0 })], 'I6', /went from 1 to 0/],
  ['a generation that is ahead', [...LED, status('a', 2, { observedGeneration: 2 })], 'I6', /is 2, the generation 1/],
])

const taken = stranger(podWrite('a', { role: null }))

rows('no resurrection', [
  [
    'a label of the group that was, beside the terms of its successor',
    [
      ...LED,
      gone('leadergroups', 'db'),
      gone('leases', 'db'),
      group({ uid: 'other' }),
      lease(undefined, 0, { uid: 'lease-2', groupUID: 'other' }),
      seal('a', 0, 'lease-2'),
      lease('a', 2, { uid: 'lease-2', groupUID: 'other' }),
      label('a', 2),
    ],
  ],
  ['a new term of the same pod', [...LED, seal('a', 2), lease('a', 3), label('a', 3)]],
  [
    'a label that a stranger took off before an operator was shown that the pod led',
    [...LED, taken, asks('a', 2), label('a', 2)],
  ],
  [
    'another group of the same name',
    [
      ...LED,
      podWrite('a', { role: null, term: null, sealed: null }),
      gone('leases', 'db'),
      gone('leadergroups', 'db'),
      group({ uid: 'other' }),
      lease('a', 2, { uid: 'lease-2', groupUID: 'other' }),
      label('a', 2),
    ],
  ],
  [
    'a label that comes back after the seal',
    [...LED, seal('a', 2), label('a', 2)],
    'I3',
    /bears the label of term 2 again, after it was sealed/,
  ],
  [
    'a label that comes back after a stranger took it off',
    [...LED, shown('leadergroups', 'db'), taken, asks('a', 2)],
    'I3',
    /was shown that it has led/,
  ],
  [
    'a label that comes back in mode Observe',
    [
      ...FOLLOWED,
      gate('a', 2, { conditions: [{ type: 'Ready', status: 'True' }] }),
      shown('leadergroups', 'db'),
      taken,
      asks('a', 2),
    ],
    'I3',
  ],
  [
    'an operator that labels beside a label that it was shown',
    [...LED, shown('pods', 'a'), asks('b', 3)],
    'I1',
    /labels b, and was shown the label on a/,
  ],
])
