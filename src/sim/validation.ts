import { invalidValue, type Cause } from './cause.ts'
import { fieldAt, type StoredObject } from './stored-object.ts'

type Content = Readonly<Record<string, unknown>>

/** Go's layout for MicroTime: exactly six fractional digits. */
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/

const LEASE_STRINGS = ['holderIdentity', 'strategy', 'preferredHolder']
const LEASE_NUMBERS = ['leaseDurationSeconds', 'leaseTransitions']
const LEASE_TIMES = ['acquireTime', 'renewTime']

/** `strategy` and `preferredHolder` are dropped while coordinated leader election is off, which is the default. */
export const LEASE_FIELDS: readonly string[] = ['holderIdentity', ...LEASE_NUMBERS, ...LEASE_TIMES]

export const COORDINATED_LEASE_FIELDS: readonly string[] = [...LEASE_FIELDS, 'strategy', 'preferredHolder']

export function decodeLease(lease: Content): string | undefined {
  for (const field of LEASE_STRINGS) {
    const value = fieldAt(lease, `spec.${field}`)
    if (isSet(value) && typeof value !== 'string') return cannotUnmarshal(value, field, 'string')
  }
  for (const field of LEASE_NUMBERS) {
    const value = fieldAt(lease, `spec.${field}`)
    if (isSet(value) && !isInt32(value)) return cannotUnmarshal(value, field, 'int32')
  }
  for (const field of LEASE_TIMES) {
    const value = fieldAt(lease, `spec.${field}`)
    if (isSet(value) && !(typeof value === 'string' && MICRO_TIME.test(value))) {
      return `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05.000000Z07:00"`
    }
  }
  return undefined
}

export function validateLease(lease: Content): Cause[] {
  const causes: Cause[] = []
  const duration = fieldAt(lease, 'spec.leaseDurationSeconds')
  const transitions = fieldAt(lease, 'spec.leaseTransitions')
  if (typeof duration === 'number' && duration <= 0) {
    causes.push(invalidValue('spec.leaseDurationSeconds', duration, 'must be greater than 0'))
  }
  if (typeof transitions === 'number' && transitions < 0) {
    causes.push(invalidValue('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'))
  }
  return causes
}

export function validateEndpointSlice(slice: Content, before?: StoredObject): Cause[] {
  const addressType = slice['addressType']
  if (before === undefined || before['addressType'] === addressType) return []
  return [invalidValue('addressType', addressType, 'field is immutable')]
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null

const isInt32 = (value: unknown): boolean => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31

function cannotUnmarshal(value: unknown, field: string, goType: string): string {
  const json = typeof value === 'number' && goType === 'int32' ? `number ${value}` : typeof value
  return `json: cannot unmarshal ${json} into Go struct field LeaseSpec.spec.${field} of type ${goType}`
}
