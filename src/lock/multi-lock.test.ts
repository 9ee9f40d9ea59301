import { strict as assert } from 'node:assert'
import { UNKNOWN_HOLDER } from '../election/joint-record.ts'
import type { LeaseRecord, Versioned } from '../election/record.ts'
import type { Api } from '../kube/api.ts'
import { ConfigMaps, Leases } from '../kube/objects.ts'
import type { TransportRequest } from '../kube/transport.ts'
import { acquired, KEY, leadOn, Stage, type Fate } from '../sim/election-stage.ts'
import { configMapLock } from './configmap-lock.ts'
import { expectWritten, leaseRecord } from './contract.ts'
import { formatLeader, LEADER_ANNOTATION, parseLeader } from './leader-annotation.ts'
import { leaseLock } from './lease-lock.ts'
import type { Lock } from './lock.ts'
import { multiLock } from './multi-lock.ts'

const never = new AbortController().signal
const isWatch = ({ path }: TransportRequest): boolean => path.includes('watch=true')
const ofLease = ({ path }: TransportRequest): boolean => path.includes('/leases')
const isWrite = ({ method }: TransportRequest): boolean => method !== 'GET'

describe('multi lock', () => {
  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => assert.deepEqual([...stage.storms], []))

  const options = () => ({ ...KEY, clock: stage.clock, random: () => 0.5 })
  const old = (api: Api): Lock => configMapLock(api, options())
  const both = (api: Api): Lock => multiLock(old(api), leaseLock(api, options()))
  const candidate = (identity: string, open = both) => stage.candidate(identity, {}, open)
  const primary = async (): Promise<LeaseRecord | undefined> => {
    const outcome = await stage.admin.get(ConfigMaps, KEY)
    if (outcome.kind === 'notFound') return undefined
    assert(outcome.kind === 'ok')
    return parseLeader(outcome.object.metadata.annotations?.[LEADER_ANNOTATION] ?? '')
  }
  const holders = async () => [(await primary())?.holderIdentity, await stage.holder()]

  it('writes the primary first, both with one record; the second write gives the token', async () => {
    const a = candidate('a')
    const term = await acquired(stage, a.elector)
    const { metadata, spec } = await stage.lease()
    const { leaseTransitions, ...record } = (await primary())!
    assert.deepEqual({ ...record, leaseTransitions }, spec)
    assert.equal(term.token, BigInt(metadata.resourceVersion))
    a.requests.length = 0
    await stage.clock.advance(4_000)
    assert.deepEqual(a.requests, ['2000 PATCH', '2000 PUT', '4000 PATCH', '4000 PUT'], 'and no request more')
    await Promise.all([term[Symbol.asyncDispose](), stage.clock.settle()])
    assert.deepEqual(await holders(), ['', ''])
  })

  it('is followed without a request, and taken over at once when it is released', async () => {
    const a = candidate('a')
    const b = candidate('b')
    const term = await acquired(stage, a.elector)
    const { terms } = leadOn(b)
    await stage.clock.advance(10)
    b.requests.length = 0
    await stage.clock.advance(60_000)
    assert.deepEqual(b.requests, [])
    await Promise.all([term[Symbol.asyncDispose](), stage.clock.settle()])
    assert.deepEqual([terms[0]?.number, await holders()], [1, ['b', 'b']])
  })

  it('is taken over from a crashed leader exactly a lease duration after its last renewal', async () => {
    const a = candidate('a')
    leadOn(a)
    await stage.clock.advance(500)
    const { terms } = leadOn(candidate('b'))
    await stage.clock.advance(4_000)
    a.fate = () => 'hang'
    await stage.clock.advance(4_000 + 15_000 - 4_500 - 1)
    assert.equal(terms.length, 0)
    await stage.clock.advance(1)
    assert.deepEqual([terms[0]?.number, await holders()], [1, ['b', 'b']])
  })

  for (const purpose of ['acquisition', 'renewal'] as const) {
    for (const side of ['primary', 'secondary'] as const) {
      for (const fate of ['mute', 'hang'] as const) {
        it(`goes on when the ${side}'s part of the ${purpose} is ${fate === 'mute' ? 'not answered' : 'lost'}`, async () => {
          for (const hasWatch of [true, false]) {
            stage = new Stage()
            await stage.admin.create(ConfigMaps, KEY.namespace, { metadata: { name: KEY.name } })
            await stage.admin.create(Leases, KEY.namespace, { metadata: { name: KEY.name } })
            const a = candidate('a')
            let writes = 0
            a.fate = (request): Fate => {
              if (isWatch(request) && !hasWatch) return 'hang'
              const isHit = isWrite(request) && ofLease(request) === (side === 'secondary')
              return isHit && ++writes === (purpose === 'acquisition' ? 1 : 2) ? fate : 'pass'
            }
            const { terms, ends } = leadOn(a)
            await stage.clock.advance(12_000)
            const what = `${hasWatch ? 'with' : 'without'} watch`
            assert.deepEqual([terms.map(({ number }) => number), ends], [[1], []], what)
            assert.deepEqual([a.elector.isLeader(), await holders()], [true, ['a', 'a']], what)
          }
        })
      }
    }
  }

  it('counts a renewal when both are renewed: with one of them cut off the term ends at its deadline', async () => {
    for (const isLost of [ofLease, (request: TransportRequest) => !ofLease(request)]) {
      stage = new Stage()
      const a = candidate('a')
      const { ends } = leadOn(a)
      await stage.clock.advance(2_500)
      a.fate = (request) => (isWrite(request) && isLost(request) ? 'hang' : 'pass')
      await stage.clock.advance(9_499)
      assert.deepEqual(ends, [])
      await stage.clock.advance(1)
      assert.deepEqual(ends, ['deadline'])
    }
  })

  it('waits for a holder of the primary whom nobody has named on the secondary, and joins the two after it', async () => {
    const first = candidate('old', old)
    const term = await acquired(stage, first.elector)
    const b = candidate('b')
    const { terms } = leadOn(b)
    await stage.clock.advance(30_000)
    assert.deepEqual([terms, b.leaders], [[], ['old']])
    await Promise.all([term[Symbol.asyncDispose](), stage.clock.settle()])
    assert.deepEqual([terms[0]?.number, await holders()], [1, ['b', 'b']])
  })

  it('takes two holders for an unknown one, and outwaits both', async () => {
    const a = candidate('a')
    const { ends, terms } = leadOn(a)
    await stage.clock.advance(1_000)
    await stage.edit((lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: 'x', leaseDurationSeconds: 20 } }))
    await stage.clock.settle()
    assert.deepEqual([ends, a.elector.observed()?.holder], [['taken'], UNKNOWN_HOLDER])
    await stage.clock.advance(19_999)
    assert.deepEqual([terms.length, await holders()], [1, ['a', 'x']])
    await stage.clock.advance(1)
    assert.deepEqual([terms[1]?.number, await holders()], [1, ['a', 'a']])
  })

  for (const [what, resource] of [
    ['primary', ConfigMaps],
    ['secondary', Leases],
  ] as const) {
    it(`ends the term when the ${what} is deleted, and makes it anew`, async () => {
      const a = candidate('a')
      const { ends, terms } = leadOn(a)
      await stage.clock.advance(1_000)
      assert.equal((await stage.admin.delete(resource, KEY)).kind, 'ok')
      await stage.clock.settle()
      assert.deepEqual([ends, terms.map(({ number }) => number)], [['changed'], [0, 1]])
      assert(terms[1]!.token > terms[0]!.token)
      assert.deepEqual(await holders(), ['a', 'a'])
    })
  }

  it('never takes what another has taken of the secondary meanwhile, as client-go does', async () => {
    const lock = both(stage.admin)
    const written = expectWritten(await lock.write(leaseRecord('a'), undefined, never))
    const lease = leaseLock(stage.admin, options())
    const seen = await lease.read(never)
    assert(seen !== 'absent')
    expectWritten(await lease.write(leaseRecord('x'), seen.version, never))
    assert.equal(await lock.write(leaseRecord('b'), written.version, never), 'conflict')
    assert.deepEqual(await holders(), ['b', 'x'])
    const found = await lock.read(never)
    assert(found !== 'absent')
    assert.equal(found.record.holderIdentity, UNKNOWN_HOLDER)
  })

  for (const [phase, solo] of [
    ['before the migration: some know the primary alone', old],
    ['after it: some know the secondary alone', (api: Api) => leaseLock(api, options())],
  ] as const) {
    it(`has one leader at a time ${phase}`, async () => {
      const all = [candidate('m-0'), candidate('m-1'), candidate('s-0', solo), candidate('s-1', solo)]
      const logs = all.map((each) => leadOn(each))
      let random = 7
      const draw = (below: number): number => (random = (random * 48_271) % 2_147_483_647) % below
      for (let step = 0; step < 3_000; step++) {
        await stage.clock.advance(50 + draw(100))
        const leading = all.filter(({ elector }) => elector.isLeader())
        assert(leading.length <= 1, `${leading.length} lead at ${stage.clock.now()}`)
        const hit = all[draw(all.length)]!
        const [fates, chance] = [['pass', 'pass', 'pass', 'hang', 'mute'] as const, draw(60)]
        if (chance === 0) void leading[0]?.elector.stepDown()
        if (chance === 1) hit.fate = (request) => (isWatch(request) ? 'pass' : fates[draw(fates.length)]!)
        if (chance === 2) for (const each of all) each.fate = () => 'pass'
      }
      const tokens = logs.map(({ terms }) => terms.length)
      assert(Math.min(...tokens) > 0, `all have led: ${tokens.join()}`)
      const inOrder = logs.flatMap(({ terms }) => terms).map(({ token }) => token)
      assert.equal(new Set(inOrder).size, inOrder.length)
    })
  }

  it('refuses two locks whose versions are not counted together, in whichever of the two comes first', async () => {
    for (const [one, other] of [
      [1, 1_000],
      [1_000, 1],
    ] as const) {
      const lock = multiLock(counted(one), counted(other))
      const write = async (renewTime: string): Promise<Versioned | 'conflict'> => {
        const found = await lock.read(never)
        return lock.write(leaseRecord('a', { renewTime }), found === 'absent' ? undefined : found.version, never)
      }
      await assert.rejects(async () => {
        await write('1')
        await write('2')
      }, /not of one etcd/)
      const found = await lock.read(never)
      assert(found !== 'absent')
      assert.match(found.refused ?? '', /not of one etcd/)
    }
  })

  it('cannot be made of a lock with a coordinator, and watches only if both do', () => {
    const plain = counted(1)
    assert.throws(() => multiLock(plain, { ...plain, rules: { coordinated: true } }), TypeError)
    assert(multiLock(plain, both(stage.admin)).watch === undefined)
    assert.deepEqual(multiLock(plain, { ...plain, rules: { mayCreate: false } }).rules, { mayCreate: false })
  })

  it('refuses what either refuses', async () => {
    expectWritten(await both(stage.admin).write(leaseRecord('a'), undefined, never))
    await stage.admin.mergePatch(ConfigMaps, KEY, { metadata: { annotations: { [LEADER_ANNOTATION]: 'nonsense' } } })
    for (const lock of [both(stage.admin), multiLock(leaseLock(stage.admin, options()), old(stage.admin))]) {
      const found = await lock.read(never)
      assert(found !== 'absent')
      assert.match(found.refused ?? '', /no record of a leader/)
    }
  })

  it('reads a record that another client wrote to both, in the times of each', async () => {
    const [acquireTime, renewTime] = ['2026-11-21T05:17:25Z', '2026-11-21T05:17:27Z']
    const annotations = { [LEADER_ANNOTATION]: formatLeader(leaseRecord('go', { acquireTime, renewTime }), undefined) }
    await stage.admin.create(ConfigMaps, KEY.namespace, { metadata: { name: KEY.name, annotations } })
    await leaseLock(stage.admin, options()).write(leaseRecord('go'), undefined, never)
    const found = await both(stage.admin).read(never)
    assert(found !== 'absent')
    assert.deepEqual(found.record, leaseRecord('go'))
  })
})

describe('multi lock, whose two tell things out of order', () => {
  const b1 = leaseRecord('a', { renewTime: '1' })
  const b2 = leaseRecord('a', { renewTime: '2' })
  let counter: number
  let primary: ToldLock
  let secondary: ToldLock
  let lock: Lock
  let told: (Versioned | 'absent')[]
  let leave: AbortController
  let watching: Promise<void>
  beforeEach(() => {
    counter = 0
    const next = (): string => String(++counter)
    primary = new ToldLock('primary', next)
    secondary = new ToldLock('secondary', next)
    lock = multiLock(primary, secondary)
    told = []
    leave = new AbortController()
    watching = (async () => {
      for await (const found of lock.watch!(leave.signal)) told.push(found)
    })()
  })
  afterEach(async () => {
    leave.abort()
    await watching
  })

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const write = async (record: LeaseRecord): Promise<Versioned | 'conflict'> => {
    const found = await lock.read(never)
    return lock.write(record, found === 'absent' ? undefined : found.version, never)
  }

  it('is no success when one of them was taken while the other was written', async () => {
    await write(b1)
    secondary.beforeAnswer = async () => {
      primary.put(leaseRecord('x'))
      await turn()
    }
    assert.equal(await write(b2), 'conflict')
  })

  it('tells of another who takes the second while a write of it hangs', async () => {
    const { version } = expectWritten(await write(b1))
    secondary.beforeEffect = async () => {
      secondary.put(leaseRecord('x'))
      await turn()
      const last = told.at(-1)
      assert(last !== undefined && last !== 'absent')
      assert.equal(last.record.holderIdentity, UNKNOWN_HOLDER)
    }
    assert.equal(await lock.write(b2, version, never), 'conflict')
  })

  it('tells nothing of what it writes between the two', async () => {
    primary.beforeAnswer = turn
    const written = expectWritten(await write(b1))
    await turn()
    assert(told.length > 0)
    for (const found of told) assert.deepEqual(found, written)
  })

  it('does not believe a deletion that is older than what it knows', async () => {
    const written = expectWritten(await write(b1))
    primary.tell('absent')
    await turn()
    assert.deepEqual(told.at(-1), written)
    assert.deepEqual(await lock.read(never), written)
  })

  it('does not go back to an older record, nor to that of an object that is gone', async () => {
    const first = expectWritten(await write(b1))
    const old = primary.stored!
    const second = expectWritten(await write(b2))
    primary.tell(old)
    await turn()
    assert.deepEqual([told.at(-1), BigInt(second.version) > BigInt(first.version)], [second, true])
    const last = primary.stored!
    primary.stored = undefined
    const alone = await lock.read(never)
    primary.tell(last)
    await turn()
    assert.deepEqual(told.at(-1), alone)
    assert(alone !== 'absent' && alone.record.acquireTime === undefined)
  })

  it('does not take for absent what a watch has told of since the read began', async () => {
    primary.beforeAnswer = async () => {
      primary.beforeAnswer = undefined
      primary.put(b1)
      await turn()
    }
    const found = await lock.read(never)
    assert(found !== 'absent')
    assert.equal(found.record.holderIdentity, 'a')
  })

  it('goes on with the second of two writes where the first is done', async () => {
    leave.abort()
    await watching
    const { version } = expectWritten(await write(b1))
    secondary.isCut = true
    await assert.rejects(lock.write(b2, version, never), /cut/)
    secondary.isCut = false
    const b3 = leaseRecord('a', { renewTime: '3' })
    assert.deepEqual(expectWritten(await lock.write(b3, version, never)).record, b3)
  })

  it('is not absent any more once the first is created, and the second not', async () => {
    secondary.isCut = true
    await assert.rejects(write(b1), /cut/)
    secondary.isCut = false
    const found = await lock.read(never)
    assert(found !== 'absent')
    assert.deepEqual([found.record.holderIdentity, found.record.acquireTime], ['a', undefined])
    expectWritten(await lock.write(b2, found.version, never))
  })
})

/** A lock in memory whose watch says what it is told. */
class ToldLock implements Lock {
  readonly describe: string
  stored: Versioned | undefined
  /** No write arrives. */
  isCut = false
  /** While a write is on its way. */
  beforeEffect: (() => Promise<void>) | undefined
  /** After a request took effect, before its answer. */
  beforeAnswer: (() => Promise<void>) | undefined
  readonly #next: () => string
  readonly #told: (Versioned | 'absent')[] = []
  #wake: () => void = () => undefined

  constructor(describe: string, next: () => string) {
    this.describe = describe
    this.#next = next
  }

  async read(): Promise<Versioned | 'absent'> {
    const found = this.stored ?? 'absent'
    await this.beforeAnswer?.()
    return found
  }

  async write(record: LeaseRecord, version: string | undefined): Promise<Versioned | 'conflict'> {
    if (this.isCut) throw new Error('cut')
    await this.beforeEffect?.()
    if (version !== this.stored?.version) return 'conflict'
    const written = this.put(record)
    await this.beforeAnswer?.()
    return written
  }

  put(record: LeaseRecord): Versioned {
    this.stored = { record, version: this.#next() }
    this.tell(this.stored)
    return this.stored
  }

  tell(found: Versioned | 'absent'): void {
    this.#told.push(found)
    this.#wake()
  }

  async *watch(signal: AbortSignal): AsyncGenerator<Versioned | 'absent', void, void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    while (!signal.aborted) {
      const found = this.#told.shift()
      if (found !== undefined) yield found
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

/** A lock in memory with a counter of its own. */
function counted(from: number): Lock {
  let stored: Versioned | undefined
  let counter = from
  return {
    describe: `lock from ${from}`,
    read: () => Promise.resolve(stored ?? 'absent'),
    write(record, version) {
      if (version !== stored?.version) return Promise.resolve('conflict')
      stored = { record, version: String(counter++) }
      return Promise.resolve(stored)
    },
  }
}
