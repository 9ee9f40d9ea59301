/** What a program of the benchmark says of itself, a line each. */
import { writeSync } from 'node:fs'
import { type Line, monotonicMillis } from '../e2e/candidates/line.ts'

/** What a crowd says of itself, once a second. */
export interface Usage {
  readonly event: 'usage'
  readonly monotonicMillis: number
  readonly cpuSeconds: number
  readonly residentBytes: number
}

/** In one write: the process may be killed at any moment. */
export function say(event: Line['event'], leader?: string): void {
  const line = { event, leader, monotonicMillis: monotonicMillis(), wallMillis: Date.now() } satisfies object
  writeSync(1, `${JSON.stringify(line)}\n`)
}

export function sayUsage(): void {
  const { user, system } = process.cpuUsage()
  const line: Usage = {
    event: 'usage',
    monotonicMillis: monotonicMillis(),
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
  }
  writeSync(1, `${JSON.stringify(line)}\n`)
}
