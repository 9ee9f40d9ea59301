/** A namespace with a group, its pods and a client that asks without end. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pods, Services } from '../../src/kube/objects.ts'
import { LeaderGroups } from '../../src/operator/resources.ts'
import { eventually } from '../controlplane/eventually.ts'
import { must } from '../controlplane/must.ts'
import { type Answer, parseAnswers } from './answers.ts'
import { LabelWitness } from './label-witness.ts'
import { changeByHand } from './hand.ts'
import { type Change, type Cost, costOf } from './measure.ts'
import type { Node } from './node.ts'
import { areAllOpen } from './ready.ts'
import { Record, wallMillis } from './record.ts'
import { type Rules, watchRules } from './rules.ts'
import { GROUP, type Setting, clientPod, electorOf, leaderLabelOf, manifests, serviceOf } from './setting.ts'
import { type World, succeed } from './world.ts'

const READY_MILLIS = 180_000
/** kube-proxy writes no rules for so long after it has written some; and a client's lines take a while to arrive. */
const SETTLED_MILLIS = 2_500
/** On a cluster where something always changes it is measured all the same. */
const RESTLESS_MILLIS = 30_000
const BEAT_MILLIS = 10
const REPLICAS = 3

export interface PodFacts {
  readonly name: string
  readonly uid: string
  readonly node: string
}

export class Scene implements AsyncDisposable {
  readonly world: World
  readonly setting: Setting
  readonly namespace: string
  readonly record: Record
  readonly #clientNode: string
  #rules: Rules | undefined
  #labels: LabelWitness | undefined

  static async open(world: World, setting: Setting, clientNode: string): Promise<Scene> {
    const namespace = `nodes-${randomBytes(3).toString('hex')}`
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
    await succeed(
      world,
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }),
    )
    const scene = new Scene(world, setting, namespace, clientNode)
    try {
      await scene.#begin()
      return scene
    } catch (error) {
      await scene[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(world: World, setting: Setting, namespace: string, clientNode: string) {
    this.world = world
    this.setting = setting
    this.namespace = namespace
    this.record = new Record(world.api, namespace, leaderLabelOf(setting))
    this.#clientNode = clientNode
  }

  async #begin(): Promise<void> {
    const clientNode = this.#clientNode
    if (this.world.own) await this.#untilNodesAreBack()
    const { own } = this.world
    if (own)
      this.#labels = await LabelWitness.open(own.cluster.plane.etcdUrl, this.namespace, leaderLabelOf(this.setting))
    const site = own?.node(clientNode).site
    if (site) this.#rules = watchRules(site, `${this.namespace}/${serviceOf('leader')}`, (ip) => this.record.rule(ip))
    const { operator: _, workload } = this.world.images
    const items = manifests(this.setting, workload, clientNode)
    await this.apply({ apiVersion: 'v1', kind: 'List', items })
    if (this.setting.elector === 'hand') {
      await this.#untilPodsAreReady()
      await changeByHand({ api: this.world.api, namespace: this.namespace })
    }
    await this.#settle()
    const url = async (role: 'leader' | 'follower'): Promise<string> => {
      const { spec } = must(await this.world.api.get(Services, { namespace: this.namespace, name: serviceOf(role) }))
      return `http://${spec?.clusterIP}/`
    }
    await this.apply(
      clientPod(workload, clientNode, BEAT_MILLIS, {
        leader: await url('leader'),
        follower: this.setting.leaderOnly ? undefined : await url('follower'),
      }),
    )
    await eventually({ what: 'answers for the client', millis: READY_MILLIS, intervalMillis: 500 }, async () => {
      const answers = await this.#answers().catch(() => [])
      return answers.some(({ pod }) => pod !== undefined) ? true : undefined
    })
  }

  /** An earlier scene may have taken one away. */
  async #untilNodesAreBack(): Promise<void> {
    await eventually({ what: 'all nodes', millis: READY_MILLIS, intervalMillis: 500 }, async () => {
      return (await areAllOpen(this.world.api)) ? true : undefined
    })
  }

  /** The most pods that bore the label at once. */
  async mostLabelled(): Promise<number> {
    await this.#labels?.catchUp()
    return this.#labels?.most ?? this.record.most
  }

  async kubectl(...args: string[]): Promise<string> {
    return await succeed(this.world, ['--namespace', this.namespace, ...args])
  }

  async apply(manifest: object): Promise<void> {
    await succeed(this.world, ['--namespace', this.namespace, 'apply', '-f', '-'], JSON.stringify(manifest))
  }

  /** Of the pod that bears the label. */
  async leader(): Promise<PodFacts> {
    const { leader } = this.record
    if (leader === undefined) throw new Error(`nobody leads in ${this.namespace}`)
    return await this.pod(leader)
  }

  async pod(name: string): Promise<PodFacts> {
    const { metadata, spec } = must(await this.world.api.get(Pods, { namespace: this.namespace, name }))
    return { name, uid: metadata.uid, node: spec!.nodeName! }
  }

  /** All but the client's, where they are our own. */
  get serverNodes(): readonly Node[] {
    return (this.world.own?.nodes ?? []).filter(({ name }) => name !== this.#clientNode)
  }

  /** The node of a pod, where it is one that can be treated roughly. */
  node({ node }: PodFacts): Node {
    if (!this.world.own) throw new Error('only nodes of our own can be taken away')
    return this.world.own.node(node)
  }

  /** Sends a signal to the pod's elector, or to its server; resolves to when it did. */
  async signal(pod: string, signal: NodeJS.Signals, to: 'elector' | 'server'): Promise<number> {
    const { word } = to === 'elector' ? electorOf(this.setting) : { word: '/app/serve.ts' }
    return Number(await this.kubectl('exec', pod, '-c', 'server', '--', 'node', '/app/signal.ts', signal, word))
  }

  /**
   * Does something to the leader, and resolves to what it cost. What has to be put right by hand is no part of that;
   * without such a thing all that happens until everything is well again is.
   */
  async change(
    act: (scene: Scene, leader: PodFacts) => Promise<number>,
    limitMillis: number,
    repair?: (scene: Scene, leader: PodFacts) => Promise<void>,
  ): Promise<Cost> {
    await this.#settle()
    const before = await this.leader()
    const startedAt = wallMillis()
    const at = await act(this, before)
    await this.record.until('another leader', limitMillis, startedAt, ({ kind }) => kind === 'labelled')
    return await this.costSince(at, before, repair && (() => repair(this, before)))
  }

  /** What has happened since `at`, of which the new leader's label is a part. */
  async costSince(at: number, before: PodFacts, repair?: () => Promise<void>): Promise<Cost> {
    await (repair ? this.#settleTraffic() : this.#settle())
    const until = wallMillis()
    const answers = await this.#answers((until - at) / 1_000 + 5)
    const cost = costOf({ at, until, before: before.name, answers, sightings: this.record.sightings } satisfies Change)
    await repair?.()
    return cost
  }

  /** What it costs, where it should cost nothing: any answer but the leader's is a strange one. */
  async during(work: () => Promise<unknown>): Promise<Cost> {
    await this.#settle()
    const before = await this.leader()
    const at = wallMillis()
    await work()
    return await this.costSince(at, before)
  }

  /** All pods are ready, one of them leads, its Service leads to it, and kube-proxy has had time to say so. */
  async #settle(): Promise<void> {
    await this.#untilPodsAreReady()
    await this.#settleTraffic()
  }

  async #untilPodsAreReady(): Promise<void> {
    await eventually({ what: `all pods of ${this.namespace}`, millis: READY_MILLIS, intervalMillis: 200 }, async () => {
      const selector = { namespace: this.namespace, labelSelector: `app=${GROUP}` }
      const { items } = must(await this.world.api.list(Pods, selector))
      const ready = items.filter(({ metadata, status }) => {
        const condition = status?.conditions?.find(({ type }) => type === 'Ready')
        return metadata.deletionTimestamp === undefined && condition?.status === 'True'
      })
      return ready.length === REPLICAS && items.length === REPLICAS ? true : undefined
    })
  }

  async #settleTraffic(): Promise<void> {
    await eventually({ what: `a leader in ${this.namespace}`, millis: READY_MILLIS, intervalMillis: 200 }, async () => {
      const { leader, sightings } = this.record
      const slice = sightings.findLast(({ kind }) => kind === 'slice')?.pod
      if (this.setting.elector === 'hand') return leader !== undefined && slice === leader ? true : undefined
      const group = await this.world.api.get(LeaderGroups, { namespace: this.namespace, name: GROUP })
      if (group.kind !== 'ok' || leader === undefined) return undefined
      return group.object.status?.holder === leader && slice === leader ? true : undefined
    })
    const startedAt = wallMillis()
    await sleep(SETTLED_MILLIS)
    // Other namespaces too: an earlier scene that is being deleted would make kube-proxy pause for it.
    while (wallMillis() - this.record.routedAt < SETTLED_MILLIS && wallMillis() - startedAt < RESTLESS_MILLIS) {
      await sleep(100)
    }
  }

  async #answers(seconds?: number): Promise<readonly Answer[]> {
    const since = seconds === undefined ? [] : [`--since=${Math.ceil(seconds)}s`]
    return parseAnswers(await this.kubectl('logs', 'client', ...since))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.record[Symbol.asyncDispose]()
    await this.#rules?.[Symbol.asyncDispose]()
    await this.#labels?.[Symbol.asyncDispose]()
    await succeed(this.world, ['delete', 'namespace', this.namespace, '--wait=false'])
  }
}
