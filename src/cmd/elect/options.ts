import { Argument, Option, type Command } from 'commander'
import { LOG_LEVELS } from '../../operator/log.ts'
import { LOG_FORMATS } from '../flags.ts'
import { ON_LOST } from './flags.ts'

const ALIASES = `
The flags of client-go's example work too: --lock-name and --lease-lock-name for --lease, --lock-namespace and
--lease-lock-namespace for --namespace.`

const ELECT_HELP = `
The command finds LEADERGROUP_TERM, LEADERGROUP_TOKEN and LEADERGROUP_IDENTITY in its environment. When the term is lost it
gets SIGTERM, and SIGKILL before another can lead. When it ends by itself, the Lease is released, and its exit code is
this program's. SIGTERM and SIGINT are passed on to it. Without a command this only logs who leads.
${ALIASES}

Examples:
  leadergroup elect --lease db -- /usr/bin/worker --once
  leadergroup elect --lease db --on-lost exit -- sh -c 'exec worker --term "$LEADERGROUP_TERM"'
  leadergroup elect --lease db                        only look on, and lead without doing anything`

const SIDECAR_HELP = `
Serves GET /leader (JSON), /readyz?leader (200 while leading), and /events (server-sent events of changes).
${ALIASES}

Examples:
  leadergroup sidecar --lease db
  leadergroup sidecar --lease db --file /run/leader/deadline --on-start 'pg_ctl promote'`

export function withElectOptions(command: Command): Command {
  return withCandidateOptions(command)
    .addArgument(new Argument('[command...]', 'what to run while leading, after --'))
    .addOption(new Option('--on-lost <what>', `after a lost term: ${ON_LOST.join(' or ')}`).default('contend'))
    .addHelpText('after', ELECT_HELP)
}

export function withSidecarOptions(command: Command): Command {
  return withCandidateOptions(command)
    .addOption(new Option('--bind-address <address>', 'where to serve; 0: nowhere').default('127.0.0.1:4040'))
    .addOption(new Option('--file <path>', 'file that exists only while leading, and holds the deadline'))
    .addOption(new Option('--on-start <command>', 'run by sh when a term begins'))
    .addOption(new Option('--on-stop <command>', 'run by sh when it has ended, before the Lease is released'))
    .addHelpText('after', SIDECAR_HELP)
}

function withCandidateOptions(command: Command): Command {
  const all = [
    new Option('--lease <name>', 'Lease that the candidates compete for'),
    new Option('-n, --namespace <name>', "its namespace (default: the pod's, or the context's)"),
    new Option('--id <identity>', 'unique among all candidates (default: $POD_NAME_$POD_UID, or host name and random)'),
    new Option('--lease-duration <duration>', 'how long a candidate that died keeps the others waiting').default('15s'),
    new Option('--renew-deadline <duration>', 'how long it leads on after it last renewed the Lease').default('10s'),
    new Option('--retry-period <duration>', 'time between two renewals').default('2s'),
    new Option('--term-limit <duration>', 'how long a term lasts before others get the chance; 0: no limit').default(
      '0',
    ),
    new Option('--log-format <format>', `how to log, to stderr: ${LOG_FORMATS.join(' or ')}`).default('text'),
    new Option('--log-level <level>', `what to log: ${LOG_LEVELS.join(', ')}`).default('info'),
    new Option(
      '--kubeconfig <file>',
      'kubeconfig to use (default: $KUBECONFIG, ~/.kube/config, then the pod’s own account)',
    ),
    new Option('--context <name>', 'context of the kubeconfig to use'),
    ...['--lock-name', '--lease-lock-name', '--lock-namespace', '--lease-lock-namespace'].map((flag) =>
      new Option(`${flag} <name>`).hideHelp(),
    ),
  ]
  for (const each of all) command.addOption(each)
  return command.configureHelp({
    optionDescription: ({ description, defaultValue }) =>
      defaultValue === undefined ? description : `${description} (default: ${String(defaultValue)})`,
  })
}
