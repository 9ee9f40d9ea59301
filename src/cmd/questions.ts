import { createInterface } from 'node:readline/promises'
import { systemClock as clock } from '../clock.ts'
import { cleanUp, type Dialog } from './cleanup.ts'
import { withConnection } from './connection.ts'
import { explainGroup } from './explain.ts'
import type { CleanupFlags, ExplainFlags } from './question-flags.ts'

/** What the process gives to a command that answers and ends. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly version: string
  /** Aborts to give up. */
  readonly signal: AbortSignal
}

/** `leadergroup explain`. */
export function runExplain(flags: ExplainFlags, terminal: Terminal): Promise<void> {
  return withConnection(flags.cluster, terminal, async (connection) => {
    const { namespace = connection.namespace, name, output } = flags
    terminal.stdout.write(await explainGroup(connection.api, clock, { namespace, name, output }, terminal.signal))
  })
}

/** `leadergroup cleanup`. */
export function runCleanup({ cluster, scope, dryRun, yes }: CleanupFlags, terminal: Terminal): Promise<void> {
  return withConnection(cluster, terminal, (connection) => {
    const namespace = scope.all ? undefined : (scope.namespace ?? connection.namespace)
    return cleanUp(connection.api, clock, { namespace, dryRun, yes }, dialogOn(terminal), terminal.signal)
  })
}

function dialogOn({ stdin, stdout, signal }: Terminal): Dialog {
  const print = (line: string): void => void stdout.write(`${line}\n`)
  if (!stdin.isTTY || !stdout.isTTY) return { print }
  return {
    print,
    async confirm(question) {
      using lines = createInterface({ input: stdin, output: stdout })
      // Ctrl-D answers nothing: the interface closes, and its question stays open for ever.
      const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('\n')))
      const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), closed])
      if (answer === '\n') print('')
      return /^y(es)?$/i.test(answer.trim())
    },
  }
}
