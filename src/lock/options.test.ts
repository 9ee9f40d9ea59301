import { strict as assert } from 'node:assert'
import { VirtualClock } from '../sim/clock.ts'
import { InvalidOptionsError } from './errors.ts'
import type { Lock } from './lock.ts'
import { parseOptions, type ElectorOptions } from './options.ts'
import { NOWHERE, type Surroundings } from './surroundings.ts'

const lock: Lock = {
  describe: 'a lock',
  read: () => Promise.resolve('absent'),
  write: () => Promise.resolve('conflict'),
}
const kube = { getCurrentCluster: () => ({ server: 'https://k8s' }), applyToHTTPSOptions: () => Promise.resolve() }
const POD: Surroundings = {
  ...NOWHERE,
  identity: () => 'pod_uid',
  namespace: () => 'of-pod',
  hasCluster: () => true,
}

/** As JavaScript may give them. */
const violations = (options: unknown, surroundings: Surroundings = POD): readonly string[] => {
  try {
    parseOptions(options as ElectorOptions, surroundings)
    return []
  } catch (error) {
    assert(error instanceof InvalidOptionsError)
    assert.equal(error.message, error.violations.join('; '))
    return error.violations
  }
}

type Row = readonly [options: unknown, ...violations: string[]]

const ROWS: readonly Row[] = [
  [{ lock }],
  [{ lock: { name: 'db' } }],
  [{ lock: { name: 'db.example', namespace: 'ns', labels: { 'example.com/app': 'db', empty: '' } }, kube }],
  [{ lock, identity: 'a', termLimitSeconds: 0.5, onError: () => undefined, clock: new VirtualClock() }],
  [{ lock, identity: undefined, leaseDurationSeconds: undefined, onChallenge: undefined }],
  [{}, 'lock must be a lock or the name of a Lease: it is undefined'],
  [{ lock: 'db' }, 'lock must be a lock or the name of a Lease: it is "db"'],
  [{ lock: null }, 'lock must be a lock or the name of a Lease: it is null'],
  [{ lock: {} }, 'lock.name must be a DNS subdomain such as "db" or "db.example": it is undefined'],
  [{ lock: { name: 'Db' } }, 'lock.name must be a DNS subdomain such as "db" or "db.example": it is "Db"'],
  [
    { lock: { name: 'a'.repeat(254), namespace: 'a.b' } },
    `lock.name must be a DNS subdomain such as "db" or "db.example": it is "${'a'.repeat(254)}"`,
    'lock.namespace must be a DNS label such as "default": it is "a.b"',
  ],
  [
    { lock: { name: 'db', labels: { app: 'd b', '/x': 'y', n: 1 } } },
    'lock.labels must be Kubernetes labels: {"app":"d b"} is none',
    'lock.labels must be Kubernetes labels: {"/x":"y"} is none',
    'lock.labels must be Kubernetes labels: {"n":1} is none',
  ],
  [{ lock: { name: 'db', labels: 'app=db' } }, 'lock.labels must be an object of label values: it is "app=db"'],
  [{ lock, kube }, 'kube must not be given with a lock that has its own cluster'],
  [{ lock: { name: 'db' }, kube: {} }, 'kube must be a KubeConfig: it is {}'],
  [
    { lock: { name: 'db' }, kube: { ...kube, getCurrentCluster: () => null } },
    'kube must have a current context with a cluster: it has none',
  ],
  [
    { lock: { name: 'db' }, kube: { ...kube, getCurrentCluster: () => ({ server: 'k8s' }) } },
    'kube must name a server by its URL: it is "k8s"',
  ],
  [
    { lock, leaseDuration: 15, signal: undefined, onLost: () => undefined, toString: 1 },
    'leaseDuration is no option',
    'onLost is no option',
    'toString is no option',
  ],
  [{ lock: { name: 'db', nameSpace: 'shop' } }, 'lock.nameSpace is no option'],
  [{ lock, identity: '' }, 'identity must not be empty'],
  [{ lock, identity: 7 }, 'identity must be a string: it is 7'],
  [{ lock, termLimitSeconds: -1 }, 'termLimit must be 0, for none, or a number of seconds: it is -1'],
  [{ lock, termLimitSeconds: NaN }, 'termLimit must be 0, for none, or a number of seconds: it is NaN'],
  [{ lock, termLimitSeconds: '60' }, 'termLimit must be 0, for none, or a number of seconds: it is "60"'],
  [{ lock, leaseDurationSeconds: '15' }, 'leaseDurationSeconds must be a number: it is "15"'],
  [{ lock, onError: 'console.error' }, 'onError must be a function: it is "console.error"'],
  [{ lock, random: 0.5 }, 'random must be a function: it is 0.5'],
  [
    {
      lock: { name: 'x_y' },
      kube: {},
      identity: '',
      leaseDurationSeconds: 10.5,
      renewDeadlineSeconds: 11,
      retryPeriodSeconds: 10,
      clockDrift: '0',
      termLimitSeconds: Infinity,
      onOverrun: {},
    },
    'clockDrift must be a number: it is "0"',
    'leaseDuration must be a whole number of seconds from 2 to 2147483647: it is 10.5 s',
    'leaseDuration must be greater than renewDeadline: 10.5 s is not greater than 11 s',
    'renewDeadline must be greater than retryPeriod*JitterFactor: 11 s is not greater than 10 s * 1.2',
    'termLimit must be 0, for none, or a number of seconds: it is Infinity',
    'identity must not be empty',
    'lock.name must be a DNS subdomain such as "db" or "db.example": it is "x_y"',
    'kube must be a KubeConfig: it is {}',
    'onOverrun must be a function: it is {}',
  ],
]

describe('elector options', () => {
  for (const [options, ...expected] of ROWS) {
    it(`${describeOptions(options)}: ${expected.length === 0 ? 'valid' : expected.join('; ')}`, () => {
      assert.deepEqual(violations(options), expected)
    })
  }

  it('leave to the process and the pod what they do not say', () => {
    const settings = parseOptions({ lock: { name: 'db' } }, POD)
    assert.deepEqual([settings.identity, settings.lock.describe], ['pod_uid', 'Lease of-pod/db'])
    const own = parseOptions({ lock: { name: 'db', namespace: 'own' }, identity: 'me' }, POD)
    assert.deepEqual([own.identity, own.lock.describe], ['me', 'Lease own/db'])
  })

  it('must say where the process knows nothing', () => {
    assert.deepEqual(violations({ lock: { name: 'db' } }, NOWHERE), [
      'identity must not be empty',
      'lock.namespace must be given: this is no pod, whose own could be meant',
      'kube must be given: this is no pod, and there is no kubeconfig',
    ])
  })

  it('have no limit of terms unless told', () => {
    const limit = (termLimitSeconds?: number): number =>
      parseOptions({ lock, ...(termLimitSeconds === undefined ? {} : { termLimitSeconds }) }, POD).termLimitMillis
    assert.deepEqual([limit(), limit(0), limit(1.5)], [Infinity, Infinity, 1_500])
  })
})

function describeOptions(options: unknown): string {
  const text = JSON.stringify(options, (_key, value: unknown) => (typeof value === 'function' ? '() => …' : value))
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
