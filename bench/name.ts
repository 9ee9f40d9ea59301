export const NAMES = ['failover', 'resources', 'heal', 'quiet', 'restart'] as const

/** What can be asked for by name. */
export type Name = (typeof NAMES)[number]
