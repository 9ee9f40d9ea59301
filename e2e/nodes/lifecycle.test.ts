/** Upgrades under live groups with traffic, the way back, and the ends that an installation can have. */
import assert from 'node:assert/strict'
import { EndpointSlices, type KubeObject, Leases, Pods, type Resource, Services } from '../../src/kube/objects.ts'
import { LeaderGroups } from '../../src/operator/resources.ts'
import { leadergroup } from '../command.ts'
import { eventually } from '../controlplane/eventually.ts'
import { must } from '../controlplane/must.ts'
import { terminalProgress } from '../controlplane/progress.ts'
import { OPERATOR_IMAGE, imageBuilder } from './images.ts'
import { DEFAULT, installOperator } from './installation.ts'
import { meetRequirements } from './requirements.ts'
import { Scene } from './scene.ts'
import { GROUP, type Setting } from './setting.ts'
import { type World, ownWorld, succeed } from './world.ts'

const CASE_MILLIS = 900_000
const START_MILLIS = 1_800_000
/** The same sources under another name: what a rolling update changes is which pods run. */
const NEXT_IMAGE = 'leadergroup/operator:next'
const ASSIGN: Setting = { elector: 'none', routing: 'Direct' }
const OBSERVE: Setting = { elector: 'client-go', routing: 'Direct' }
const CRD = 'customresourcedefinition/leadergroups.leadergroup.io'
const DELETE = ['delete', '--ignore-not-found', '--timeout=150s']

/** Images of its own are loaded into nodes, and it takes minutes. */
const isLeftOut = process.env['NODES'] === 'share' || process.env['NODES_CONTEXT'] !== undefined

;(isLeftOut ? describe.skip : describe)('life cycle on real nodes', function () {
  this.timeout(CASE_MILLIS)
  let world: World
  let scenes: readonly Scene[]

  before(async function () {
    this.timeout(START_MILLIS)
    const progress = terminalProgress()
    await meetRequirements(progress)
    world = await ownWorld(progress)
    await world.own!.load((await imageBuilder().operator(NEXT_IMAGE)).archive)
  })

  after(async () => await world?.[Symbol.asyncDispose]())

  beforeEach(async () => {
    await installOperator(world, OPERATOR_IMAGE)
    scenes = [await Scene.open(world, ASSIGN, 'node-3'), await Scene.open(world, OBSERVE, 'node-3')]
  })

  afterEach(async () => {
    for (const scene of scenes) await scene[Symbol.asyncDispose]()
  })

  it('an upgrade and the way back: no leader changes, no request fails, nothing of a group is written', async () => {
    for (const image of [NEXT_IMAGE, OPERATOR_IMAGE]) {
      const before = await Promise.all(scenes.map(versions))
      const upgrade = installOperator(world, image)
      for (const cost of await Promise.all(scenes.map((scene) => scene.during(() => upgrade)))) {
        console.log(`      ${JSON.stringify(cost)}`)
        assert.equal(cost.changes, 0)
        assert.equal(cost.strange, 0)
        // On a machine that is busy with starting pods a request may take longer than its second.
        const { timeout: _, ...failed } = cost.failed
        assert.deepEqual(failed, {})
      }
      assert.deepEqual(await Promise.all(scenes.map(versions)), before)
      assert.deepEqual(await images(world), [image])
    }
    // And the one that runs now does its work.
    const [assigned] = scenes
    const { name } = await assigned!.leader()
    const metadata = { annotations: { 'leadergroup.io/ineligible': 'true' } }
    must(await world.api.mergePatch(Pods, { namespace: assigned!.namespace, name }, { metadata }))
    await eventually({ what: 'another leader', millis: 60_000 }, () => {
      return Promise.resolve(![undefined, name].includes(assigned!.record.leader) ? true : undefined)
    })
  })

  const groups = (): Promise<string> => succeed(world, [...DELETE, 'leadergroups', '--all', '-A'])
  const operator = (): Promise<string> => succeed(world, [...DELETE, 'namespace', 'leadergroup-system'])
  const crd = (): Promise<string> => succeed(world, [...DELETE, CRD])
  const rest = (): Promise<string> => succeed(world, [...DELETE, '-k', DEFAULT])

  it('uninstalled as the docs say, the operator leaves nothing', async () => {
    await groups()
    await untilNothingIsLeft(scenes)
    await rest()
    assert.deepEqual(await installed(world), [])
    await untilNothingIsLeft(scenes)
  })

  const ORDERS = { operator: [operator, groups, crd], 'the CRD': [crd, operator], everything: [rest] }
  for (const [first, steps] of Object.entries(ORDERS)) {
    it(`uninstalled in another order, ${first} first: nothing hangs, and cleanup takes off what is left`, async () => {
      for (const step of [...steps, rest]) await step()
      assert.deepEqual(await installed(world), [])
      const { code, stderr } = await leadergroup(world.own!.cluster.plane.kubeconfigPath, 'cleanup', '-A', '--yes')
      assert.equal(code, 0, stderr)
      await untilNothingIsLeft(scenes)
    })
  }
})

/** Of all that the operator writes, or might: the version, or, of a pod, when anything but its status was written last. */
async function versions({ world: { api }, namespace, setting }: Scene): Promise<Readonly<Record<string, string>>> {
  const kinds: readonly Resource<KubeObject>[] = [
    Pods,
    LeaderGroups,
    Services,
    EndpointSlices,
    // Candidates renew theirs.
    ...(setting.elector === 'none' ? [Leases] : []),
  ]
  const entries = await Promise.all(
    kinds.map(async (kind) => {
      const { items } = must(await api.list(kind, { namespace }))
      return items.map(({ metadata }) => {
        const { name, resourceVersion } = metadata
        return [`${kind.kind} ${name}`, kind.kind === 'Pod' ? writtenTo(metadata) : resourceVersion] as const
      })
    }),
  )
  return Object.fromEntries(entries.flat())
}

/** Kubelets write status whenever a probe says so. */
function writtenTo(metadata: KubeObject['metadata']): string {
  const { managedFields = [] } = metadata as { readonly managedFields?: readonly Managed[] }
  const writes = managedFields.filter(({ subresource }) => subresource !== 'status')
  return writes.map(({ manager, time }) => `${manager} ${time}`).join(', ')
}

interface Managed {
  readonly manager?: string
  readonly time?: string
  readonly subresource?: string
}

/** Those that the operator's pods run. */
async function images({ api }: World): Promise<readonly string[]> {
  return await eventually({ what: 'the old pods to be gone', millis: 60_000 }, async () => {
    const { items } = must(await api.list(Pods, { namespace: 'leadergroup-system' }))
    const found = items.map(({ spec }) => (spec as unknown as Containers).containers.map(({ image }) => image).join())
    const all = [...new Set(found)]
    return all.length === 1 ? all : undefined
  })
}

interface Containers {
  readonly containers: readonly { readonly image: string }[]
}

/** What `config/default` has made and is still there. */
async function installed(world: World): Promise<readonly string[]> {
  const stdout = await succeed(world, ['get', '-k', DEFAULT, '--ignore-not-found', '-o', 'name'])
  return stdout.split('\n').filter((line) => line !== '')
}

/** No key on a pod, no Service, no slice, and no Lease but that of the candidates. */
async function untilNothingIsLeft(scenes: readonly Scene[]): Promise<void> {
  await eventually({ what: 'nothing to be left', millis: 60_000 }, async () => {
    const left = (await Promise.all(scenes.map(leftIn))).flat()
    return left.length === 0 ? true : undefined
  })
}

async function leftIn({ world: { api }, namespace, setting }: Scene): Promise<readonly string[]> {
  const left: string[] = []
  const [pods, services, slices, leases] = await Promise.all([
    api.list(Pods, { namespace }),
    api.list(Services, { namespace }),
    api.list(EndpointSlices, { namespace }),
    api.list(Leases, { namespace }),
  ])
  for (const { metadata } of must(pods).items) {
    for (const key of Object.keys({ ...metadata.labels, ...metadata.annotations }))
      if (key.startsWith(`${GROUP}.leadergroup.io/`)) left.push(`${metadata.name}: ${key}`)
  }
  const names = [...must(services).items, ...must(slices).items].map(({ metadata }) => metadata.name)
  const own = setting.elector === 'none' ? must(leases).items.map(({ metadata }) => metadata.name) : []
  return [...left, ...names, ...own]
}
