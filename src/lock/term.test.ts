import { strict as assert } from 'node:assert'
import { acquired, Stage, untilAborted } from '../sim/election-stage.ts'
import type { Term } from './term.ts'

describe('term', () => {
  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => assert.deepEqual([...stage.storms], []))

  describe('release', () => {
    it('waits for the work, then leaves what client-go leaves', async () => {
      const a = stage.candidate('a')
      const abort = new AbortController()
      let finish: () => void = assert.fail
      let term: Term | undefined
      const work = (current: Term): Promise<void> => {
        term = current
        return new Promise((resolve) => (finish = resolve))
      }
      const led = a.elector.lead(work, { signal: abort.signal })
      await stage.clock.advance(1_000)
      abort.abort()
      await stage.clock.advance(5_000)
      assert.deepEqual([term?.signal.aborted, term?.isCurrent(), a.elector.isLeader()], [true, true, false])
      assert.deepEqual([stage.writes('a'), await stage.holder()], [[0], 'a'])
      finish()
      await stage.clock.settle()
      assert.deepEqual([await led, term?.isCurrent()], [undefined, false])
      const { spec } = await stage.lease()
      assert.deepEqual(
        { ...spec, acquireTime: spec?.acquireTime?.slice(0, 19), renewTime: spec?.renewTime?.slice(0, 19) },
        {
          holderIdentity: '',
          leaseDurationSeconds: 1,
          acquireTime: '2026-01-01T00:00:06',
          renewTime: '2026-01-01T00:00:06',
          leaseTransitions: 0,
        },
      )
      assert.equal(stage.clock.nextTimerAt(), undefined)
    })

    it('is tried again when only metadata is in its way, with the metadata kept', async () => {
      const a = stage.candidate('a')
      await using term = await acquired(stage, a.elector)
      let edits = 0
      stage.beforeWrite = async () => {
        assert.equal(term.isCurrent(), false, 'nothing is led any more when the release leaves')
        if (edits++ < 3)
          await stage.edit((lease) => ({
            ...lease,
            metadata: { ...lease.metadata, annotations: { edits: `${edits}` } },
          }))
      }
      await Promise.all([term[Symbol.asyncDispose](), stage.clock.advance(1_000)])
      const { metadata, spec } = await stage.lease()
      assert.deepEqual([spec?.holderIdentity, metadata.annotations, a.errors], ['', { edits: '3' }, []])
    })

    it('leaves a Lease alone that somebody else has taken meanwhile', async () => {
      const a = stage.candidate('a')
      await using term = await acquired(stage, a.elector)
      let edits = 0
      stage.beforeWrite = async () => {
        if (edits++ === 0) await stage.edit((lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: 'x' } }))
      }
      await Promise.all([term[Symbol.asyncDispose](), stage.clock.advance(20_000)])
      assert.deepEqual([await stage.holder(), stage.writes('a').length], ['x', 1])
    })

    it('follows an acquisition that nobody wants any more by the time it is answered', async () => {
      const a = stage.candidate('a')
      const abort = new AbortController()
      stage.beforeWrite = async () => abort.abort()
      const led = a.elector.lead(() => assert.fail('no work starts'), { signal: abort.signal })
      await stage.clock.settle()
      assert.deepEqual([await led, await stage.holder(), stage.clock.nextTimerAt()], [undefined, '', undefined])
    })
  })

  describe('work', () => {
    it('that throws ends the election with its error, released', async () => {
      const a = stage.candidate('a')
      const led = assert.rejects(
        a.elector.lead(() => Promise.reject(new Error('boom'))),
        /boom/,
      )
      await stage.clock.settle()
      await led
      assert.deepEqual([await stage.holder(), stage.clock.nextTimerAt()], ['', undefined])
    })

    it('that was told to stop may throw what it was told', async () => {
      const a = stage.candidate('a')
      const abort = new AbortController()
      const led = a.elector.lead(throwWhatItWasTold, { signal: abort.signal })
      await stage.clock.advance(1_000)
      abort.abort()
      await stage.clock.settle()
      assert.equal(await led, undefined)
    })

    it('that throws something else when told to stop is not silenced', async () => {
      const a = stage.candidate('a')
      const abort = new AbortController()
      const led = assert.rejects(a.elector.lead(failToStop, { signal: abort.signal }), /disk full/)
      await stage.clock.advance(1_000)
      abort.abort()
      await stage.clock.settle()
      await led
    })

    it('that outlives its term is reported when another may lead, and nothing is led beside it', async () => {
      const overran: [Term, number][] = []
      const a = stage.candidate('a', { onOverrun: (term) => overran.push([term, stage.clock.now()]) })
      let finish: () => void = assert.fail
      const terms: Term[] = []
      void a.elector.lead((term) => {
        terms.push(term)
        return terms.length === 1 ? new Promise<void>((resolve) => (finish = resolve)) : untilAborted(term)
      })
      await stage.clock.advance(3_000)
      a.fate = () => 'hang'
      await stage.clock.advance(2_000 + 15_000 / 1.2 - 3_000 - 1)
      a.fate = () => 'pass'
      assert.deepEqual([overran, terms[0]?.signal.aborted], [[], true])
      await stage.clock.advance(60_000)
      assert.deepEqual([overran, terms.length], [[[terms[0], 14_500]], 1])
      finish()
      await stage.clock.settle()
      assert.equal(terms[1]?.number, 1)
    })

    it('may dispose of its term before it returns: the lock is free until it does', async () => {
      const a = stage.candidate('a')
      const abort = new AbortController()
      let finish: () => void = assert.fail
      const terms: Term[] = []
      const work = async (term: Term): Promise<void> => {
        terms.push(term)
        await term[Symbol.asyncDispose]()
        await new Promise<void>((resolve) => (finish = resolve))
      }
      const led = a.elector.lead(work, { signal: abort.signal })
      await stage.clock.advance(5_000)
      assert.deepEqual([terms.length, await stage.holder()], [1, ''])
      finish()
      await stage.clock.settle()
      assert.deepEqual([terms[1]?.number, await stage.holder()], [1, ''])
      abort.abort()
      finish()
      await stage.clock.settle()
      assert.deepEqual([await led, terms.length, await stage.holder()], [undefined, 2, ''])
      assert.equal(stage.clock.nextTimerAt(), undefined)
    })

    it('that does not return holds up a disposal until its time is over, and no longer', async () => {
      const overran: Term[] = []
      const a = stage.candidate('a', { onOverrun: (term) => overran.push(term) })
      void a.elector.lead(() => new Promise<void>(() => undefined))
      await stage.clock.advance(1_000)
      let isDisposed = false
      void a.elector[Symbol.asyncDispose]().then(() => (isDisposed = true))
      await stage.clock.advance(11_499)
      assert.equal(isDisposed, false)
      await stage.clock.advance(1)
      assert.deepEqual([isDisposed, overran.length, stage.clock.nextTimerAt()], [true, 1, undefined])
    })
  })
})

async function throwWhatItWasTold(term: Term): Promise<void> {
  await untilAborted(term)
  term.signal.throwIfAborted()
}

async function failToStop(term: Term): Promise<void> {
  await untilAborted(term)
  throw new Error('disk full')
}
