/**
 * The product as users install it, moving real traffic between real containers on real nodes. `NODES=share` is what fits
 * into a few minutes, `NODES_TIMES` how often each thing happens instead of the table's own number; `NODES_WRITE=1` puts
 * what was measured into `docs/nodes.md`.
 */
import assert from 'node:assert/strict'
import { cpus, loadavg } from 'node:os'
import { systemClock } from '../../src/clock.ts'
import { KUBERNETES_VERSION } from '../controlplane/binaries.ts'
import { terminalProgress } from '../controlplane/progress.ts'
import { type Crowd, crowdFailsOver } from './crowd.ts'
import { DEATHS, type DeathCase, survivors } from './deaths.ts'
import { type ImageFacts, imageFacts } from './image-facts.ts'
import { installOperator } from './installation.ts'
import { meetRequirements } from './requirements.ts'
import type { Sighting } from './record.ts'
import { writeReport } from './report.ts'
import type { Death, Row } from './report-data.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import { Scene } from './scene.ts'
import { type Setting, nameOf } from './setting.ts'
import { type World, ownWorld, usersWorld } from './world.ts'

const { NODES, NODES_CONTEXT, NODES_OPERATOR, NODES_WORKLOAD, NODES_TIMES, NODES_WRITE } = process.env
const isShare = NODES === 'share'
const isOwn = NODES_CONTEXT === undefined

/** Rows of the share, by scenario and setting. */
const SHARE: Readonly<Record<string, readonly string[]>> = {
  planned: ['Assign, Direct', 'Assign, Direct, leader only'],
  kill: ['Observe, client-go, releaseDeadHolder, Direct'],
  operator: ['Assign, Direct'],
  apiserver: ['Assign, Direct'],
  recreate: ['Assign, Direct, StatefulSet'],
}
/** A lost node is noticed after 50 s, and a first build of images takes minutes. */
const CASE_MILLIS = 900_000
const START_MILLIS = 1_800_000
/** One death in four falls into a second in which the Lease was renewed. */
const DEATH_ATTEMPTS = 6

const rows: Row[] = []
const deaths: Death[] = []

describe('on real nodes', function () {
  this.timeout(CASE_MILLIS)
  let world: World
  let clientNode: string
  let image: ImageFacts | undefined
  let crowd: Crowd | undefined

  before(async function () {
    this.timeout(START_MILLIS)
    const progress = terminalProgress()
    if (isOwn) await meetRequirements(progress)
    world = isOwn ? await ownWorld(progress) : await usersWorld(NODES_CONTEXT, usersImages())
    clientNode = await lastNode(world)
    await installOperator(world, world.images.operator)
  })

  after(async function () {
    this.timeout(CASE_MILLIS)
    await world?.[Symbol.asyncDispose]()
  })

  // A run of an hour may be interrupted: what is measured is measured.
  afterEach(async () => {
    if (NODES_WRITE !== '1') return
    const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`
    const at = new Date(systemClock.wallNow()).toISOString()
    await writeReport({ at, machine, kubernetes: KUBERNETES_VERSION, image, rows, crowd, deaths })
  })

  it('two replicas of the installed operator run as nobody, with nothing to write and no capabilities', async function () {
    if (!isOwn) return this.skip()
    image = await imageFacts(world)
    assert.equal(image.runsAs, 'user 65532, no capabilities, read-only root')
    console.log(image)
  })

  for (const scenario of SCENARIOS) {
    for (const setting of scenario.settings) {
      if (isShare && !SHARE[scenario.name]?.includes(nameOf(setting))) continue
      it(`${scenario.title}: ${nameOf(setting)}`, async function () {
        if (scenario.ownNodes && !isOwn) return this.skip()
        await measure(world, clientNode, scenario, setting)
      })
    }
  }

  if (isShare) return
  it('three hundred groups fail over with their node', async function () {
    if (!isOwn) return this.skip()
    crowd = await crowdFailsOver(world, { groups: 300, pods: 10, lost: 'node-1', other: 'node-2' })
    assert.equal(crowd.labelMillis.length, 300)
  })

  describe('proof of death', () => {
    for (const death of DEATHS) {
      it(`${death.title}: ${death.isProof ? 'is one' : 'is none'}`, async function () {
        if (!isOwn) return this.skip()
        await die(world, clientNode, death)
      })
    }
  })
})

async function measure(world: World, clientNode: string, scenario: Scenario, setting: Setting): Promise<void> {
  await using scene = await Scene.open(world, setting, clientNode)
  const costs = []
  const times = isShare ? 1 : NODES_TIMES === undefined ? scenario.times(setting) : Number(NODES_TIMES)
  for (let time = 0; time < times; time += 1) {
    const cost = await scene.change(scenario.act, scenario.limitMillis, scenario.repair)
    console.log(`      ${JSON.stringify(cost)}`)
    costs.push(cost)
  }
  rows.push({ scenario: scenario.name, title: scenario.title, setting: nameOf(setting), costs, load: loadavg()[0]! })
  assert.equal(await scene.mostLabelled(), 1, 'two pods bore the label')
  for (const cost of costs) {
    assert.notEqual(cost.answer, undefined, 'the new leader never answered')
    assert.equal(cost.strange, 0, 'a pod answered that never led')
    // The slice is swapped in one write, so there is no moment without an address. (A timeout is a busy machine's.)
    if (scenario.name.startsWith('planned') && setting.routing === 'Direct')
      assert.equal(cost.failed['ECONNREFUSED'], undefined)
  }
}

/** Again where the dead had renewed in the second of its death: whole seconds prove nothing then (`docs/observe.md`). */
async function die(world: World, clientNode: string, death: DeathCase): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { told, survived, isUndecided, most } = await dieOnce(world, clientNode, death)
    assert.deepEqual(survived, [], 'released while the elector ran')
    assert.equal(most, 1, 'two pods bore the label')
    if (isUndecided && attempt < DEATH_ATTEMPTS) continue
    deaths.push(told)
    return assert.equal(told.released, death.isProof, death.isProof ? 'it was not released' : 'it was released')
  }
}

interface Died {
  readonly told: Death
  /** Processes of the elector that ran at its release. */
  readonly survived: readonly number[]
  readonly isUndecided: boolean
  readonly most: number
}

async function dieOnce(
  world: World,
  clientNode: string,
  { title, setting, isProof, act, repair }: DeathCase,
): Promise<Died> {
  await using scene = await Scene.open(world, setting, clientNode)
  const { record } = scene
  const leader = await scene.leader()
  const at = await act(scene, leader)
  const isRelease = ({ kind, pod }: Sighting): boolean => kind === 'lease' && pod === ''
  const isNext = ({ kind }: Sighting): boolean => kind === 'labelled'
  // Whichever comes first; a Lease that nobody empties is taken when it has expired.
  await record.until('a release or another leader', CASE_MILLIS / 3, at, (each) => isRelease(each) || isNext(each))
  const released = record.sightings.find((each) => each.at >= at && isRelease(each))
  const survived = released === undefined ? [] : await survivors(scene, leader, at)
  await record.until('another leader', CASE_MILLIS / 3, at, isNext)
  const cost = await scene.costSince(at, leader, repair && (() => repair(scene, leader)))
  console.log(`      ${JSON.stringify({ released: released && released.at - at, ...cost })}`)
  return {
    told: {
      title,
      released: released !== undefined,
      takeoverMillis: cost.answer ?? Number.NaN,
      load: loadavg()[0]!,
    },
    survived,
    isUndecided: isProof && released === undefined && record.renewedAsItEnded(leader),
    most: await scene.mostLabelled(),
  }
}

function usersImages(): { readonly operator: string; readonly workload: string } {
  if (NODES_OPERATOR === undefined || NODES_WORKLOAD === undefined) {
    throw new Error('with a context, NODES_OPERATOR and NODES_WORKLOAD name images that its nodes have or can pull')
  }
  return { operator: NODES_OPERATOR, workload: NODES_WORKLOAD }
}

/** The client's; the workload runs on the others, of which there have to be two. */
async function lastNode(world: World): Promise<string> {
  const { stdout } = await world.kubectl(['get', 'nodes', '-o', 'name'])
  const names = stdout
    .trim()
    .split('\n')
    .map((line) => line.replace('node/', ''))
    .toSorted()
  assert.ok(names.length >= 3, `three nodes are needed, here are ${names.join(', ')}`)
  return names.at(-1)!
}
