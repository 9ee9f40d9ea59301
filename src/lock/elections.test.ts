import { strict as assert } from 'node:assert'
import type { Api } from '../kube/api.ts'
import { acquired, KEY, leadOn, Stage } from '../sim/election-stage.ts'
import { LOCK_KINDS, type LockKind } from './contract.ts'

/** What holds for an election whatever it is held on. */
for (const kind of LOCK_KINDS) {
  describe(`election on a ${kind.name}`, () => {
    let stage: Stage
    beforeEach(async () => {
      stage = new Stage()
      await prepare(stage, kind)
    })
    afterEach(() => assert.deepEqual([...stage.storms], []))

    const candidate = (identity: string) =>
      stage.candidate(identity, {}, (api: Api) => kind.open(api, { ...KEY, clock: stage.clock, random: () => 0.5 }))

    it('hands over at once when it is released; terms and tokens grow', async () => {
      const [a, b] = [candidate('a'), candidate('b')]
      const term = await acquired(stage, a.elector)
      const { terms } = leadOn(b)
      await stage.clock.advance(30_000)
      assert.deepEqual([term.isCurrent(), terms.length], [true, 0])
      await Promise.all([term[Symbol.asyncDispose](), stage.clock.settle()])
      assert.deepEqual([b.elector.isLeader(), terms[0]?.number], [true, term.number + 1])
      assert(terms[0]!.token > term.token)
    })

    it('is taken over exactly a lease duration after the last renewal of a crashed leader', async () => {
      const [a, b] = [candidate('a'), candidate('b')]
      const { terms: before } = leadOn(a)
      await stage.clock.advance(500)
      const { terms } = leadOn(b)
      await stage.clock.advance(4_000)
      a.fate = () => 'hang'
      await stage.clock.advance(14_499)
      assert.deepEqual([a.elector.isLeader(), terms.length], [false, 0])
      await stage.clock.advance(1)
      assert.deepEqual([terms.length, b.elector.isLeader()], [1, true])
      assert(terms[0]!.token > before[0]!.token)
    })

    it('ends at the deadline when every request hangs, and goes on under a new number', async () => {
      const a = candidate('a')
      const { terms, ends } = leadOn(a)
      await stage.clock.advance(3_000)
      a.fate = () => 'hang'
      await stage.clock.advance(8_999)
      assert.deepEqual(ends, [])
      await stage.clock.advance(1)
      assert.deepEqual([ends, terms[0]?.isCurrent()], [['deadline'], false])
      a.fate = () => 'pass'
      await stage.clock.advance(20_000)
      assert.deepEqual([terms.length, a.elector.isLeader()], [2, true])
      assert(terms[1]!.number > terms[0]!.number && terms[1]!.token > terms[0]!.token)
    })

    it('works without a watch, by looking now and then', async () => {
      const [a, b] = [candidate('a'), candidate('b')]
      for (const each of [a, b]) each.fate = ({ path }) => (path.includes('watch=true') ? 'hang' : 'pass')
      const term = await acquired(stage, a.elector)
      const { terms } = leadOn(b)
      await stage.clock.advance(30_000)
      assert.deepEqual([term.isCurrent(), terms.length], [true, 0])
      await Promise.all([term[Symbol.asyncDispose](), stage.clock.advance(5_000)])
      assert.equal(b.elector.isLeader(), true)
    })
  })
}

async function prepare(stage: Stage, { body, objects }: LockKind): Promise<void> {
  if (!body) return
  const outcome = await stage.admin.create(objects[0]!, KEY.namespace, { metadata: { name: KEY.name }, ...body })
  assert.equal(outcome.kind, 'ok')
}
