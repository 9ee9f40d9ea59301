import { strict as assert } from 'node:assert'
import { assert as check, integer, property } from 'fast-check'
import { runs } from '../../sim/runs.ts'
import { deathProofs } from './death.ts'
import { pod as podNamed, watchedAt, type KnownContainers } from './follow-fixtures.ts'
import { releaseOf } from './release.ts'
import { sightOf, type FollowedLease, type LeaseRecord } from './silence.ts'

/*
 * One pod of one or two containers that crash and are restarted, one of which elects, on a node whose clock is off by
 * anything. Its kubelet reports late, leaves versions out, and sometimes invents an end. The pod's watch and the Lease's
 * are late each by its own. At no moment may a process be proved dead that is alive.
 */

interface Instance {
  readonly container: string
  readonly start: number
  readonly end: number
}

interface Write {
  readonly writer: Instance
  readonly at: number
  readonly renewTime: string
  readonly version: number
}

interface Arrival {
  readonly at: number
  readonly write?: Write
  readonly pod?: { readonly spec: object; readonly status: object }
}

const LENGTH_MILLIS = 30_000
const NODE_EPOCH = Date.UTC(2026, 0, 1, 12, 0, 0)

/** What came true in all runs: a safety that is never put to the test says nothing. */
const seen = { restarted: 0, standstill: 0, sameSecond: 0, released: 0, beaten: 0, restartedAlive: 0 }

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function run(seed: number): void {
  const random = mulberry32(seed)
  const between = (low: number, high: number): number => low + random() * (high - low)
  const clock = between(-1e9, 1e9)
  const stamp = (at: number): string => new Date(NODE_EPOCH + clock + at).toISOString()
  const wholeStamp = (at: number): string => `${stamp(at).slice(0, 19)}Z`

  const names = random() < 0.5 ? ['app'] : ['app', 'log']
  const instances = names.flatMap((container) => lives(container, between))
  const isAlive = (instance: Instance, at: number): boolean => instance.start <= at && at < instance.end
  const writes = writesOf(
    instances.filter(({ container }) => container === 'app'),
    between,
    stamp,
  )
  const arrivals = [...leaseArrivals(writes, between), ...podArrivals()].toSorted((a, b) => a.at - b.at)

  let tick = 0
  let lease: FollowedLease | undefined
  let known: KnownContainers | undefined
  for (const arrival of arrivals) {
    tick++
    if (arrival.pod) known = watchedAt(tick, known, arrival.pod)
    if (arrival.write) lease = received(lease, arrival.write, tick, arrival.at)
    if (lease && known) judge(lease, known, arrival.at)
  }

  function judge(current: FollowedLease, pod: KnownContainers, now: number): void {
    const { writer } = writes.find(({ version }) => String(version) === current.resourceVersion)!
    const proofs = deathProofs({ ...pod, outOfService: undefined }, current)
    for (const { by } of proofs) {
      if (by === 'outOfService') continue
      seen[by]++
      const renewedInSecondOfEnd = by === 'standstill' && !proofs.some((proof) => proof.by === 'restarted')
      if (renewedInSecondOfEnd) seen.sameSecond++
      if (instances.some((each) => each.container === 'app' && isAlive(each, now))) seen.restartedAlive++
      // What a standstill leaves open: see DeathProof.
      const mayHaveRenewedAtOnce =
        renewedInSecondOfEnd && wholeStamp(writer.start) === current.renewTime!.slice(0, 19) + 'Z'
      assert.ok(!isAlive(writer, now) || mayHaveRenewedAtOnce, `seed ${seed}: ${by} at ${now}`)
    }
    const release = releaseOf(current, { pod: podNamed('p', { startTime: undefined }), by: 'name' }, proofs)
    if (!release) return
    const stored = writes.findLast(({ at }) => at <= now)!
    if (String(stored.version) !== release.resourceVersion) {
      seen.beaten++
      return
    }
    seen.released++
    assert.ok(!isAlive(stored.writer, now), `seed ${seed}: released under a living leader at ${now}`)
  }

  /** The kubelet looks every second, and whenever it likes; what it saw is sent a little later, in order. */
  function podArrivals(): readonly Arrival[] {
    const found: Arrival[] = []
    let last = 0
    for (let looked = between(0, 1000); looked < LENGTH_MILLIS; looked += between(30, 1000)) {
      const containerStatuses = names.map((name) => statusOf(name, looked))
      last = Math.max(last, looked) + lateness(between)
      if (random() < 0.8)
        found.push({
          at: last,
          pod: { spec: { containers: names.map((name) => ({ name })) }, status: { containerStatuses } },
        })
    }
    return found
  }

  function statusOf(name: string, looked: number): object {
    const mine = instances.filter(({ container, start }) => container === name && start <= looked)
    const [before, latest] = [mine.at(-2), mine.at(-1)]
    const terminated = (instance: Instance | undefined): object =>
      instance ? { terminated: { exitCode: 1, reason: 'Error', finishedAt: wholeStamp(instance.end) } } : {}
    if (random() < 0.03) {
      return {
        name,
        state: { terminated: { reason: 'ContainerStatusUnknown', finishedAt: wholeStamp(looked) } },
        lastState: terminated(before),
      }
    }
    if (!latest) return { name, state: { waiting: { reason: 'ContainerCreating' } } }
    if (latest.end > looked)
      return { name, state: { running: { startedAt: wholeStamp(latest.start) } }, lastState: terminated(before) }
    const isBackOff = random() < 0.5
    return isBackOff
      ? { name, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: terminated(latest) }
      : { name, state: terminated(latest), lastState: terminated(before) }
  }
}

type Between = (low: number, high: number) => number

/** Mostly nothing, sometimes seconds. */
function lateness(between: Between): number {
  return between(0, 1) < 0.9 ? between(0, 20) : between(0, 4000)
}

function lives(container: string, between: Between): readonly Instance[] {
  const found: Instance[] = []
  for (let start = between(0, 2000); start < LENGTH_MILLIS;) {
    const end = start + (between(0, 1) < 0.4 ? between(50, 1500) : between(1500, 12_000))
    found.push({ container, start, end })
    start = end + between(60, between(0, 1) < 0.5 ? 200 : 3000)
  }
  return found
}

/** Each instance renews under the same identity; the stamp is taken before the request, and the write may come after its death. */
function writesOf(instances: readonly Instance[], between: Between, stamp: (at: number) => string): readonly Write[] {
  const found: Omit<Write, 'version'>[] = []
  for (const writer of instances) {
    for (let now = writer.start + between(0, 800); now < writer.end; now += between(100, 2000)) {
      const at = now + between(1, between(0, 1) < 0.9 ? 10 : 400)
      found.push({ writer, at, renewTime: stamp(now).replace('Z', '000Z') })
    }
  }
  return found.toSorted((a, b) => a.at - b.at).map((write, index) => ({ ...write, version: index + 1 }))
}

function leaseArrivals(writes: readonly Write[], between: Between): readonly Arrival[] {
  let last = 0
  return writes.map((write) => {
    last = Math.max(last, write.at) + lateness(between)
    return { at: last, write }
  })
}

function received(before: FollowedLease | undefined, write: Write, tick: number, millis: number): FollowedLease {
  const record: LeaseRecord & { uid: string } = {
    uid: 'lease-1',
    holderIdentity: 'p',
    leaseDurationSeconds: 15,
    renewTime: write.renewTime,
  }
  return {
    ...record,
    name: 'db',
    resourceVersion: String(write.version),
    seenAt: tick,
    sight: sightOf(before, record, { tick, millis }),
    readMillis: undefined,
  }
}

describe('proof of death, under a kubelet and two watches that lag', () => {
  it('is never wrong', function () {
    this.timeout(60_000)
    check(property(integer(), run), runs(300))
    for (const [what, times] of Object.entries(seen)) assert.ok(times > 20, `${what} came true ${times} times only`)
  })
})
