/** A pod of a group, the process that elects in it, and the line between that and the API server. */
import { join } from 'node:path'
import type { Api } from '../../src/kube/api.ts'
import type { Pod } from '../../src/kube/objects.ts'
import { candidateArgs } from '../candidates/flags.ts'
import { monotonicMillis } from '../candidates/line.ts'
import { commandOf } from '../candidates/programs.ts'
import type { Scratch } from '../controlplane/scratch.ts'
import type { Beliefs, Witnessed } from './beliefs.ts'
import type { GroupPlan, Kind } from './group-plan.ts'
import type { Line } from './line.ts'
import { sleep } from './persist.ts'
import { bear, finish, remove, showEnded, showRestarted, wallNow } from './pod-life.ts'
import { Program, type Said } from './program.ts'

/** Expires soon, and a busy machine can renew it. */
export const TIMING = { leaseDurationSeconds: 4, renewDeadlineSeconds: 3, retryPeriodSeconds: 0.5 }
/** Longer than the Lease, so that another one leads by then. */
export const PAST_LEASE_MILLIS = 7_000
const ACT_EVERY = '40ms'
/** On a machine that is busy. */
const ACTED_LATELY_MILLIS = 1_000
const NODE = join(import.meta.dirname, '../../node_modules/.bin/node')
const WORK = join(import.meta.dirname, 'work.ts')
/** For a release, and what holds it up. */
const GRACEFUL_MILLIS = 15_000
/** What a kubelet waits before it starts a container again. */
const RESTART_MILLIS = 300

export interface Site {
  readonly api: Api
  readonly scratch: Scratch
  readonly namespace: string
  /** The command line of this project. */
  readonly main: string
  readonly beliefs: Beliefs
  /** Ends what must be done in any case: the run is over. */
  readonly signal: AbortSignal
  /** A process of ours has ended although nobody told it to. */
  readonly surprise: (what: string, said: readonly string[]) => void
}

export interface Wiring {
  readonly line: Line
  readonly kubeconfig: string
}

const COMPLAINTS = 30
let processes = 0

export class Member {
  readonly group: GroupPlan
  readonly kind: Kind
  name: string
  pod: Pod | undefined
  /** Something is done to it: nobody else should. */
  isBusy = false
  readonly line: Line | undefined
  readonly #wiring: Wiring | undefined
  readonly #site: Site
  readonly #complaints: string[] = []
  #program: Program | undefined
  #witnessed: Witnessed | undefined
  #restarts = 0
  #endedWallMillis = 0
  #isLeading = false
  #actedMillis = -Infinity

  constructor(site: Site, group: GroupPlan, kind: Kind, name: string, wiring?: Wiring) {
    this.#site = site
    this.group = group
    this.kind = kind
    this.name = name
    this.#wiring = wiring
    this.line = wiring?.line
  }

  /** By its own word. */
  get isLeading(): boolean {
    return this.#isLeading || monotonicMillis() - this.#actedMillis < ACTED_LATELY_MILLIS
  }

  get runs(): boolean {
    return this.#program !== undefined && !this.#program.hasEnded
  }

  /** A pod, another than the last one, and its process. */
  async live(name = this.name): Promise<void> {
    const { api, namespace, signal } = this.#site
    const before = this.pod?.metadata.uid
    this.name = name
    this.pod = await bear(api, { namespace, name, app: this.group.name }, signal, before)
    this.#restarts = 0
    await this.start()
  }

  async start(): Promise<void> {
    if (this.kind === 'nothing') return
    const { name, uid } = this.pod!.metadata
    const witnessed = {
      group: this.group.name,
      kind: this.kind,
      identity: `${name}#${(processes += 1)}`,
      holder: `${name}_${uid}`,
      startedMillis: monotonicMillis(),
    }
    this.#site.beliefs.started(witnessed)
    const { args, env } = await this.#command(witnessed.holder)
    const program = new Program(this.#site.scratch, {
      args,
      env: { ...env, POD_NAME: name, POD_UID: uid },
      onLine: (said) => this.#hear(witnessed, said),
      onComplaint: (text) => {
        this.#complaints.push(text)
        if (this.#complaints.length > COMPLAINTS) this.#complaints.shift()
      },
    })
    this.#program = program
    this.#witnessed = witnessed
    this.#isLeading = false
    this.#actedMillis = -Infinity
    void this.#follow(program, witnessed)
  }

  pause(): void {
    if (!this.runs) return
    this.#program!.pause()
    this.#site.beliefs.paused(this.#witnessed!, monotonicMillis())
  }

  resume(): void {
    if (!this.#program?.isPaused) return
    this.#site.beliefs.resumed(this.#witnessed!, monotonicMillis())
    this.#program.resume()
  }

  /** SIGKILL, and the kubelet says so. */
  async crash(): Promise<void> {
    await this.#program?.kill()
    await this.#showEnded()
  }

  /** As the kubelet does with a container that has ended. */
  async revive(): Promise<void> {
    const { api, signal } = this.#site
    const ended = this.#endedWallMillis
    await this.start()
    await showRestarted(api, this.pod!, ended, (this.#restarts += 1), signal)
  }

  /** SIGTERM, and SIGKILL if that takes too long. */
  async stop(): Promise<void> {
    const program = this.#program
    if (!program || program.hasEnded) return
    this.resume()
    program.signal('SIGTERM')
    const late = new AbortController()
    const limit = sleep(GRACEFUL_MILLIS, AbortSignal.any([late.signal, this.#site.signal])).then(
      () => program.kill(),
      () => undefined,
    )
    await program.ended
    late.abort()
    await limit
  }

  /** Deleted, ended in its own time, and gone. */
  async leave(): Promise<void> {
    const { api, signal } = this.#site
    await remove(api, this.pod!, signal)
    await this.stop()
    await finish(api, this.pod!, signal)
  }

  /** The object goes at once. Resolves to what ends the process that is left. */
  async vanish(): Promise<() => Promise<void>> {
    const { api, signal } = this.#site
    const program = this.#program
    await remove(api, this.pod!, signal, 0)
    return async () => void (await program?.kill())
  }

  async end(): Promise<void> {
    await this.#program?.kill()
    await this.line?.[Symbol.asyncDispose]()
  }

  complaints(): readonly string[] {
    return this.#complaints
  }

  async #showEnded(): Promise<void> {
    const { api, signal } = this.#site
    await showEnded(api, this.pod!, this.#endedWallMillis, signal)
  }

  /** Nobody told it to end. Programs on client-go do when they lose the Lease. */
  async #restart(): Promise<void> {
    if (this.kind !== 'client-go')
      this.#site.surprise(`${this.name} (${this.kind}) ended by itself`, [...this.#complaints])
    this.isBusy = true
    try {
      await this.#showEnded()
      await sleep(RESTART_MILLIS, this.#site.signal)
      await this.revive()
    } catch (error) {
      if (!this.#site.signal.aborted) this.#site.surprise(`${this.name} was not started again: ${String(error)}`, [])
    } finally {
      this.isBusy = false
    }
  }

  async #follow(program: Program, witnessed: Witnessed): Promise<void> {
    this.#site.beliefs.ended(witnessed, await program.ended)
    if (this.#program !== program) return
    this.#endedWallMillis = wallNow()
    this.#isLeading = false
    if (!this.isBusy && !this.#site.signal.aborted) await this.#restart()
  }

  #hear(witnessed: Witnessed, said: Said): void {
    this.#site.beliefs.hear(witnessed, said)
    if (this.#witnessed !== witnessed) return
    if (said.event === 'acts') this.#actedMillis = said.monotonicMillis
    if (said.event === 'leading') this.#isLeading = true
    if (said.event === 'stopped') this.#isLeading = false
  }

  async #command(identity: string): Promise<{ readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv }> {
    const { namespace, main } = this.#site
    const { kubeconfig } = this.#wiring!
    const lease = this.group.leaseName
    if (this.kind === 'elect') {
      const flags = [
        `--lease=${lease}`,
        `--namespace=${namespace}`,
        `--id=${identity}`,
        `--kubeconfig=${kubeconfig}`,
        `--lease-duration=${TIMING.leaseDurationSeconds}s`,
        `--renew-deadline=${TIMING.renewDeadlineSeconds}s`,
        `--retry-period=${TIMING.retryPeriodSeconds}s`,
      ]
      return { args: [NODE, main, 'elect', ...flags, '--', NODE, WORK] }
    }
    const flags = candidateArgs({ ...TIMING, kubeconfig, namespace, lease, identity, releaseOnCancel: true })
    if (this.kind === 'client-go') return { args: [...(await commandOf('client-go')), ...flags] }
    return { args: [...(await commandOf('leadergroup')), ...flags, `--act-every=${ACT_EVERY}`] }
  }
}

/** Those that may be hit now. */
export function idle(members: readonly Member[]): readonly Member[] {
  return members.filter(({ isBusy, pod, runs, kind }) => !isBusy && pod !== undefined && (runs || kind === 'nothing'))
}
