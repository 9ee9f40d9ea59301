import type { LogFields } from '../../operator/log.ts'
import type { LeaseSpec } from '../../kube/objects.ts'
import type { Deed, PlannedEvent } from './plan.ts'

/** A server shows an event after a later one of another type. */
export const OVERTAKEN = 'events out of order'

/** The name of a fault, however long it lasts and whomever it strikes. */
export function faultName(deed: PlannedEvent): string {
  switch (deed.do) {
    case 'endPod':
      return `${deed.who === 'all' ? 'every pod' : deed.who} ${deed.how}`
    case 'operator':
    case 'stop':
      return `${strikes(deed.which)} ${deed.how}`
    case 'killAfterWrite':
    case 'stepWall':
    case 'silence':
      return `${strikes(deed.which)} ${deed.do}`
    case 'cut':
      return `${strikes(deed.which)} cut${deed.withError ? ' with an error' : ''}`
    case 'weather': {
      const { effect } = deed
      return `${strikes(deed.which)} ${effect.kind === 'answer' ? `answer ${effect.status}` : effect.kind}`
    }
    case 'serverDown':
      return deed.server === 'all' ? 'all servers down' : 'a server down'
    case 'freeze':
      return deed.what === 'all' ? 'a server stands still' : `the watch cache of ${deed.what} stands still`
    case 'compact':
      return `compaction told by ${deed.refusal}`
    case 'hand':
      return `hand ${deed.what}`
    case 'strangers':
      return `strangers write ${deed.what}`
  }
}

function strikes(which: Extract<Deed, { which: unknown }>['which']): string {
  return which === 'holders' || which === 'followers' ? 'candidate' : 'operator'
}

/** The branches of the group's `decide` that an operator carried out, by what it logs of them. */
export function decided(message: string, fields: LogFields | undefined): readonly string[] {
  const changes = fields?.['changes']
  if (typeof changes !== 'string') return []
  return [`reason ${withoutNames(message)}`, ...changes.split(', ').map((change) => `act ${withoutNames(change)}`)]
}

function withoutNames(text: string): string {
  return text
    .replaceAll(/"[^"]*"/g, '…')
    .replaceAll(/\b(db|queue|cache)(-ro)?(-\w+)*\b/g, '…')
    .replaceAll(/\d+/g, 'N')
    .replaceAll(/…((, | and )…)+/g, '…')
}

/** The branches of the election's `decide`, by what a write makes of the Lease. */
export function elected(before: LeaseSpec | undefined, after: LeaseSpec | undefined, mine: string): string {
  const was = before?.holderIdentity ?? ''
  const is = after?.holderIdentity ?? ''
  if (!before) return 'election create'
  if (is === '') return 'election release'
  if (is !== mine) return 'election other'
  if (was === '') return 'election acquire free'
  if (was !== mine) return 'election acquire expired'
  return before.leaseTransitions === after?.leaseTransitions ? 'election renew' : 'election begin anew'
}
