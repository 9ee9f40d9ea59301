import { strict as assert } from 'node:assert'
import type { LeaderElectionConfig } from './config.ts'
import { violationOf } from './violation.ts'

const lock = { identity: 'a', lock: { name: 'db' }, describe: () => 'default/db' }
const callbacks = { onStartedLeading: () => undefined, onStoppedLeading: () => undefined }
const valid: LeaderElectionConfig = {
  lock,
  callbacks,
  leaseDurationSeconds: 15,
  renewDeadlineSeconds: 10,
  retryPeriodSeconds: 2,
}

type Changes = { readonly [Name in keyof LeaderElectionConfig]?: LeaderElectionConfig[Name] | undefined }

const LEASE = 'leaseDuration must be greater than renewDeadline'
const RENEW = 'renewDeadline must be greater than retryPeriod*JitterFactor'
const STARTED = 'OnStartedLeading callback must not be nil'
const STOPPED = 'OnStoppedLeading callback must not be nil'

const CASES: readonly (readonly [string, Changes, string | undefined])[] = [
  ['nothing', {}, undefined],
  ['a lease as long as the deadline', { leaseDurationSeconds: 10 }, LEASE],
  ['a lease a nanosecond longer', { leaseDurationSeconds: 10.000000001 }, undefined],
  ['a deadline of exactly 1.2 retry periods', { renewDeadlineSeconds: 2.4 }, RENEW],
  ['a deadline a nanosecond longer', { renewDeadlineSeconds: 2.400000001 }, undefined],
  ['a retry period of zero', { retryPeriodSeconds: 0 }, 'retryPeriod must be greater than zero'],
  ['one of half a nanosecond less', { retryPeriodSeconds: -4e-10 }, 'retryPeriod must be greater than zero'],
  [
    'a negative deadline',
    { renewDeadlineSeconds: -1, retryPeriodSeconds: -2 },
    'renewDeadline must be greater than zero',
  ],
  [
    'a negative lease',
    { leaseDurationSeconds: -1, renewDeadlineSeconds: -2, retryPeriodSeconds: -3 },
    'leaseDuration must be greater than zero',
  ],
  [
    'a lease of zero',
    { leaseDurationSeconds: 0, renewDeadlineSeconds: -1, retryPeriodSeconds: -2 },
    'leaseDuration must be greater than zero',
  ],
  ['no durations at all', { leaseDurationSeconds: undefined, renewDeadlineSeconds: undefined }, LEASE],
  ['all three', { leaseDurationSeconds: 1, renewDeadlineSeconds: 1, retryPeriodSeconds: 0, lock: undefined }, LEASE],
  ['no retry period and no lock', { retryPeriodSeconds: 0, lock: undefined }, 'retryPeriod must be greater than zero'],
  ['no callbacks', { callbacks: undefined, lock: undefined }, STARTED],
  ['no OnStoppedLeading', { callbacks: { ...callbacks, onStoppedLeading: undefined as never } }, STOPPED],
  ['no lock', { lock: undefined }, 'Lock must not be nil.'],
  ['no identity', { lock: { ...lock, identity: '' } }, 'Lock identity is empty'],
]

describe('the violation of a configuration', () => {
  for (const [what, changes, message] of CASES) {
    it(`with ${what} wrong is: ${message ?? 'none'}`, () => {
      assert.equal(violationOf({ ...valid, ...changes } as LeaderElectionConfig), message)
    })
  }
})
