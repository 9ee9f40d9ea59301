import type { Writable } from 'node:stream'
import { createLogger, format, transports } from 'winston'
import type { Clock } from '../clock.ts'
import { microTime } from '../election/micro-time.ts'
import { LOG_LEVELS, type Log, type LogFields, type LogLevel } from '../operator/log.ts'

export type LogFormat = 'text' | 'json'

interface Entry {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
  readonly time: string
}

/**
 * The log as winston writes it, one line an entry:
 * text: `2026-11-21T05:17:25.123Z INFO  db-1 leads in term 4 group=shop/db`
 * json: `{"ts":"2026-11-21T05:17:25.123Z","level":"info","msg":"db-1 leads in term 4","group":"shop/db"}`
 */
export function winstonLog(
  options: { readonly format: LogFormat; readonly level: LogLevel },
  clock: Clock,
  stream: Writable,
): Log {
  const line = options.format === 'json' ? jsonLine : textLine
  const logger = createLogger({
    level: options.level,
    format: format.printf((info) => line(info as unknown as Entry)),
    transports: [new transports.Stream({ stream })],
  })
  const isEnabled = (level: LogLevel): boolean => LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(options.level)
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      // Milliseconds: microseconds are no news in a log.
      const time = `${microTime(clock.wallNow()).slice(0, -4)}Z`
      if (isEnabled(level)) logger.log({ level, message, fields, time })
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error'), isEnabled }
}

function textLine({ level, message, fields, time }: Entry): string {
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${quoted(textOf(value))}`)
  return `${time} ${level.toUpperCase().padEnd(5)} ${message}${facts.join('')}`
}

function textOf(value: unknown): string {
  if (value instanceof Error) return messageChain(value)
  if (typeof value === 'string') return value
  // undefined for a function or a symbol.
  return JSON.stringify(value) ?? typeof value
}

function quoted(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}

function jsonLine({ level, message, fields, time }: Entry): string {
  const facts = Object.entries(fields).map(([name, value]) => [name, errorAsData(value, level === 'error')])
  // Twice: first in the line, and not replaced by a field of the same name.
  const head = { ts: time, level, msg: message }
  return JSON.stringify({ ...head, ...Object.fromEntries(facts), ...head })
}

/** An error and its causes as data. Stacks are for faults: what is only warned of would fill the log with them. */
function errorAsData(error: unknown, withStack: boolean): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, stack, cause, ...own } = error
  return {
    name,
    message,
    ...own,
    ...(withStack ? { stack } : {}),
    ...(cause === undefined ? {} : { cause: errorAsData(cause, withStack) }),
  }
}

/** What went wrong, and what caused it, as far as that says anything new. */
export function messageChain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.message === '' ? error.name : error.message
  // Such an error says nothing of its own: every address of a host refused the connection.
  const cause: unknown = error instanceof AggregateError && error.cause === undefined ? error.errors[0] : error.cause
  if (cause === undefined) return own
  const beneath = messageChain(cause)
  return own.includes(beneath) ? own : `${own}: ${beneath}`
}
