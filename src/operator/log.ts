/** In this order: a log that is enabled for one is enabled for all after it. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Facts beside the message, by name. An Error is written with its causes; undefined is left out. */
export type LogFields = Readonly<Record<string, unknown>>

/** Where the operator says what it does. How a line looks, and where it goes, is the command line's affair. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** Whether a line of this level would be written: for fields that are costly to make. */
  isEnabled(level: LogLevel): boolean
}
