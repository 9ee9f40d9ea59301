import { strict as assert } from 'node:assert'
import { Command } from 'commander'
import { parseOperatorFlags, type OperatorFlags, type RawFlags } from './flags.ts'
import { withOperatorFlags } from './operator-options.ts'
import { UsageError } from './usage-error.ts'

/** What the command line means. */
function flagsOf(...args: string[]): OperatorFlags {
  const command = withOperatorFlags(new Command('operator')).exitOverride()
  command.parse(args, { from: 'user' })
  return parseOperatorFlags(command.opts<RawFlags>())
}

const DEFAULTS: OperatorFlags = {
  cluster: { kubeconfig: undefined, context: undefined },
  namespaces: [],
  election: {
    namespace: undefined,
    name: 'leadergroup-operator',
    leaseDurationSeconds: 5,
    renewDeadlineSeconds: 3,
    retryPeriodSeconds: 1,
  },
  health: { host: undefined, port: 8081 },
  metrics: { host: undefined, port: 8080 },
  log: { format: 'text', level: 'info' },
  dryRun: false,
}
const election = DEFAULTS.election!

describe('operator flags', () => {
  const rows: readonly [string, Partial<OperatorFlags>][] = [
    ['', {}],
    ['--namespace a --namespace b,c -n a', { namespaces: ['a', 'b', 'c'] }],
    ['--leader-elect', {}],
    ['--leader-elect --dry-run', { dryRun: true }],
    ['--leader-elect=true', {}],
    ['--leader-elect=false', { election: undefined }],
    ['--no-leader-elect', { election: undefined }],
    // What is not used is not judged.
    ['--no-leader-elect --lease-duration 1s', { election: undefined }],
    [
      '--leader-election-namespace ops --leader-election-id mine.v1',
      { election: { ...election, namespace: 'ops', name: 'mine.v1' } },
    ],
    [
      '--lease-duration 1m --renew-deadline 40s --retry-period 2500ms',
      { election: { ...election, leaseDurationSeconds: 60, renewDeadlineSeconds: 40, retryPeriodSeconds: 2.5 } },
    ],
    ['--health-probe-bind-address 0 --metrics-bind-address=', { health: undefined, metrics: undefined }],
    ['--metrics-bind-address [::1]:9090', { metrics: { host: '::1', port: 9090 } }],
    ['--health-probe-bind-address :0 --metrics-bind-address :0', { health: ANY_PORT(), metrics: ANY_PORT() }],
    ['--log-format json --log-level debug', { log: { format: 'json', level: 'debug' } }],
    ['--kubeconfig f --context c', { cluster: { kubeconfig: 'f', context: 'c' } }],
  ]
  for (const [line, expected] of rows) {
    it(line || 'none', () => {
      assert.deepEqual(flagsOf(...line.split(' ').filter((word) => word !== '')), { ...DEFAULTS, ...expected })
    })
  }

  function ANY_PORT() {
    return { host: undefined, port: 0 }
  }

  const refused: readonly [string, string][] = [
    ['--namespace A_', '--namespace "A_": this is no name of a namespace'],
    ['--leader-election-namespace A_', '--leader-election-namespace "A_": this is no name of a namespace'],
    ['--leader-election-id A_', '--leader-election-id "A_": this is no name of a Lease'],
    ['--leader-elect=maybe', '--leader-elect "maybe": write true or false'],
    ['--dry-run=1', '--dry-run "1": write true or false'],
    ['--log-level loud', '--log-level "loud": write one of debug, info, warn, error'],
    ['--log-format xml', '--log-format "xml": write one of text, json'],
    [
      '--metrics-bind-address 8080',
      '--metrics-bind-address "8080": write an address like :8081 or 127.0.0.1:8081, or 0',
    ],
    ['--lease-duration 5', '--lease-duration "5": write a duration like 5s or 1500ms'],
    ['--metrics-bind-address :8081', '--health-probe-bind-address and --metrics-bind-address are both :8081'],
    [
      '--renew-deadline 4500ms',
      'leaseDuration must be at least (1 + clockDrift) * renewDeadline, or two may lead at once: 5 s is less than 1.2 * 4.5 s',
    ],
    [
      '--namespace A_ --dry-run=1 --retry-period x',
      '--namespace "A_": this is no name of a namespace; --retry-period "x": write a duration like 5s or 1500ms; ' +
        '--dry-run "1": write true or false',
    ],
  ]
  for (const [line, message] of refused) {
    it(`refuses ${line}`, () => {
      assert.throws(
        () => flagsOf(...line.split(' ')),
        (error) => error instanceof UsageError && error.message === message,
      )
    })
  }

  it('are frozen, all through', () => {
    const flags = flagsOf()
    assert.throws(() => Object.assign(flags.election!, { name: 'other' }), TypeError)
    assert.throws(() => (flags.namespaces as string[]).push('other'), TypeError)
  })

  it('come from the environment too, and the command line wins', () => {
    const env = { LEADERGROUP_NAMESPACE: 'a,b', LEADERGROUP_LEADER_ELECT: 'false', LEADERGROUP_LOG_LEVEL: 'warn' }
    Object.assign(process.env, env)
    try {
      const { namespaces, election: elects, log } = flagsOf('--log-level', 'error')
      assert.deepEqual([namespaces, elects, log.level], [['a', 'b'], undefined, 'error'])
      assert.deepEqual(flagsOf('--namespace', 'c').namespaces, ['c'])
    } finally {
      for (const name of Object.keys(env)) delete process.env[name]
    }
  })

  it('have each a name in the environment', () => {
    const { options } = withOperatorFlags(new Command('operator'))
    const named = options.filter(({ long }) => long !== '--no-leader-elect').map(({ long, envVar }) => [long, envVar])
    for (const [long, envVar] of named) {
      assert.equal(envVar, `LEADERGROUP_${long!.slice(2).replaceAll('-', '_').toUpperCase()}`)
    }
    assert.equal(named.length, 14)
  })
})
