import { strict as assert } from 'node:assert'
import { Api } from '../kube/api.ts'
import { ConfigMaps, Leases } from '../kube/objects.ts'
import { acquired, KEY, leadOn, Stage } from '../sim/election-stage.ts'
import { annotationLock } from './annotation-lock.ts'
import { configMapLock } from './configmap-lock.ts'
import { expectWritten, leaseRecord } from './contract.ts'
import { ElectionError } from './errors.ts'
import { formatLeader, LEADER_ANNOTATION, parseLeader } from './leader-annotation.ts'
import type { Lock } from './lock.ts'

const never = new AbortController().signal

describe('annotation lock', () => {
  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => assert.deepEqual([...stage.storms], []))

  const configMap = (api: Api): Lock =>
    configMapLock(api, { ...KEY, labels: { app: 'db' }, clock: stage.clock, random: () => 0.5 })
  const onOther = (api: Api): Lock =>
    annotationLock(api, {
      object: { ...ConfigMaps, ...KEY },
      annotation: 'example.com/lock~1',
      clock: stage.clock,
      random: () => 0.5,
    })
  const candidate = (identity: string, open = configMap) => stage.candidate(identity, {}, open)
  const stored = async () => {
    const outcome = await stage.admin.get(ConfigMaps, KEY)
    assert(outcome.kind === 'ok')
    return outcome.object
  }
  const holder = async (annotation = LEADER_ANNOTATION): Promise<string | undefined> =>
    parseLeader((await stored()).metadata.annotations?.[annotation] ?? '')?.holderIdentity
  const edit = async (annotations: Record<string, string | null>): Promise<void> => {
    assert.equal((await stage.admin.mergePatch(ConfigMaps, KEY, { metadata: { annotations } })).kind, 'ok')
  }

  it('leads by patches alone, one each retry period, and releases', async () => {
    const a = candidate('a')
    const term = await acquired(stage, a.elector)
    const { metadata } = await stored()
    assert.deepEqual([metadata.labels, term.token], [{ app: 'db' }, BigInt(metadata.resourceVersion)])
    a.requests.length = 0
    await stage.clock.advance(6_000)
    assert.deepEqual(a.requests, ['2000 PATCH', '4000 PATCH', '6000 PATCH'])
    await Promise.all([term[Symbol.asyncDispose](), stage.clock.settle()])
    assert.deepEqual(
      [
        await holder(),
        parseLeader((await stored()).metadata.annotations?.[LEADER_ANNOTATION] ?? '')?.leaseDurationSeconds,
      ],
      ['', 1],
    )
  })

  it('bears any number of foreign edits: no term ends, nobody waits longer, and it costs no request', async () => {
    const a = candidate('a')
    const { ends } = leadOn(a)
    const b = candidate('b')
    await stage.clock.advance(500)
    const { terms } = leadOn(b)
    a.requests.length = 0
    for (let second = 1; second <= 8; second++) {
      await stage.clock.advance(995)
      await edit({ count: `${second}` })
    }
    assert.deepEqual([ends, a.requests.length], [[], 4])
    a.fate = () => 'hang'
    for (let second = 1; second <= 15; second++) {
      await stage.clock.advance(900)
      await edit({ count: `${second}` })
    }
    assert.deepEqual([ends, terms], [['deadline'], []])
    await stage.clock.advance(23_000 - stage.clock.now() - 1)
    assert.equal(terms.length, 0)
    await stage.clock.advance(1)
    assert.deepEqual([terms[0]?.number, await holder()], [1, 'b'], 'a lease duration after the renewal at 8 s')
    assert.equal((await stored()).metadata.annotations?.['count'], '15')
  })

  for (const [what, text, reason, next] of [
    ['another holder', formatLeader(leaseRecord('x'), undefined), 'taken', 'x'],
    ['a release by a stranger', formatLeader(leaseRecord(''), undefined), 'changed', 'a'],
    ['its removal', null, 'changed', 'a'],
  ] as const) {
    it(`ends the term as soon as ${what} is seen, also while a request hangs`, async () => {
      const a = candidate('a')
      const { terms, ends } = leadOn(a)
      await stage.clock.advance(1_999)
      a.fate = ({ method }) => (method === 'PATCH' ? 'hang' : 'pass')
      await stage.clock.advance(10)
      await edit({ [LEADER_ANNOTATION]: text })
      await stage.clock.settle()
      assert.deepEqual([ends, a.elector.isLeader(), terms[0]?.isCurrent()], [[reason], false, false])
      a.fate = () => 'pass'
      await stage.clock.advance(8_000)
      assert.equal(await holder(), next)
    })
  }

  it('writes nothing on another object of the same name, though the same record stands there', async () => {
    const lock = configMap(stage.admin)
    const written = await lock.write(leaseRecord('a'), undefined, never)
    assert(written !== 'conflict')
    const { metadata } = await stored()
    await stage.admin.delete(ConfigMaps, KEY)
    const { annotations, labels } = metadata
    const anew = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...KEY, annotations, labels } }
    assert.equal((await stage.admin.create(ConfigMaps, KEY.namespace, anew)).kind, 'ok')
    assert.equal(await lock.write(leaseRecord('a', { leaseTransitions: 2 }), written.version, never), 'conflict')
    assert.equal((await stored()).metadata.annotations?.[LEADER_ANNOTATION], annotations?.[LEADER_ANNOTATION])
  })

  it('recognises a patch whose answer was lost', async () => {
    const a = candidate('a')
    let muted = 0
    a.fate = ({ method }) => (method === 'PATCH' && muted++ === 0 ? 'mute' : 'pass')
    const { terms, ends } = leadOn(a)
    await stage.clock.advance(11_000)
    assert.deepEqual([terms.length, ends, a.elector.isLeader(), await holder()], [1, [], true, 'a'])
  })

  it('takes nonsense for nobody’s leadership, says so, and goes on when it is gone', async () => {
    const a = candidate('a')
    const { ends, terms } = leadOn(a)
    await stage.clock.advance(1_000)
    await edit({ [LEADER_ANNOTATION]: 'nonsense' })
    await stage.clock.advance(60_000)
    assert.deepEqual([ends, a.errors.map(({ code }) => code)], [['changed'], ['notOurs']])
    assert.match(a.errors[0]!.message, /ConfigMap default\/db: annotation .* is no record of a leader/)
    await edit({ [LEADER_ANNOTATION]: null })
    await stage.clock.settle()
    assert.deepEqual([terms.length, a.elector.isLeader()], [2, true])
  })

  it('waits for an object that is not its own, ends with it, and keeps to its annotation', async () => {
    const a = candidate('a', onOther)
    const { terms, ends } = leadOn(a)
    await stage.clock.advance(30_000)
    assert.deepEqual([terms, stage.server.history, a.errors.map(({ code }) => code)], [[], [], ['notOurs']])
    assert.match(a.errors[0]!.message, /annotation example\.com\/lock~1 of ConfigMap default\/db does not exist/)
    await stage.admin.create(ConfigMaps, KEY.namespace, { metadata: KEY, data: { a: '1' } })
    await stage.clock.settle()
    assert.deepEqual([terms.length, await holder('example.com/lock~1')], [1, 'a'])
    assert.deepEqual(((await stored()) as { data?: unknown }).data, { a: '1' })
    await stage.admin.delete(ConfigMaps, KEY)
    await stage.clock.advance(10_000)
    assert.deepEqual(
      [ends, a.elector.isLeader(), (await stage.admin.get(ConfigMaps, KEY)).kind],
      [['changed'], false, 'notFound'],
    )
  })

  it('refuses to create an object that is not its own, whoever asks', async () => {
    await assert.rejects(
      onOther(stage.admin).write(leaseRecord('a'), undefined, never),
      (error) => error instanceof ElectionError && error.code === 'notOurs',
    )
  })

  it('tells a patch that the server does not accept from a race that it lost', async () => {
    const lock = configMap(stage.admin)
    await lock.write(leaseRecord('a'), undefined, never)
    const found = await lock.read(never)
    assert(found !== 'absent')
    const transport = stage.server.transport({
      before: ({ method }) =>
        Promise.resolve(method === 'PATCH' ? { status: 422, headers: {}, body: (async function* () {})() } : undefined),
    })
    const refused = configMap(new Api(transport, stage.clock))
    await assert.rejects(
      refused.write(leaseRecord('b'), found.version, never),
      (error) => error instanceof ElectionError && error.code === 'invalid',
    )
  })

  it('keeps the newest of what it reads, though an older answer comes later', async () => {
    const transport = stage.server.transport()
    const held = Promise.withResolvers<void>()
    let reads = 0
    const send: typeof transport.send = async (request) => {
      const response = await transport.send(request)
      if (request.method === 'GET' && ++reads === 1) await held.promise
      return response
    }
    const lock = configMap(new Api({ send }, stage.clock))
    const other = configMap(stage.admin)
    const first = expectWritten(await other.write(leaseRecord('a'), undefined, never))
    const late = lock.read(never)
    await stage.clock.settle()
    const second = expectWritten(await other.write(leaseRecord('b'), first.version, never))
    assert.deepEqual(await lock.read(never), second)
    held.resolve()
    assert.deepEqual(await late, first)
    await edit({ by: 'hand' })
    assert.deepEqual(await lock.read(never), second)
  })

  it('starts over when an object that bears no record yet is edited before it is first written', async () => {
    await stage.admin.create(ConfigMaps, KEY.namespace, { metadata: KEY })
    const lock = configMap(stage.admin)
    const found = await lock.read(never)
    assert(found !== 'absent')
    await edit({ by: 'hand' })
    assert.equal(await lock.write(leaseRecord('a'), found.version, never), 'conflict')
    const again = await lock.read(never)
    assert(again !== 'absent')
    expectWritten(await lock.write(leaseRecord('a'), again.version, never))
  })

  it('is another lock than the Lease of its name', async () => {
    leadOn(candidate('a'))
    leadOn(stage.candidate('b'))
    await stage.clock.settle()
    assert.deepEqual([await holder(), await stage.holder()], ['a', 'b'])
    assert.equal((await stage.admin.get(Leases, KEY)).kind, 'ok')
  })
})
