/** `npm run cluster up|down|status`: a cluster with three nodes on this machine, for playing and for trying things out. */
import { Command } from 'commander'
import { terminalProgress } from '../controlplane/progress.ts'
import { down } from './down.ts'
import { keep } from './keep.ts'
import { Unmet } from './requirements.ts'
import { status } from './status.ts'
import { up } from './up.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const program = new Command('cluster').description(
  'A Kubernetes cluster with three nodes on this machine: containerd, kubelet and kube-proxy in namespaces of their own (root on Linux)',
)
program
  .command('up')
  .description('start it; it runs until `down`')
  .option('--install', 'build the image of the operator, load it and apply config/default')
  .action(({ install = false }: { install?: boolean }) => up({ install, say }))
program
  .command('down')
  .description('end it, and take away all that it or a crashed one has left on the machine')
  .action(() => down(say))
program
  .command('status')
  .description('what runs, and how to reach it')
  .action(() => status(say))
program
  .command('keep', { hidden: true })
  .option('--install')
  .action(({ install = false }: { install?: boolean }) => keep({ install, progress: terminalProgress() }))

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`cluster: ${error instanceof Unmet ? error.message : String(error)}\n`)
  process.exitCode = error instanceof Unmet ? 3 : 1
}
