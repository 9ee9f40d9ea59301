import { OVERTAKEN } from './coverage.ts'
import { STATES } from './state.ts'

const OPERATOR = [
  'kill',
  'stop',
  'pause',
  'suspend',
  'killAfterWrite',
  'stepWall',
  'silence',
  'cut',
  'cut with an error',
]
const CANDIDATE = ['pause', 'suspend', 'stepWall', 'silence', 'cut', 'cut with an error']
const EFFECTS = ['lose', 'mute', 'reset', 'refuse', 'twice', 'late', 'slow'].concat(
  [401, 403, 429, 500, 503, 504].map((status) => `answer ${status}`),
)
const ENDS = ['unready', 'delete', 'force', 'crash', 'fail', 'succeed', 'node']
const SERVERS = ['a server down', 'all servers down', 'a server stands still'].concat([
  ...['pods', 'leases', 'leadergroups'].map((type) => `the watch cache of ${type} stands still`),
  'compaction told by event',
  'compaction told by status',
])
const HANDS = ['label', 'unlabel', 'unstamp', 'forgeTerm', 'wipeStatus', 'deselect', 'regroup', 'followers'].concat([
  'deleteLease',
  'takeLease',
  'slices',
  'hostileGroup',
])
const HANDS_ON_ASSIGNED = ['spoilMark', 'copyLease', 'pauseGroup']
const STRANGERS = ['pods', 'lease', 'group']

const FAULTS: readonly string[] = [
  ...[...OPERATOR, ...EFFECTS].map((name) => `operator ${name}`),
  ...ENDS.map((name) => `leader ${name}`),
  ...SERVERS,
  ...HANDS.map((name) => `hand ${name}`),
  ...STRANGERS.map((name) => `strangers write ${name}`),
]
const ASSIGNED = [
  'leader ineligible',
  'every pod ineligible',
  'every pod unready',
  'every pod force',
  ...HANDS_ON_ASSIGNED.map((name) => `hand ${name}`),
]
const OBSERVED = [
  'leader giveWay',
  'every pod giveWay',
  'every pod delete',
  'hand garbageLease',
  ...[...CANDIDATE, ...EFFECTS].map((name) => `candidate ${name}`),
]

/** Nothing strikes a leader of a group that has none, and hardly ever do all pods end while nobody leads. */
function pairs(mode: string, faults: readonly string[]): readonly string[] {
  return faults.flatMap((fault) =>
    STATES.filter((state) => state !== 'leaderless' || !/^(leader|every pod) /.test(fault)).map(
      (state) => `${fault} × ${mode}, ${state}`,
    ),
  )
}

/** Branches of the group's `decide`: what it can want done. */
const ACTS = [
  'act create the Lease',
  'act delete the Lease',
  'act name … in the Lease for term N',
  'act name … in status for term N',
  'act name nobody in status after term N',
  'act empty the holder of Lease …',
  'act seal pod …',
  'act enrol pod …',
  'act label pod …',
  'act follow pod …',
  'act strip pod …',
  'act write status',
  'act create Service …',
  'act write EndpointSlice …',
  'act delete EndpointSlice …',
]

/** Branches of the election's `decide`, and how a term ends. */
const ELECTION = [
  ...['create', 'renew', 'release', 'acquire free', 'acquire expired'].map((what) => `election ${what}`),
  ...['deadline', 'taken', 'changed', 'suspended', 'stepDown', 'aborted'].map((reason) => `term ends: ${reason}`),
]

const CONDITIONS = [
  'LeaderElected',
  'NoPods',
  'NoEligiblePod',
  'Paused',
  'LeaseExpired',
  'HolderUnknown',
  'Forbidden',
].map((reason) => `condition ${reason}`)

/** What a run of many seeds has to reach: else it is no proof about it. */
export const DECLARED: readonly string[] = [
  ...pairs('Assign', [...FAULTS, ...ASSIGNED]),
  ...pairs('Observe', [...FAULTS, ...OBSERVED]),
  ...ACTS,
  ...ELECTION,
  ...CONDITIONS,
  OVERTAKEN,
  'another build acts',
]
