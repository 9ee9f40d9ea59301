import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { TransportRequest, TransportResponse } from '../kube/transport.ts'
import { runs } from '../sim/runs.ts'
import { Rig } from './fixtures.ts'

/** An answer that is none of the API server's, or not the one that was asked for. */
interface Garbage {
  readonly status: number
  readonly text: string
}

const metadata = fc.oneof(
  fc.record(
    { name: fc.constantFrom('db', 'db-0', 'x'), resourceVersion: fc.constantFrom('1', '900', 'x') },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
)
const object = fc.record(
  { metadata, spec: fc.jsonValue(), status: fc.jsonValue(), items: fc.jsonValue() },
  { requiredKeys: [] },
)
const garbage: fc.Arbitrary<Garbage> = fc.record({
  status: fc.constantFrom(200, 200, 200, 201, 301, 400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504),
  text: fc.oneof(
    object.map((value) => JSON.stringify(value)),
    fc.json(),
    fc.constantFrom('', '<html>Please log in</html>', '{}', '[]', 'null', '{"metadata":null}', '{"kind":"Status"}'),
  ),
})

function respond({ status, text }: Garbage): TransportResponse {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`${text}\n`)
  }
  return { status, headers: {}, body: body() }
}

/** So long something stands between. */
const MIDST_MILLIS = 20_000
/** A watch may have to wait for 90 s of silence, and then for its longest back-off. */
const WELL_MILLIS = 300_000

describe('an operator that is answered nonsense', () => {
  it('goes on, never labels two, and leads when it is answered again', async function () {
    this.timeout(120_000)
    const spoils = fc.record({
      answers: fc.array(garbage, { minLength: 1, maxLength: 8 }),
      every: fc.integer({ min: 1, max: 4 }),
    })
    const when = fc.constantFrom(0, 5, 2_000)
    let spoilt = 0
    await fc.assert(
      fc.asyncProperty(spoils, when, fc.constantFrom('Assign', 'Observe'), async ({ answers, every }, millis, mode) => {
        const rig = new Rig()
        let isSpoilt = false
        let count = 0
        const before = async (_request: TransportRequest): Promise<TransportResponse | undefined> => {
          if (!isSpoilt || ++count % every !== 0) return undefined
          spoilt++
          return respond(answers[spoilt % answers.length]!)
        }
        const { ended } = rig.start('op', { elect: false, before })
        // It would end by a fault of the program.
        const fault = ended.then(
          () => undefined,
          (error: unknown) => error,
        )
        isSpoilt = millis === 0
        await rig.createGroup('db', { mode })
        for (const name of ['db-0', 'db-1', 'db-2']) await rig.createPod(name)
        await rig.clock.advance(millis)
        isSpoilt = true
        await rig.deletePod('db-0')
        await rig.clock.advance(MIDST_MILLIS)
        isSpoilt = false
        await rig.clock.advance(WELL_MILLIS)
        const labelled = await rig.labelled()
        assert.equal(labelled.length, mode === 'Assign' ? 1 : 0)
        assert.ok(rig.mostLabels() <= 1)
        const ready = (await rig.group()).status?.conditions?.find(({ type }) => type === 'Ready')
        assert.equal(ready?.reason, mode === 'Assign' ? 'LeaderElected' : 'LeaseMissing')
        await rig.end()
        assert.equal(await fault, undefined)
      }),
      runs(25),
    )
    assert.ok(spoilt > 0, 'no answer was ever spoilt, so nothing was shown')
  })
})
