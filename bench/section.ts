import type { Figure } from './figure.ts'

/** What can be measured by itself, in the order in which it is. */
export const SECTIONS = ['failover', 'heal', 'shards', 'resources', 'quiet', 'restart', 'electors', 'crowd'] as const
export type Section = (typeof SECTIONS)[number]

/** What one run of a section measured, and on what. */
export interface Measured {
  /** ISO 8601, when it began. */
  readonly at: string
  readonly minutes: number
  readonly machine: string
  /** How many processes wanted to run, on average over a minute, when it began and ended. The bench's own are among them. */
  readonly load: readonly [begun: number, ended: number]
  readonly figures: readonly Figure[]
}

/** The latest run of each section. */
export type Measurements = { readonly [S in Section]?: Measured }
