import { strict as assert } from 'node:assert'
import { Command } from 'commander'
import { DEFAULT_TIMING } from '../../election/timing.ts'
import { UsageError } from '../usage-error.ts'
import {
  parseElectFlags,
  parseSidecarFlags,
  type ElectFlags,
  type RawElectFlags,
  type RawSidecarFlags,
  type SidecarFlags,
} from './flags.ts'
import { withElectOptions, withSidecarOptions } from './options.ts'

const words = (line: string): string[] => line.split(' ').filter((word) => word !== '')

function elect(line: string): ElectFlags {
  const command = withElectOptions(new Command('elect')).exitOverride()
  command.parse(words(line), { from: 'user' })
  return parseElectFlags(command.args, command.opts<RawElectFlags>())
}

function sidecar(line: string): SidecarFlags {
  const command = withSidecarOptions(new Command('sidecar')).exitOverride()
  command.parse(words(line), { from: 'user' })
  return parseSidecarFlags(command.opts<RawSidecarFlags>())
}

const CANDIDATE = {
  cluster: { kubeconfig: undefined, context: undefined },
  lease: 'db',
  namespace: undefined,
  identity: undefined,
  timing: DEFAULT_TIMING,
  termLimitSeconds: 0,
  log: { format: 'text', level: 'info' },
} as const
const ELECT: ElectFlags = { ...CANDIDATE, onLost: 'contend', command: undefined }
const SIDECAR: SidecarFlags = {
  ...CANDIDATE,
  address: { host: '127.0.0.1', port: 4040 },
  file: undefined,
  onStart: undefined,
  onStop: undefined,
}

describe('flags of elect', () => {
  const rows: readonly [string, Partial<ElectFlags>][] = [
    ['--lease db', {}],
    // What follows is not ours, whatever it looks like.
    ['--lease db -- sh -c true --lease x', { command: ['sh', '-c', 'true', '--lease', 'x'] }],
    ['--lease db -n shop --id a', { namespace: 'shop', identity: 'a' }],
    ['--lock-name db --lock-namespace shop', { namespace: 'shop' }],
    ['--lease-lock-name db --lease-lock-namespace=shop', { namespace: 'shop' }],
    ['--lease db --lock-name db', {}],
    [
      '--lease db --lease-duration 6s --renew-deadline 3s --retry-period 1s',
      {
        timing: { ...DEFAULT_TIMING, leaseDurationSeconds: 6, renewDeadlineSeconds: 3, retryPeriodSeconds: 1 },
      },
    ],
    ['--lease db --term-limit 10m --on-lost exit', { termLimitSeconds: 600, onLost: 'exit' }],
  ]
  for (const [line, expected] of rows) {
    it(line, () => assert.deepEqual(elect(line), { ...ELECT, ...expected }))
  }

  const wrong: readonly [string, string][] = [
    ['', '--lease: name the Lease that the candidates compete for'],
    ['--lease a --lock-name b', '--lease and --lock-name mean the same: give one of them'],
    [
      '--lease A_ -n B_ --on-lost shrug --term-limit soon',
      '--lease "A_": this is no name of a Lease; --namespace "B_": this is no name of a namespace; ' +
        '--term-limit "soon": write a duration like 5s or 1500ms; --on-lost "shrug": write one of contend, exit',
    ],
    [
      '--lease db --renew-deadline 15s',
      'leaseDuration must be greater than renewDeadline: 15 s is not greater than 15 s',
    ],
  ]
  for (const [line, message] of wrong) {
    it(`refuses ${line || 'nothing'}`, () => assert.throws(() => elect(line), new UsageError(message)))
  }
})

describe('flags of sidecar', () => {
  const rows: readonly [string, Partial<SidecarFlags>][] = [
    ['--lease db', {}],
    ['--lease db --bind-address 0 --file /f', { address: undefined, file: '/f' }],
    [
      '--lease db --bind-address :80 --on-start a --on-stop b',
      { address: { host: undefined, port: 80 }, onStart: 'a', onStop: 'b' },
    ],
  ]
  for (const [line, expected] of rows) {
    it(line, () => assert.deepEqual(sidecar(line), { ...SIDECAR, ...expected }))
  }
})
