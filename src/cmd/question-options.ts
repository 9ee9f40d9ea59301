import { Argument, Option, type Command } from 'commander'
import { EXPLAIN_FORMATS } from './question-flags.ts'

const EXPLAIN_HELP = `
Reads the group, its Lease, and the pods, Services and EndpointSlices of its namespace, asks the operator's own rules
about them, and changes nothing. Exit code 1 when there is no such group.

Examples:
  leadergroup explain db
  leadergroup explain db --namespace shop --output json`

const CLEANUP_HELP = `
Needed when the operator or the CRD was removed before the groups were: pods keep their labels and annotations then,
and EndpointSlices, Services and Leases may be left. What belongs to a group that exists is never touched. Where an
operator runs, all this goes by itself.

Examples:
  leadergroup cleanup --all-namespaces --dry-run      see what is left
  leadergroup cleanup --namespace shop --yes          remove it without being asked`

export function withExplainOptions(command: Command): Command {
  command
    .addArgument(new Argument('<group>', 'name of the LeaderGroup'))
    .addOption(new Option('-n, --namespace <name>', "its namespace (default: the context's)"))
    .addOption(new Option('-o, --output <format>', `how to answer: ${EXPLAIN_FORMATS.join(', ')}`).default('text'))
  return withCluster(command).addHelpText('after', EXPLAIN_HELP)
}

export function withCleanupOptions(command: Command): Command {
  command
    .addOption(new Option('-n, --namespace <name>', "namespace to clean (default: the context's)"))
    .addOption(new Option('-A, --all-namespaces', 'clean all namespaces'))
    .addOption(new Option('--dry-run', 'say what is left, and change nothing'))
    .addOption(new Option('-y, --yes', 'do not ask'))
  return withCluster(command).addHelpText('after', CLEANUP_HELP)
}

function withCluster(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--kubeconfig <file>',
        'kubeconfig to use (default: $KUBECONFIG, ~/.kube/config, then the pod’s own account)',
      ),
    )
    .addOption(new Option('--context <name>', 'context of the kubeconfig to use'))
    .configureHelp({
      optionDescription: ({ description, defaultValue }) =>
        defaultValue === undefined ? description : `${description} (default: ${String(defaultValue)})`,
    })
}
