/** All that is done to the processes, the network, the store and the objects of a run, with how often and for how long. */

interface Spec {
  /** How often it is chosen, against the others. */
  readonly weight: number
  /** The shortest and the longest; for what takes no time: until it is lifted, if it did not happen. */
  readonly lastsMillis: readonly [number, number]
  readonly what: string
}

/** Much of a second, so that something else goes wrong meanwhile, or longer than any Lease lasts. */
const PAUSE = [100, 60_000] as const
/** A request, or the operators' own Lease (5 s) and beyond. */
const OUTAGE = [200, 12_000] as const
const MOMENT = [1, 10] as const

export const FAULTS = {
  'operator killed': { weight: 5, lastsMillis: [1, 4_000], what: 'SIGKILL; started again after a while' },
  'operators killed': { weight: 1, lastsMillis: [1, 4_000], what: 'both' },
  'operator paused': { weight: 10, lastsMillis: PAUSE, what: 'SIGSTOP, SIGCONT' },
  // In the storms in which both act: what one had decided is carried out after the other has moved on.
  'operator blinks': { weight: 0, lastsMillis: [5, 150], what: 'SIGSTOP, SIGCONT at once, where both act' },
  'candidate killed': { weight: 4, lastsMillis: [1, 3_000], what: 'one that may not lead' },
  'candidate paused': { weight: 6, lastsMillis: PAUSE, what: 'one that may not lead' },
  'API server killed': { weight: 1.2, lastsMillis: [1, 3_000], what: 'SIGKILL; started again after a while' },
  'API server paused': { weight: 1.2, lastsMillis: [100, 6_000], what: 'SIGSTOP, SIGCONT' },
  'etcd killed': { weight: 1.2, lastsMillis: [1, 3_000], what: 'SIGKILL; started again after a while' },
  'etcd paused': { weight: 1.2, lastsMillis: [100, 6_000], what: 'SIGSTOP, SIGCONT' },
  'history compacted': {
    weight: 1,
    lastsMillis: MOMENT,
    what: 'etcd forgets all but the present; watches are cut: 410',
  },
  'line slow': { weight: 4, lastsMillis: OUTAGE, what: 'everything on its connections is late, by up to 1.5 s' },
  'line stalls': { weight: 5, lastsMillis: OUTAGE, what: 'nothing passes, and all of it arrives in the end' },
  'line dead both ways': { weight: 3, lastsMillis: OUTAGE, what: 'half-open: its connections never recover' },
  'line dead towards the server': { weight: 3, lastsMillis: OUTAGE, what: 'no request arrives any more' },
  'line dead from the server': { weight: 3, lastsMillis: OUTAGE, what: 'requests arrive, no answer does' },
  'line refuses': { weight: 2, lastsMillis: OUTAGE, what: 'RST on all connections, and on new ones' },
  'line reset': { weight: 3, lastsMillis: MOMENT, what: 'RST on all connections, once' },
  'answer cut': { weight: 4, lastsMillis: [5_000, 10_000], what: 'RST in the middle of what comes from the server' },
  'answer lost': {
    weight: 6,
    lastsMillis: [5_000, 10_000],
    what: 'a write took effect, and its answer does not arrive',
  },
  'label by a hand': { weight: 4, lastsMillis: MOMENT, what: 'the leader label on a wrong pod' },
  'label taken off': { weight: 4, lastsMillis: MOMENT, what: 'from the leader' },
  'Lease deleted': { weight: 3, lastsMillis: MOMENT, what: '' },
  'Lease overwritten': { weight: 3, lastsMillis: MOMENT, what: 'a holder that nobody is, or nonsense' },
  'transitions lowered': { weight: 2, lastsMillis: MOMENT, what: 'leaseTransitions' },
  'stamp edited': { weight: 3, lastsMillis: MOMENT, what: 'removed, lowered, raised or malformed, on any pod' },
  'term edited': { weight: 2, lastsMillis: MOMENT, what: 'the annotation of the leader' },
  'conflict storm': { weight: 3, lastsMillis: [300, 2_500], what: 'Lease, pods and group are written all the time' },
  'group deleted': { weight: 2, lastsMillis: [1, 2_000], what: 'and created again' },
  'permissions gone': { weight: 1.5, lastsMillis: [500, 8_000], what: "the operator's role is empty, and given back" },
} satisfies Readonly<Record<string, Spec>>

export type FaultKind = keyof typeof FAULTS

export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[]

export interface Fault {
  readonly kind: FaultKind
  /** After the beginning of its round. */
  readonly atMillis: number
  readonly millis: number
  /** In [0, 1): which of those that can be hit. */
  readonly whom: number
  /** In [0, 1): which variant, where there are several. */
  readonly how: number
}

/** How leaders end. */
export const ENDINGS = {
  Assign: {
    breathMillis: 5_000,
    weights: {
      'deleted by force, same name': 3,
      'deleted by force, another name': 3,
      deleted: 2,
      'not ready for a while': 3,
      'declared ineligible': 1,
    },
  },
  Observe: {
    breathMillis: 5_000,
    weights: {
      'steps down': 4,
      crashes: 4,
      'paused past its Lease': 1,
      'cut off past its Lease': 1,
      'pod deleted': 2,
      'pod deleted by force while it runs': 1,
    },
  },
} as const satisfies Readonly<Record<string, { breathMillis: number; weights: Readonly<Record<string, number>> }>>

export type Mode = keyof typeof ENDINGS
export type AssignEnding = keyof (typeof ENDINGS)['Assign']['weights']
export type ObserveEnding = keyof (typeof ENDINGS)['Observe']['weights']
export type Ending = AssignEnding | ObserveEnding
