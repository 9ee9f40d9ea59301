import { constants } from 'node:os'
import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { parseElectFlags, parseSidecarFlags, type RawElectFlags, type RawSidecarFlags } from './elect/flags.ts'
import { withElectOptions, withSidecarOptions } from './elect/options.ts'
import { parseOperatorFlags, type RawFlags } from './flags.ts'
import { messageChain } from './log.ts'
import { withOperatorFlags } from './operator-options.ts'
import { parseCleanupFlags, parseExplainFlags, type RawCleanupFlags, type RawExplainFlags } from './question-flags.ts'
import { withCleanupOptions, withExplainOptions } from './question-options.ts'
import { UsageError } from './usage-error.ts'

/** The command line was wrong, and nothing was done. */
const EXIT_USAGE = 2
/** It was right, and something went wrong. */
const EXIT_FAULT = 1

async function main(): Promise<number> {
  let exitCode = 0
  const command = commandLine(stopOnSignals(), (code) => (exitCode = code))
  try {
    await command.parseAsync()
    return exitCode
  } catch (error) {
    // commander has said it already. Help and version, when asked for, are no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
    complain(messageChain(error))
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAULT
  }
}

function commandLine(signal: AbortSignal, exitWith: (code: number) => void): Command {
  const root = new Command('leadergroup')
    .description(manifest.description)
    .version(manifest.version)
    .exitOverride()
    .configureOutput({ outputError: (text) => complain(`${text.replace(/^error: /, '').trimEnd()}: see --help`) })
    .configureHelp({ showGlobalOptions: false })
  const surroundings = { env: process.env, stderr: process.stderr, version: manifest.version, signal }
  withOperatorFlags(root.command('operator'))
    .description('Run the operator: keep one leader in each LeaderGroup')
    .action(async (raw: RawFlags) => {
      const flags = parseOperatorFlags(raw)
      // Loaded only now, so that --help does not wait for it.
      const { runOperator } = await import('./operator.ts')
      await runOperator(flags, surroundings)
    })
  withElectOptions(root.command('elect'))
    .description('Run a command while this process leads, and only then')
    .action(async (words: readonly string[], raw: RawElectFlags) => {
      const flags = parseElectFlags(words, raw)
      exitWith(await (await import('./elect/elect.ts')).runElect(flags, surroundings))
    })
  withSidecarOptions(root.command('sidecar'))
    .description('Take part in an election and tell others on this machine who leads')
    .action(async (raw: RawSidecarFlags) => {
      const flags = parseSidecarFlags(raw)
      await (await import('./elect/sidecar.ts')).runSidecar(flags, surroundings)
    })
  root
    .command('guard', { hidden: true })
    .description('What elect and sidecar run commands with: not for people')
    .action(async () => (await import('./elect/guard.ts')).runGuard())
  const terminal = { env: process.env, stdin: process.stdin, stdout: process.stdout, version: manifest.version, signal }
  withExplainOptions(root.command('explain'))
    .description('Say who leads a LeaderGroup and why, and what would happen if that pod died')
    .action(async (name: string, raw: RawExplainFlags) => {
      const flags = parseExplainFlags(name, raw)
      await (await import('./questions.ts')).runExplain(flags, terminal)
    })
  withCleanupOptions(root.command('cleanup'))
    .description('Remove what is left of groups that no longer exist')
    .action(async (raw: RawCleanupFlags) => {
      const flags = parseCleanupFlags(raw)
      await (await import('./questions.ts')).runCleanup(flags, terminal)
    })
  return root
}

/** One line, whatever it is about. */
function complain(text: string): void {
  process.stderr.write(`leadergroup: ${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`)
}

/** The first signal asks for a graceful end, the second one makes an end. */
function stopOnSignals(): AbortSignal {
  const stopping = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(128 + constants.signals[name])
      stopping.abort(name)
    })
  }
  return stopping.signal
}

/**
 * Whoever reads may have seen enough and gone (`--help | head`). What is under way ends as it would, unread: an operator
 * whose log is no longer collected still leads.
 */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}

outliveReaders()
process.exitCode = await main()
