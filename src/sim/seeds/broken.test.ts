import { strict as assert } from 'node:assert'
import type { TransportRequest } from '../../kube/transport.ts'
import { planOf } from '../world/make-plan.ts'
import { run } from '../world/run.ts'
import { shrink } from '../world/shrink.ts'

/** Seeds within which each must be found. */
const MOST_SEEDS = 60

type Tamper = (process: string, request: TransportRequest) => TransportRequest

/** Programs that leave a rule out. What they send is what a build without the rule would send. */
const BROKEN: Readonly<Record<string, Tamper>> = {
  'pods are patched whatever their version': (_process, request) => {
    return request.method === 'PATCH' && request.path.includes('/pods/') ? without(request, 'resourceVersion') : request
  },
  'the stamp is left out of the seal': (_process, request) => {
    if (request.method !== 'PATCH' || !request.path.includes('/pods/')) return request
    const body = JSON.parse(request.body!) as { metadata: { annotations?: Record<string, unknown> } }
    const { annotations = {} } = body.metadata
    const kept = Object.entries(annotations).filter(([key, value]) => !key.endsWith('/sealed') || endsInZero(value))
    body.metadata.annotations = Object.fromEntries(kept)
    return { ...request, body: JSON.stringify(body) }
  },
}

/** After so many writes of a Lease a process names a version that was long ago. */
const UNTIRED = 20

function tiring(): Tamper {
  const sent = new Map<string, number>()
  return (process, request) => {
    if (request.method !== 'PUT' || !request.path.includes('/leases/')) return request
    const count = (sent.get(process) ?? 0) + 1
    sent.set(process, count)
    return count > UNTIRED ? { ...request, body: withVersion(request.body!, '1') } : request
  }
}

function withVersion(text: string, resourceVersion: string): string {
  const body = JSON.parse(text) as { metadata: Record<string, unknown> }
  return JSON.stringify({ ...body, metadata: { ...body.metadata, resourceVersion } })
}

function endsInZero(stamp: unknown): boolean {
  return typeof stamp === 'string' && stamp.endsWith('/0')
}

function without(request: TransportRequest, field: string): TransportRequest {
  const body = JSON.parse(request.body!) as { metadata: Record<string, unknown> }
  const { [field]: _gone, ...metadata } = body.metadata
  return { ...request, body: JSON.stringify({ ...body, metadata }) }
}

describe('a program that leaves a rule out', () => {
  for (const [what, tamper] of Object.entries(BROKEN)) {
    it(`is found: ${what}`, async function () {
      this.timeout(600_000)
      for (let seed = 1; seed <= MOST_SEEDS; seed++) {
        const outcome = await run(planOf(seed), { tamper })
        if (outcome.violations.length > 0) return
      }
      assert.fail(`${MOST_SEEDS} seeds found nothing`)
    })
  }

  it('is found: renewals end for good, which only time shows (L2)', async function () {
    this.timeout(600_000)
    for (let seed = 1; seed <= MOST_SEEDS; seed++) {
      const { violations } = await run(planOf(seed), { tamper: tiring() })
      if (violations.some(({ rule }) => rule === 'L2')) return
    }
    assert.fail(`${MOST_SEEDS} seeds found nothing`)
  })

  it('is told by a plan that is shorter and still fails', async function () {
    this.timeout(600_000)
    const tamper = BROKEN['pods are patched whatever their version']!
    for (let seed = 1; seed <= MOST_SEEDS; seed++) {
      const plan = planOf(seed)
      const outcome = await run(plan, { tamper })
      if (outcome.violations.length === 0) continue
      const shortest = await shrink(plan, outcome, { tamper })
      const replayed = await run(shortest, { tamper, isTold: true })
      assert.ok(replayed.violations.length > 0)
      assert.ok(shortest.events.length <= plan.events.length / 4, `${shortest.events.length} of ${plan.events.length}`)
      assert.ok(replayed.lines.some(({ who }) => who.startsWith('operator')))
      return
    }
    assert.fail(`${MOST_SEEDS} seeds found nothing`)
  })
})
