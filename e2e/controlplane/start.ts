/** Starts an embedded control plane: etcd, kube-apiserver and kube-controller-manager as processes of one directory. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveBinaries } from './binaries.ts'
import { type Binary, COMPONENTS } from './binary.ts'
import { ControlPlane, type Processes } from './controlplane.ts'
import { eventually } from './eventually.ts'
import { AUDIT_POLICY, FILES, type FlagOptions, HOST, type Ports } from './flags.ts'
import { apiServerFlags, controllerManagerFlags, etcdFlags } from './flags.ts'
import { freePorts } from './ports.ts'
import { get } from './probe.ts'
import { type Progress, silent } from './progress.ts'
import { type Scratch, openScratch } from './scratch.ts'
import { Server, StartFailure } from './server.ts'
import { ADMIN, CONTROLLER_MANAGER, type User, kubeconfig, tokenFile, users } from './users.ts'

/** Each server answers after 1 to 5 s on two idle cores; this is for a machine that is very busy. */
const READY_MILLIS = 90_000

export interface ControlPlaneOptions extends Partial<FlagOptions> {
  /** Where everything is kept; it must not exist. Default: a fresh temporary directory. */
  readonly dir?: string
  /** Leaves the directory when the control plane ends. */
  readonly keepDir?: boolean
  /** Users with a static token, besides the admin and the components. */
  readonly users?: readonly Omit<User, 'token'>[]
  readonly progress?: Progress
  /** Ends the start, and nothing later. */
  readonly signal?: AbortSignal
}

type Binaries = Record<(typeof COMPONENTS)[number], Binary>

const DEFAULTS: FlagOptions = {
  fsync: false,
  auditLog: false,
  controllerManager: true,
  address: HOST,
  nodes: false,
  featureGates: {},
  extraApiServerArgs: [],
  extraControllerManagerArgs: [],
}

/**
 * Resolves when the API server is ready and, with a controller manager, when service accounts are being made.
 * Rejects with a {@link StartFailure} that names the server and has the end of its log; nothing is left behind then.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { progress = silent, signal = new AbortController().signal } = options
  const binaries = await resolveBinaries({ components: COMPONENTS, progress, signal })
  try {
    return await startOnce(binaries, options, signal)
  } catch (error) {
    // Between finding a free port and listening on it somebody else can take it. Twice in a row is something else.
    if (!(error instanceof StartFailure && error.portTaken)) throw error
    progress.say('a port was taken by another process in the meantime, trying others')
    return await startOnce(binaries, options, signal)
  }
}

async function startOnce(binaries: Binaries, options: ControlPlaneOptions, signal: AbortSignal): Promise<ControlPlane> {
  const keep = options.keepDir ?? false
  const scratch = await openScratch(options.dir === undefined ? { keep } : { dir: options.dir, keep })
  try {
    return await startIn(scratch, binaries, options, signal)
  } catch (error) {
    await scratch.close()
    throw error
  }
}

async function startIn(
  scratch: Scratch,
  binaries: Binaries,
  options: ControlPlaneOptions,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const { dir } = scratch
  const flags = { ...DEFAULTS, ...options }
  const [etcd, etcdPeer, apiserver] = (await freePorts(3)) as [number, number, number]
  const ports: Ports = { etcd, etcdPeer, apiserver }
  const known = users(options.users)
  const site: Site = { scratch, binaries, flags, ports, url: `https://${flags.address}:${apiserver}`, users: known }
  await writeFiles(site)
  const processes = servers(site)
  await processes.etcd.start(signal)
  await processes.apiserver.start(signal)
  const ca = await certificate(dir)
  await writeFile(join(dir, 'admin.kubeconfig'), kubeconfig(site.url, ca, userNamed(known, ADMIN)), { mode: 0o600 })
  if (processes.controllerManager) {
    const config = kubeconfig(site.url, ca, userNamed(known, CONTROLLER_MANAGER))
    await writeFile(join(dir, FILES.controllerManagerConfig), config, { mode: 0o600 })
    await processes.controllerManager.start(signal)
  }
  return new ControlPlane({
    scratch,
    processes,
    users: known,
    kubectl: binaries.kubectl,
    ca,
    server: site.url,
    etcdUrl: `http://${HOST}:${etcd}`,
    auditLogPath: flags.auditLog ? join(dir, FILES.auditLog) : undefined,
  })
}

interface Site {
  readonly scratch: Scratch
  readonly binaries: Binaries
  readonly flags: FlagOptions
  readonly ports: Ports
  readonly url: string
  readonly users: readonly User[]
}

/** What has to be there before the first start. */
async function writeFiles({ scratch: { dir }, flags, users: known }: Site): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  await mkdir(join(dir, 'logs'))
  await writeFile(join(dir, FILES.tokens), tokenFile(known), { mode: 0o600 })
  await writeFile(join(dir, FILES.signingKey), privateKey, { mode: 0o600 })
  await writeFile(join(dir, FILES.publicKey), publicKey)
  if (flags.auditLog) await writeFile(join(dir, FILES.auditPolicy), JSON.stringify(AUDIT_POLICY))
}

function servers(site: Site): Processes {
  const { scratch, binaries, flags, ports, url } = site
  const token = userNamed(site.users, ADMIN).token
  const ask = async (path: string, signal: AbortSignal): Promise<true | undefined> => {
    const ca = await certificate(scratch.dir).catch(missing)
    return ca && (await get(url + path, { ca, token, signal })) === 200 ? true : undefined
  }
  const server = (name: keyof Binaries, args: readonly string[], ready: Question): Server =>
    new Server(scratch, {
      name,
      binary: binaries[name],
      args,
      logPath: join(scratch.dir, 'logs', `${name}.log`),
      ready: async (signal) => {
        await eventually({ what: ready.what, millis: READY_MILLIS, signal }, () => ready.ask(signal))
      },
    })
  const etcd = server('etcd', etcdFlags(scratch.dir, ports, flags), {
    what: 'a healthy etcd',
    ask: (signal) => etcdHealth(`http://${HOST}:${ports.etcd}/health`, signal),
  })
  const apiserver = server('kube-apiserver', apiServerFlags(scratch.dir, ports, flags), {
    what: 'a ready API server',
    ask: (signal) => ask('/readyz', signal),
  })
  if (!flags.controllerManager) return { etcd, apiserver }
  const controllerManager = server('kube-controller-manager', controllerManagerFlags(scratch.dir, flags), {
    // Its last controllers start with this one; and without this account no pod is admitted.
    what: 'the default service account',
    ask: (signal) => ask('/api/v1/namespaces/default/serviceaccounts/default', signal),
  })
  return { etcd, apiserver, controllerManager }
}

interface Question {
  readonly what: string
  readonly ask: (signal: AbortSignal) => Promise<true | undefined>
}

async function etcdHealth(url: string, signal: AbortSignal): Promise<true | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) })
    await response.arrayBuffer()
    return response.ok ? true : undefined
  } catch (error) {
    signal.throwIfAborted()
    // Nobody listens yet: fetch says so with a TypeError. Not in time: it hangs, or is paused.
    if (error instanceof TypeError || (error as Error).name === 'TimeoutError') return undefined
    throw error
  }
}

function certificate(dir: string): Promise<string> {
  return readFile(join(dir, FILES.certificate), 'utf8')
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function userNamed(all: readonly User[], name: string): User {
  const user = all.find((each) => each.name === name)
  if (!user) throw new Error(`no user ${name}`)
  return user
}
