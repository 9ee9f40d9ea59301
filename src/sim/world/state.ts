/** What a group is like when a fault strikes. */
export const STATES = ['led', 'moving', 'leaderless'] as const
export type State = (typeof STATES)[number]
