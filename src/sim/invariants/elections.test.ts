import {
  acquire,
  acts,
  ELECTED,
  elector,
  ends,
  follows,
  leads,
  rate,
  record,
  release,
  renew,
  sends,
} from './elector-fixtures.ts'
import { gone } from './group-fixtures.ts'
import { rows } from './rows-fixtures.ts'
import { after } from './story-fixtures.ts'

const crash = [ends('a'), after(15_000, acquire('b', 1)), leads('b', 1)]

rows('takeover', [
  ['an election', ELECTED],
  ['a crash', [...ELECTED, ...crash]],
  ['a release', [...ELECTED, follows('a'), release('a'), acquire('b', 1), leads('b', 1)]],
  ['a process that succeeds itself', [...ELECTED, ends('a'), elector('a'), acquire('a', 1), leads('a', 1)]],
  [
    'a Lease that is deleted and created again',
    [...ELECTED, follows('a'), gone('leases', 'lock'), acquire('b', 1), leads('b', 1)],
  ],
  ['a taker whose clock is fast', [...ELECTED, ends('a'), rate('b', 1.2), after(12_500, acquire('b', 1))]],
  [
    'a taker of another project that does not wait',
    [...ELECTED.slice(0, 1), elector('b', { ours: false }), acquire('a', 0), acquire('b', 1)],
  ],
  [
    'a number that a stranger made as large as it can be',
    [
      ...ELECTED,
      follows('a'),
      record(undefined, { holderIdentity: 'x', leaseTransitions: 2 ** 31 - 1 }),
      after(15_000, acquire('b', 2 ** 31 - 1)),
    ],
  ],
  [
    'a record that a stranger made brief',
    [
      ...ELECTED,
      follows('a'),
      record(undefined, { leaseDurationSeconds: 1, renewTime: 'now' }),
      after(1_000, acquire('b', 1)),
    ],
  ],
  [
    'a takeover before its time',
    [...ELECTED, ends('a'), after(14_900, acquire('b', 1))],
    'I9',
    /B took the Lease from A after 149\d0 ms of 15000 ms/,
  ],
  [
    'a takeover that was sent before its time',
    [...ELECTED, ends('a'), after(14_900, sends('b')), after(500, acquire('b', 1))],
    'I9',
  ],
  [
    'a takeover after a renewal',
    [...ELECTED, after(9_000, renew('a')), ends('a'), after(9_000, acquire('b', 1))],
    'I9',
  ],
  [
    'a taker whose clock is slow, by true time',
    [...ELECTED, ends('a'), rate('b', 0.5), after(16_000, acquire('b', 1))],
    'I9',
  ],
  [
    'a taker whose machine was suspended',
    [...ELECTED, ends('a'), rate('b', 0), after(15_000, rate('b', 1)), acquire('b', 1)],
    'I9',
  ],
  [
    'an operator that empties the Lease of a living holder',
    [...ELECTED, record('operator-1', { holderIdentity: '' })],
    'I9',
    /whose holder a runs/,
  ],
  [
    'a renewal that brings a term back',
    [...ELECTED, ...crash, follows('b'), record('a', { holderIdentity: 'A', leaseTransitions: 0 })],
    'I3',
    /from 1 to 0 as it became the holder/,
  ],
  ['a renewal that brings a released term back', [...ELECTED, follows('a'), release('a'), acquire('a', 0)], 'I3'],
  [
    'a release that clobbers the successor',
    [...ELECTED, ...crash, release('a')],
    'I3',
    /A: emptied the Lease, which B held/,
  ],
  ['a count that leaps', [...ELECTED, follows('a'), release('a'), acquire('b', 5)], 'I3'],
  [
    'a term that begins anew under its number',
    [...ELECTED, follows('a'), after(20_000, acquire('a', 0))],
    'I3',
    /as it went on/,
  ],
  ['an elector that names another', [...ELECTED, record('a', { holderIdentity: 'B', leaseTransitions: 1 })], 'I3'],
])

rows('self-fence', [
  ['a term that ends with its process', [...ELECTED, ...crash]],
  ['a term that is renewed', [...ELECTED, after(9_000, renew('a')), after(9_000, leads('a', 0, 1))]],
  ['acts of the leader', [...ELECTED, acts('a')]],
  [
    'a machine that was suspended for most of the time',
    [...ELECTED, rate('a', 0), after(14_000, rate('a', 1)), acts('a')],
  ],
  [
    'two at once, when a stranger had emptied the Lease',
    [...ELECTED, record(undefined, { holderIdentity: '' }), acquire('b', 1), leads('b', 1)],
  ],
  [
    'two at once, when a stranger had deleted the Lease',
    [...ELECTED, gone('leases', 'lock'), acquire('b', 1), leads('b', 1)],
  ],
  [
    'two at once, when clocks differ by more than was allowed for',
    [
      ...ELECTED,
      rate('a', 0.7),
      after(7_000, renew('a')),
      rate('b', 1),
      after(15_000, acquire('b', 1)),
      follows('a'),
      leads('b', 1),
    ],
  ],
  [
    'two at once, the first of which does not fence itself',
    [
      elector('a', { ours: false }),
      elector('b'),
      acquire('a', 0),
      leads('a', 0),
      after(15_000, acquire('b', 1)),
      leads('b', 1),
      acts('a'),
    ],
  ],
  [
    'two at once',
    [elector('a', { renewDeadlineMillis: 20_000 }), ...ELECTED.slice(1), after(15_000, acquire('b', 1)), leads('b', 1)],
    'I5',
    /b begins to lead while a believes to lead as well/,
  ],
  [
    'two at once although a stranger touched the Lease, before the first renewed',
    [
      elector('a', { renewDeadlineMillis: 20_000 }),
      ...ELECTED.slice(1, 3),
      record(undefined, { renewTime: 'x' }),
      renew('a'),
      leads('a', 0, 1),
      after(15_000, acquire('b', 1)),
      leads('b', 1),
    ],
    'I5',
  ],
  [
    'a belief that outlasts its deadline',
    [...ELECTED, after(10_100, leads('a', 0, 1))],
    'I5',
    /101\d0 ms after its last renewal was sent/,
  ],
  [
    'a deadline from the answer',
    [...ELECTED, after(1_000, sends('a')), after(2_000, renew('a')), after(9_000, leads('a', 0, 1))],
    'I5',
    /110\d0 ms after/,
  ],
  ['an act after the deadline', [...ELECTED, after(10_100, acts('a'))], 'I5', /a acts 101\d0 ms after/],
  ['an act of who does not lead', [...ELECTED, acts('b')], 'I5', /b acts, and does not believe/],
  [
    'a token that does not grow',
    [...ELECTED, follows('a'), release('a'), acquire('a', 1), leads('a', 1, 1)],
    'I8',
    /leads with token 1, after 1/,
  ],
  [
    'a token that is no write of the leader',
    [...ELECTED, follows('a'), release('a'), acquire('b', 1), leads('b', 1, 2)],
    'I8',
    /no write of its own/,
  ],
])
