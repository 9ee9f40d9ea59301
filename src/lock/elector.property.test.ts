import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { ConfigMaps, Leases } from '../kube/objects.ts'
import { KEY, leadOn, Stage } from '../sim/election-stage.ts'
import { runs } from '../sim/runs.ts'
import { configMapLock } from './configmap-lock.ts'
import { LEADER_ANNOTATION } from './leader-annotation.ts'

const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { freq: 6 })
const time = fc.constantFrom(
  '2026-01-01T00:00:01.000000Z',
  '0001-01-01T00:00:00.000000Z',
  '9999-12-31T23:59:59.999999Z',
)
/** What a stranger may write there, so that the API server takes it. */
const spec = orNull(
  fc.record(
    {
      holderIdentity: orNull(fc.constantFrom('a', 'b', 'x', '', '__proto__', '💥')),
      leaseDurationSeconds: orNull(fc.constantFrom(1, 15, 60)),
      leaseTransitions: orNull(fc.constantFrom(0, 7, 2 ** 31 - 1)),
      acquireTime: orNull(time),
      renewTime: orNull(time),
    },
    { requiredKeys: [] },
  ),
)
/** In an annotation nothing is checked. */
const annotation = fc.oneof(
  spec.map((value) => JSON.stringify(value)),
  fc.json(),
  fc.constantFrom('', '{', 'null', '{"holderIdentity":5}', '{"holderIdentity":"x","leaseDurationSeconds":1e300}'),
)
const pause = fc.constantFrom(0, 1, 500, 2_000, 9_000)
/** Longer than any record above says, and than any back-off. */
const SETTLED_MILLIS = 200_000

function steps<T>(edit: fc.Arbitrary<T>): fc.Arbitrary<readonly { edit: T | 'delete'; millis: number }[]> {
  return fc.array(
    fc.record({ edit: fc.oneof({ weight: 6, arbitrary: edit }, fc.constant('delete' as const)), millis: pause }),
    {
      maxLength: 8,
    },
  )
}

describe('an elector, whatever strangers write into its lock', () => {
  it('leads again when they have done with a Lease, and asks for nothing too often', async () => {
    await fc.assert(
      fc.asyncProperty(steps(spec), async (all) => {
        const stage = new Stage()
        const [a, b] = ['a', 'b'].map((name) => stage.candidate(name))
        const logs = [leadOn(a!), leadOn(b!)]
        await stage.clock.advance(3_000)
        for (const { edit, millis } of all) {
          const done =
            edit === 'delete' ? stage.admin.delete(Leases, KEY) : stage.admin.mergePatch(Leases, KEY, { spec: edit })
          await Promise.all([done, stage.clock.settle()])
          await stage.clock.advance(millis)
        }
        await stage.clock.advance(SETTLED_MILLIS)
        const leading = [a!, b!].filter(({ elector }) => elector.isLeader())
        assert.equal(leading.length, 1)
        for (const { terms } of logs) {
          const tokens = terms.map(({ token }) => token)
          assert.deepEqual(
            tokens,
            tokens.toSorted((one, two) => (one < two ? -1 : 1)),
          )
        }
        assert.deepEqual([...stage.storms], [])
      }),
      runs(25),
    )
  })

  it('leads again when they have done with a ConfigMap that ends as a record, or is told what is wrong with it', async () => {
    await fc.assert(
      fc.asyncProperty(steps(annotation), fc.boolean(), async (all, isMended) => {
        const stage = new Stage()
        const candidate = stage.candidate('a', {}, (api, clock) =>
          configMapLock(api, { ...KEY, clock, random: () => 0.5 }),
        )
        leadOn(candidate)
        await stage.clock.advance(3_000)
        const write = async (edit: string | null): Promise<void> => {
          const annotations = { [LEADER_ANNOTATION]: edit }
          await Promise.all([
            stage.admin.mergePatch(ConfigMaps, KEY, { metadata: { annotations } }),
            stage.clock.settle(),
          ])
        }
        for (const { edit, millis } of all) {
          if (edit === 'delete') await Promise.all([stage.admin.delete(ConfigMaps, KEY), stage.clock.settle()])
          else await write(edit)
          await stage.clock.advance(millis)
        }
        if (isMended) await write(null)
        await stage.clock.advance(SETTLED_MILLIS)
        const isRefused = candidate.errors.some(({ code }) => code === 'notOurs')
        assert.ok(candidate.elector.isLeader() || (isRefused && !isMended))
        assert.deepEqual([...stage.storms], [])
      }),
      runs(25),
    )
  })
})
