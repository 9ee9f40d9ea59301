import assert from 'node:assert/strict'
import {
  anything,
  assert as check,
  constantFrom,
  dictionary,
  letrec,
  oneof,
  option,
  property,
  string,
} from 'fast-check'
import { runs } from '../../sim/runs.ts'
import { electingContainers, isOf, shownContainers, standstillOf, type ObservedContainer } from './containers.ts'
import { NOON_10, at, watched } from './follow-fixtures.ts'

const FINISHED = at('12:10:12')
const terminated = (change: object = {}): object => ({
  terminated: { exitCode: 137, reason: 'Error', startedAt: at('12:00:01'), finishedAt: FINISHED, ...change },
})
const RUNNING = { running: { startedAt: at('12:00:01') } }
const BACK_OFF = { waiting: { reason: 'CrashLoopBackOff' } }

function version(...containerStatuses: readonly object[]): { spec: object; status: object } {
  return { spec: { containers: [{ name: 'app' }] }, status: { containerStatuses } }
}

const app = (state: object, lastState: object = {}): object => ({ name: 'app', state, lastState })

function inWords({ name, state, end }: ObservedContainer): string {
  return `${name} ${state}${end ? `, ended :${end.finishedAt - NOON_10} at ${end.seenAt}${end.witnessed ? '' : '?'}` : ''}`
}

describe('electing containers', () => {
  for (const [rule, pod, is] of [
    ['running', version(app(RUNNING)), ['app running']],
    ['terminated', version(app(terminated())), ['app ended, ended :12 at 10?']],
    [
      'terminated well',
      version(app(terminated({ reason: 'Completed', exitCode: 0 }))),
      ['app ended, ended :12 at 10?'],
    ],
    ['restarted', version(app(RUNNING, terminated())), ['app running, ended :12 at 10?']],
    ['waiting to be restarted', version(app(BACK_OFF, terminated())), ['app waiting, ended :12 at 10?']],
    ['not started yet', version(app({ waiting: { reason: 'ContainerCreating' } })), ['app waiting']],
    ['no status', version(), ['app unknown']],
    ['no state', version({ name: 'app' }), ['app unknown']],
    ['two statuses', version(app(terminated()), app(terminated())), ['app unknown']],
    ['two states at once', version(app({ ...RUNNING, ...terminated() })), ['app running']],
    [
      'an end that the kubelet invented',
      version(app(terminated({ reason: 'ContainerStatusUnknown' }))),
      ['app unknown'],
    ],
    ['an end without reason', version(app(terminated({ reason: undefined }))), ['app unknown']],
    ['an end with an empty reason', version(app(terminated({ reason: '' }))), ['app unknown']],
    ['an end without time', version(app(terminated({ finishedAt: null }))), ['app unknown']],
    ['an end with a time that is none', version(app(terminated({ finishedAt: 'now' }))), ['app unknown']],
    [
      'an invented end after a true one',
      version(app(terminated({ reason: 'ContainerStatusUnknown' }), terminated({ finishedAt: at('12:10:02') }))),
      ['app unknown, ended :2 at 10?'],
    ],
    [
      'a container whose name is none',
      { spec: { containers: [{ name: {} }] }, status: { containerStatuses: [{ name: '', state: terminated() }] } },
      [' unknown'],
    ],
    ['a pod without spec', { status: {} }, []],
    ['nothing at all', {}, []],
  ] as const) {
    it(rule, () =>
      assert.deepEqual(electingContainers(undefined, shownContainers(pod, undefined), 10).map(inWords), is),
    )
  }

  const mixed = {
    spec: {
      containers: [{ name: 'app' }, { name: 'log' }],
      initContainers: [{ name: 'prepare' }, { name: 'proxy', restartPolicy: 'Always' }],
      ephemeralContainers: [{ name: 'debug' }],
    },
    status: {
      containerStatuses: [app(RUNNING)],
      initContainerStatuses: [{ name: 'prepare', state: terminated() }],
      ephemeralContainerStatuses: [{ name: 'debug', state: RUNNING }],
    },
  }
  for (const [rule, named, is] of [
    [
      'are all that run beside one another',
      undefined,
      ['app running', 'log unknown', 'proxy unknown', 'debug running'],
    ],
    ['are the one that the annotation names', 'app', ['app running']],
    ['… of any kind', 'prepare', ['prepare ended, ended :12 at 10?']],
    ['are none if it names none', 'elector', []],
    ['are none if it is empty', '', []],
  ] as const) {
    it(rule, () => assert.deepEqual(electingContainers(undefined, shownContainers(mixed, named), 10).map(inWords), is))
  }

  it('are known by their names, also one that comes later', () => {
    const first = shownContainers(version(app(terminated())), undefined)
    const before = electingContainers(undefined, first, 10)
    const [shown] = first
    const later = electingContainers(before, [{ name: 'debug', state: 'waiting', finishedAt: undefined }, shown!], 11)
    assert.deepEqual(later.map(inWords), ['debug waiting', 'app ended, ended :12 at 10?'])
  })

  it('keep an end as it was first seen', () => {
    const versions = [version(app(RUNNING)), version(app(terminated())), version(app(RUNNING, terminated()))]
    assert.deepEqual(watched(versions).electing.map(inWords), ['app running, ended :12 at 11'])
  })
  it('keep an end that a later status forgets', () => {
    const versions = [version(app(RUNNING)), version(app(terminated())), version(app(BACK_OFF)), version()]
    assert.deepEqual(watched(versions).electing.map(inWords), ['app unknown, ended :12 at 11'])
  })
  it('take a later end for the earlier one', () => {
    const again = terminated({ finishedAt: at('12:10:40') })
    const versions = [
      version(app(terminated())),
      version(app(RUNNING, terminated())),
      version(app(again, terminated())),
    ]
    assert.deepEqual(watched(versions).electing.map(inWords), ['app ended, ended :40 at 12'])
  })

  const json = letrec((tie) => ({
    value: oneof(string(), constantFrom(null, 0, -1, 1e300, true, FINISHED, 'app'), tie('list'), tie('object')),
    list: oneof(
      constantFrom([]),
      option(tie('value')).map((value) => [value, value]),
    ),
    object: dictionary(
      constantFrom(
        'name',
        'state',
        'lastState',
        'terminated',
        'running',
        'reason',
        'finishedAt',
        '__proto__',
        'containers',
      ),
      tie('value'),
      { maxKeys: 4 },
    ),
  })).value

  it('are found in any JSON, and never shown ended without a reason and a time', () => {
    check(
      property(
        oneof(json, anything()),
        oneof(json, anything()),
        option(string()),
        (containers, containerStatuses, named) => {
          const pod = { spec: { containers }, status: { containerStatuses } }
          for (const { state, end } of electingContainers(undefined, shownContainers(pod, named ?? undefined), 1)) {
            assert.ok(state !== 'ended' || end !== undefined)
            if (end) assert.match(JSON.stringify(containerStatuses), /"finishedAt".*"reason"|"reason".*"finishedAt"/)
          }
        },
      ),
      runs(2000),
    )
  })
})

describe('standstill', () => {
  const at13 = terminated({ finishedAt: at('12:10:13') })
  const pair = (a: object, b: object): { spec: object; status: object } => ({
    spec: { containers: [{ name: 'app' }, { name: 'log' }] },
    status: { containerStatuses: [app(a, terminated()), { name: 'log', state: b, lastState: at13 }] },
  })
  for (const [rule, versions, is] of [
    ['none while all run', [pair(RUNNING, RUNNING)], undefined],
    ['none while one runs', [pair(RUNNING, RUNNING), pair(terminated(), RUNNING)], undefined],
    ['the latest end, when none runs', [pair(RUNNING, RUNNING), pair(terminated(), at13)], [13, 11, true]],
    ['also when one waits for its restart', [pair(RUNNING, RUNNING), pair(BACK_OFF, at13)], [13, 11, true]],
    ['not under our eyes, when it was there at first sight', [pair(terminated(), at13)], [13, 10, false]],
    [
      'stays known after a restart',
      [pair(RUNNING, RUNNING), pair(terminated(), at13), pair(RUNNING, at13)],
      [13, 11, true],
    ],
    ['is not new when it is shown again', [pair(terminated(), at13), pair(BACK_OFF, BACK_OFF)], [13, 10, false]],
    ['none without containers', [{ spec: {}, status: {} }], undefined],
  ] as const) {
    it(rule, () => {
      const { standstill } = watched(versions)
      const found = standstill && [standstill.finishedAt - NOON_10, standstill.seenAt, standstill.witnessed]
      assert.deepEqual(found, is)
    })
  }

  for (const [names, is] of [
    [['app', 'proxy'], true],
    [['proxy', 'app'], true],
    [['app'], false],
    [['app', 'other'], false],
    [['app', 'proxy', 'other'], false],
  ] as const) {
    it(`of app and proxy is ${is ? '' : 'not '}of ${names.join(' and ')}`, () => {
      const standstill = { finishedAt: 0, seenAt: 1, witnessed: true, names: ['app', 'proxy'] }
      assert.equal(
        isOf(
          standstill,
          names.map((name) => ({ name, state: 'ended', end: undefined })),
        ),
        is,
      )
    })
  }

  it('is of the containers that were meant', () => {
    const [ended] = watched([version(app(terminated()))]).electing
    assert.ok(ended)
    assert.deepEqual(standstillOf(undefined, [ended], 5)?.names, ['app'])
  })
})
