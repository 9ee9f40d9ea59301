/** `npm run demo`: the main job on a real Kubernetes API server, from one command. */
import { constants } from 'node:os'
import { Command } from 'commander'
import { abortOf } from '../../src/lock/abort-of.ts'
import { terminalProgress } from '../controlplane/progress.ts'
import { install } from './install.ts'
import { startOperator } from './operator.ts'
import { failOver, leader, makeNamespace, removeNamespace, setTheScene, show } from './play.ts'
import { ownStage, usersStage } from './stage.ts'

interface Flags {
  readonly context?: string
  readonly kubeconfig?: string
  readonly keep?: boolean
  readonly verbose?: boolean
}

const flags: Flags = new Command('demo')
  .description('A LeaderGroup on a real Kubernetes API server: elects a leader, deletes it, and shows the failover')
  .option('--context <name>', 'use this context of your kubeconfig instead of a control plane of its own')
  .option('--kubeconfig <file>', 'kubeconfig for --context')
  .option('--keep', 'leave it running until Ctrl-C, to play with')
  .option('--verbose', "show the operator's log")
  .parse()
  .opts()

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const end = new AbortController()
let signalled: NodeJS.Signals | undefined
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (signalled) process.exit(128 + constants.signals[name])
    signalled = name
    end.abort(new Error(`stopped by ${name}`))
  })
}

/** What has to be undone at the end, newest first. */
const undo: (() => Promise<void>)[] = []

try {
  await demo(end.signal)
} catch (error) {
  if (!end.signal.aborted) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
} finally {
  if (undo.length > 0) say('Cleaning up')
  for (const step of undo) await step().catch((error: unknown) => process.stderr.write(`demo: ${String(error)}\n`))
}
process.exit(signalled && !flags.keep ? 128 + constants.signals[signalled] : process.exitCode)

async function demo(signal: AbortSignal): Promise<void> {
  const { context, kubeconfig, keep = false, verbose = false } = flags
  if (kubeconfig !== undefined && context === undefined) throw new Error('--kubeconfig needs --context NAME')
  say(
    context === undefined
      ? 'Starting a control plane: etcd, kube-apiserver, kube-controller-manager'
      : `Using context ${context}`,
  )
  const stage =
    context === undefined ? await ownStage(terminalProgress(), signal) : await usersStage({ context, kubeconfig })
  undo.unshift(() => stage.close())
  signal.throwIfAborted()

  undo.unshift(await install(stage.api))
  say('Installed: crds/ and config/rbac/')
  const namespace = await makeNamespace(stage, signal)
  undo.unshift(() => removeNamespace(stage, namespace))
  const operator = await startOperator(stage, namespace, (line) => verbose && say(`  ${line}`), signal)
  undo.unshift(() => operator.stop())
  say('The operator runs, with the permissions of config/rbac/ and nothing more')

  // Watches and the played kubelet end before the cluster does.
  const scene = new AbortController()
  undo.unshift(() => Promise.resolve(scene.abort(new Error('the demo is over'))))
  const script = { stage, namespace, say, signal: AbortSignal.any([signal, scene.signal]) }
  const observer = await setTheScene(script)
  say(`${await leader(stage, namespace, signal)} leads`)
  await show(script)
  say('')
  say(`${await failOver(script, observer)} leads now`)
  await show(script)
  if (keep) await playOn(`${stage.kubectlCommand} --namespace ${namespace}`, signal)
}

async function playOn(kubectl: string, signal: AbortSignal): Promise<void> {
  say('')
  say('It goes on running until Ctrl-C. To play with it:')
  say(`  ${kubectl} get leadergroups --watch`)
  say(`  ${kubectl} get pods --show-labels`)
  say(`  ${kubectl} delete pod db-0`)
  // Node ends when nothing is left to wait for; the watches keep it running.
  await abortOf(signal)
}
