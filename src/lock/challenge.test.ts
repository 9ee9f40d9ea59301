import { strict as assert } from 'node:assert'
import { type Lease, Leases, type LeaseSpec } from '../kube/objects.ts'
import { KEY, leadOn, Stage } from '../sim/election-stage.ts'
import type { Challenge } from './challenge.ts'

const RENEWED = '2026-01-01T00:00:01.700000Z'
const of = (change: LeaseSpec) => (lease: Lease) => ({ ...lease, spec: { ...lease.spec, ...change } })

type Row = readonly [what: string, change: (lease: Lease) => object, ...challenges: Challenge[]]

const ROWS: readonly Row[] = [
  ['another takes the lock', of({ holderIdentity: 'x', leaseTransitions: 7 }), { holder: 'x', number: 7 }],
  ['another process renews under the same identity', of({ renewTime: RENEWED }), { holder: 'a', number: 0 }],
  ['another process acquires under the same identity', of({ leaseTransitions: 1 }), { holder: 'a', number: 1 }],
  ['somebody empties the lock', of({ holderIdentity: '' })],
  ['somebody annotates it', (lease) => ({ ...lease, metadata: { ...lease.metadata, annotations: { by: 'hand' } } })],
]

describe('challenge', () => {
  for (const [what, change, ...expected] of ROWS) {
    for (const hasWatch of [true, false]) {
      const told = expected.map(({ holder, number }) => `by ${holder}, ${number}`).join() || 'none'
      it(`${what}, seen ${hasWatch ? 'by the watch' : 'by a conflict'}: ${told}`, async () => {
        const stage = new Stage()
        const a = stage.candidate('a')
        a.fate = ({ path }) => (path.includes('watch=true') && !hasWatch ? 'hang' : 'pass')
        const { ends } = leadOn(a)
        await stage.clock.advance(1_500)
        await stage.edit(change)
        await stage.clock.advance(10_000)
        assert.equal(ends.length, 1)
        assert.deepEqual([a.challenges, a.errors.filter(({ code }) => code !== 'unreachable')], [expected, []])
      })
    }
  }

  it('is not what takes over from a leader that was silent', async () => {
    const stage = new Stage()
    const [a, b] = [stage.candidate('a'), stage.candidate('b')]
    leadOn(a)
    await stage.clock.advance(1_000)
    leadOn(b)
    a.fate = () => 'gone'
    await stage.clock.advance(20_000)
    a.fate = () => 'pass'
    await stage.clock.advance(20_000)
    assert.deepEqual([a.leaders, a.challenges, b.challenges], [['a', 'b'], [], []])
  })

  it('is not what comes after the term, before its release', async () => {
    const stage = new Stage()
    const a = stage.candidate('a')
    const led = a.elector.lead(() => 'done')
    let edits = 0
    stage.beforeWrite = async () => {
      if (edits++ === 1) await stage.edit(of({ holderIdentity: 'x' }))
    }
    await stage.clock.advance(1_000)
    assert.deepEqual([await led, await stage.holder(), a.challenges], ['done', 'x', []])
  })

  it('is not a deletion', async () => {
    const stage = new Stage()
    const a = stage.candidate('a')
    const { ends } = leadOn(a)
    await stage.clock.advance(1_000)
    await stage.admin.delete(Leases, KEY)
    await stage.clock.settle()
    assert.deepEqual([ends, a.challenges], [['changed'], []])
  })
})
