import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { LeaderGroup } from '../src/group/leadergroup.ts'
import { ApiError, type Outcome } from '../src/kube/outcome.ts'
import { LeaderGroups } from '../src/operator/resources.ts'
import { runs } from '../src/sim/runs.ts'
import { anyChange, anyManifest, type Manifest } from './any-manifest.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { type Scene, openScene, readyOf } from './operator-scene.ts'
import { operatorSuite } from './operator-suite.ts'

/** Another one by `npm run fuzz -- --manifests`. */
const SEED = fc.readConfigureGlobal().seed!
const MANIFESTS = runs(60).numRuns
/** Of one namespace at a time. */
const BATCH = 20
/** Groups that share pods, Leases and Services by the dozen, beside a whole control plane. */
const SETTLED_MILLIS = 60_000
/** The API server's words for where the fault is. */
const NAMES_FIELD = /\b(spec|metadata|ObjectMeta|LeaderGroup)\b/

const manifests = fc.sample(anyManifest, { seed: SEED, numRuns: MANIFESTS })
const changes = fc.sample(anyChange, { seed: SEED, numRuns: MANIFESTS })

describe(`random manifests (seed ${SEED})`, () => {
  const suite = operatorSuite()
  const tally = { accepted: 0, refused: 0, changed: 0, refusedChanges: 0 }

  for (let from = 0; from < MANIFESTS; from += BATCH) {
    it(`${from + 1} to ${Math.min(from + BATCH, MANIFESTS)}: each is refused by its field, or gets a condition, and nobody else notices`, async function () {
      this.timeout(5 * SETTLED_MILLIS)
      await using elsewhere = await openScene('operator')
      for (const scene of [suite.scene, elsewhere]) await scene.createLed(['db-0', 'db-1', 'db-2'])
      const groups: LeaderGroup[] = []
      for (let index = from; index < Math.min(from + BATCH, MANIFESTS); index++) {
        const group = await create(suite.scene, manifests[index]!, index)
        if (group) groups.push(group)
        tally[group ? 'accepted' : 'refused']++
      }
      for (const { metadata } of groups) await judged(suite.scene, metadata.name)
      await failsOver(suite.scene, elsewhere)
      for (const [index, { metadata }] of groups.entries()) {
        const changed = await change(suite.scene, metadata.name, changes[from + index], from + index)
        tally[changed ? 'changed' : 'refusedChanges']++
      }
      for (const { metadata } of groups) await judged(suite.scene, metadata.name)
      await failsOver(suite.scene, elsewhere)
      for (const { metadata } of groups)
        await suite.scene.api.delete(LeaderGroups, { namespace: suite.scene.namespace, name: metadata.name })
      for (const { metadata } of groups) await untilNoKeys(suite.scene, metadata.name)
      // Its own pods and Leases alone: the history of both namespaces keeps every promise.
      for (const scene of [suite.scene, elsewhere]) await scene.check(3)
    })
  }

  describe('in all of that', () => {
    it('the operator wrote nothing that is not its own', async () => {
      console.log(`        seed ${SEED}: ${MANIFESTS} manifests: ${JSON.stringify(tally)}`)
      assert.ok(tally.accepted > 0 && tally.refused > 0 && tally.changed > 0 && tally.refusedChanges > 0)
      await suite.audit.check()
      const faults = (await suite.operator.log()).filter(({ level }) => level === 'error')
      assert.deepEqual(faults, [])
    })
  })
})

async function create({ api, namespace }: Scene, manifest: Manifest, index: number): Promise<LeaderGroup | undefined> {
  const { metadata, spec } = manifest
  const named = { name: `fuzz-${index}`, ...(metadata as object) }
  const object = { apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', metadata: named, spec }
  const outcome = await answered(api.create<LeaderGroup>(LeaderGroups, namespace, object))
  return taken(outcome, `manifest ${index}: ${JSON.stringify(object).slice(0, 2_000)}`)
}

async function change({ api, namespace }: Scene, name: string, spec: unknown, index: number): Promise<boolean> {
  const outcome = await answered(api.mergePatch<LeaderGroup>(LeaderGroups, { namespace, name }, { spec }))
  return taken(outcome, `change ${index} of ${name}: ${JSON.stringify(spec).slice(0, 2_000)}`, true) !== undefined
}

/** What is refused is so for a reason that a person can find. */
function taken(outcome: Outcome<LeaderGroup> | ApiError, what: string, isChange = false): LeaderGroup | undefined {
  if (!(outcome instanceof ApiError) && outcome.kind === 'ok') return outcome.object
  if (!(outcome instanceof ApiError) && outcome.kind === 'notFound' && isChange) return undefined
  const isRefusal = outcome instanceof ApiError ? outcome.status === 413 : outcome.kind === 'invalid'
  assert.ok(isRefusal, `${what}: ${outcome.message}`)
  assert.match(outcome.message, NAMES_FIELD, what)
  return undefined
}

async function answered<T>(call: Promise<Outcome<T>>): Promise<Outcome<T> | ApiError> {
  try {
    return await call
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}

/** The condition says something of this very spec. */
async function judged(scene: Scene, name: string): Promise<void> {
  await eventually({ what: `${scene.namespace}: a condition of ${name}`, millis: SETTLED_MILLIS }, async () => {
    const found = await scene.api.get(LeaderGroups, { namespace: scene.namespace, name })
    // Collected: it names an owner that there is not.
    if (found.kind === 'notFound') return true
    const group = must(found)
    const { metadata, status } = group
    const ready = readyOf(group)
    const isOfThis =
      status?.observedGeneration === metadata.generation && ready?.observedGeneration === metadata.generation
    return isOfThis && ready?.reason !== 'Pending' ? true : undefined
  })
}

/** The group that everything else is beside: its leader is deleted, and another one leads. */
async function failsOver(...scenes: readonly Scene[]): Promise<void> {
  for (const scene of scenes) {
    const leader = await scene.untilLed()
    const { name, uid } = leader.metadata
    await scene.deletePod(name, 0)
    const next = await scene.untilLabelled('db', SETTLED_MILLIS, uid)
    assert.notEqual(next.metadata.uid, uid)
    await scene.createPod(name)
    await scene.untilLed()
  }
}

async function untilNoKeys(scene: Scene, name: string): Promise<void> {
  const what = `${scene.namespace}: no pod bears a key of ${name}`
  await eventually({ what, millis: SETTLED_MILLIS }, async () => {
    const left = (await scene.pods()).filter(({ metadata: { labels = {}, annotations = {} } }) =>
      [...Object.keys(labels), ...Object.keys(annotations)].some((key) => key.startsWith(`${name}.leadergroup.io/`)),
    )
    return left.length === 0 ? true : undefined
  })
}
