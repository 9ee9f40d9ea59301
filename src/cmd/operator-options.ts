import { Option, type Command } from 'commander'
import { LOG_LEVELS } from '../operator/log.ts'
import { LOG_FORMATS } from './flags.ts'

const OPERATOR_HELP = `
Each flag can also be given in the environment: --lease-duration as LEADERGROUP_LEASE_DURATION.

Examples:
  leadergroup operator                                all namespaces of the current context
  leadergroup operator --namespace shop --dry-run     say what would be done in one namespace, and do nothing
  leadergroup operator --leader-elect=false           a single replica that acts at once`

/** Adds the flags to the command. Those of controller-runtime's operators have the same names and meanings here. */
export function withOperatorFlags(command: Command): Command {
  const option = (flags: string, description: string): Option => {
    const [name] = /--[a-z-]+/.exec(flags)!
    return new Option(flags, description).env(`LEADERGROUP${name.slice(1).replaceAll('-', '_').toUpperCase()}`)
  }
  const all = [
    option('-n, --namespace <name>', 'namespace to serve; several times, or separated by commas')
      .argParser((text: string, before: readonly string[]) => [...before, ...text.split(',')])
      .default([], 'all'),
    option('--leader-elect [true|false]', 'act only while holding a Lease, so that several replicas can run')
      .preset('true')
      .default('true'),
    new Option('--no-leader-elect', 'act at once; never run a second replica then'),
    option('--leader-election-namespace <name>', "namespace of that Lease (default: the pod's, or the context's)"),
    option('--leader-election-id <name>', 'name of that Lease').default('leadergroup-operator'),
    option('--lease-duration <duration>', 'how long a replica that died keeps the others waiting').default('5s'),
    option('--renew-deadline <duration>', 'how long it acts on after it last renewed the Lease').default('3s'),
    option('--retry-period <duration>', 'time between two renewals').default('1s'),
    option('--health-probe-bind-address <address>', 'where to serve /healthz and /readyz; 0: nowhere').default(':8081'),
    option('--metrics-bind-address <address>', 'where to serve /metrics, in plain HTTP; 0: nowhere').default(':8080'),
    option('--log-format <format>', `how to log, to stderr: ${LOG_FORMATS.join(' or ')}`).default('text'),
    option('--log-level <level>', `what to log: ${LOG_LEVELS.join(', ')}`).default('info'),
    option('--dry-run [true|false]', 'decide and log, but write nothing').preset('true').default('false'),
    option(
      '--kubeconfig <file>',
      'kubeconfig to use (default: $KUBECONFIG, ~/.kube/config, then the pod’s own account)',
    ),
    option('--context <name>', 'context of the kubeconfig to use'),
  ]
  for (const each of all) command.addOption(each)
  return command.configureHelp({ optionDescription: describe }).addHelpText('after', OPERATOR_HELP)
}

/** With its default alone: commander would add the preset and the name in the environment to each. */
function describe({ description, defaultValue, defaultValueDescription }: Option): string {
  const value = defaultValueDescription ?? (defaultValue as string | undefined)
  return value === undefined ? description : `${description} (default: ${value})`
}
