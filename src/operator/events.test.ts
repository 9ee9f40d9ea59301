import { strict as assert } from 'node:assert'
import type { GroupEvent } from '../group/events.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import { Api } from '../kube/api.ts'
import type { TransportRequest } from '../kube/transport.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { eventObject, Events, type Event } from './event.ts'
import { EventRecorder } from './events.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'

const group: LeaderGroup = {
  metadata: { name: 'db', namespace: 'shop', uid: 'group-uid', resourceVersion: '7' },
  spec: { selector: { matchLabels: { app: 'db' } } },
}
const elected: GroupEvent = {
  type: 'Normal',
  reason: 'LeaderElected',
  action: 'Elect',
  note: 'db-0 leads in term 1',
  relatedPod: { name: 'db-0', uid: 'pod-uid' },
}

const ignore = (): void => {}

/** A recorder against the in-memory API server; `before` may hold or lose its requests. */
function setUp(options: { dryRun?: boolean; before?: (request: TransportRequest) => Promise<undefined> } = {}) {
  const clock = new VirtualClock()
  const server = new ApiServer(clock)
  const requests: string[] = []
  const transport = server.transport({
    before: async (request) => {
      requests.push(request.method)
      return options.before?.(request)
    },
  })
  const said: string[] = []
  const log: Log = {
    debug: (message) => void said.push(message),
    info: ignore,
    warn: ignore,
    error: ignore,
    isEnabled: () => true,
  }
  const metrics = new Metrics(clock)
  const api = new Api(transport, clock)
  const recorder = new EventRecorder({ api, clock, log, metrics, instance: 'pod-1', dryRun: options.dryRun ?? false })
  const stored = async (): Promise<readonly Event[]> => {
    const listed = await new Api(server.transport(), clock).list(Events, { namespace: 'shop' })
    assert(listed.kind === 'ok')
    return listed.object.items
  }
  const dropped = async (): Promise<string | undefined> =>
    /^leadergroup_events_dropped_total (\d+)$/m.exec(await metrics.text())?.[1]
  return { clock, recorder, requests, said, stored, dropped }
}

const counts = (events: readonly Event[]): (number | undefined)[] => events.map(({ series }) => series?.count)

describe('EventRecorder', () => {
  it('writes an event with everything that events.k8s.io/v1 asks for', async () => {
    const { clock, recorder, stored } = setUp()
    recorder.record(group, elected)
    await clock.settle()
    const [event, ...more] = await stored()
    assert.equal(more.length, 0)
    assert.match(event?.metadata.name ?? '', /^db\.[0-9a-f]{16}$/)
    const { metadata: _, ...rest } = event!
    assert.deepEqual(rest, {
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'leadergroup.io/operator',
      reportingInstance: 'pod-1',
      type: 'Normal',
      reason: 'LeaderElected',
      action: 'Elect',
      note: 'db-0 leads in term 1',
      regarding: {
        apiVersion: 'leadergroup.io/v1alpha1',
        kind: 'LeaderGroup',
        namespace: 'shop',
        name: 'db',
        uid: 'group-uid',
        resourceVersion: '7',
      },
      related: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'db-0', uid: 'pod-uid' },
    })
  })

  it('counts repetitions in one object: the first at once, the others once a minute', async () => {
    const { clock, recorder, requests, stored } = setUp()
    for (let second = 0; second < 30; second++) {
      recorder.record(group, elected)
      await clock.advance(1000)
    }
    assert.deepEqual(requests, ['POST', 'PATCH'])
    assert.deepEqual(counts(await stored()), [2])
    await clock.advance(60_000)
    const [event] = await stored()
    assert.deepEqual(event?.series, { count: 30, lastObservedTime: '2026-01-01T00:00:29.000000Z' })
    assert.deepEqual(requests, ['POST', 'PATCH', 'PATCH'])
    await clock.advance(3_600_000)
    assert.equal(requests.length, 3, 'nothing is written when nothing happens')
  })

  it('puts what happens while it is being created into its series', async () => {
    const { clock, recorder, requests, stored } = setUp()
    recorder.record(group, elected)
    recorder.record(group, elected)
    recorder.record(group, elected)
    await clock.settle()
    assert.deepEqual(counts(await stored()), [3])
    assert.deepEqual(requests, ['POST', 'PATCH'])
  })

  const distinct: readonly [string, LeaderGroup, GroupEvent, number][] = [
    ['words', group, { ...elected, note: 'db-0 leads in term 2' }, 0],
    ['pod', group, { ...elected, relatedPod: { name: 'db-0', uid: 'another' } }, 0],
    ['group', { ...group, metadata: { ...group.metadata, uid: 'recreated' } }, elected, 0],
    ['time, 6 minutes later', group, elected, 360_000],
  ]
  for (const [what, anotherGroup, another, millis] of distinct) {
    it(`makes a new event of other ${what}`, async () => {
      const { clock, recorder, stored } = setUp()
      recorder.record(group, elected)
      await clock.advance(millis)
      recorder.record(anotherGroup, another)
      await clock.settle()
      assert.deepEqual(counts(await stored()), [undefined, undefined])
    })
  }

  it('tries once, counts and logs what is lost, and begins anew afterwards', async () => {
    let fails = true
    const { clock, recorder, requests, said, stored, dropped } = setUp({
      before: () => (fails ? Promise.reject(new Error('connection reset')) : Promise.resolve(undefined)),
    })
    recorder.record(group, elected)
    await clock.advance(60_000)
    assert.deepEqual(requests, ['POST'])
    assert.equal(await dropped(), '1')
    assert.deepEqual(said, ['a Kubernetes event was lost'])
    fails = false
    recorder.record(group, elected)
    await clock.settle()
    assert.deepEqual(counts(await stored()), [undefined])
  })

  it('drops the oldest when more than 1000 wait', async () => {
    const gate = Promise.withResolvers<undefined>()
    const { clock, recorder, stored, dropped } = setUp({ before: () => gate.promise })
    for (let term = 0; term <= 1002; term++) recorder.record(group, { ...elected, note: `term ${term}` })
    await clock.settle()
    gate.resolve(undefined)
    await clock.settle()
    const notes = (await stored()).map(({ note }) => note)
    assert.equal(await dropped(), '2')
    assert.equal(notes.length, 1001)
    // term 0 was being written already.
    assert.deepEqual(
      [notes.includes('term 1'), notes.includes('term 2'), notes.includes('term 3')],
      [false, false, true],
    )
  })

  it('remembers the last 4096: what happens again after that is a new event', async () => {
    const { clock, recorder, stored } = setUp()
    for (let term = 0; term <= 4096; term++) {
      recorder.record(group, { ...elected, note: `term ${term}` })
      if (term % 1000 === 0) await clock.settle()
    }
    for (const note of ['term 0', 'term 2']) recorder.record(group, { ...elected, note })
    await clock.settle()
    const again = (await stored()).filter(({ note }) => note === 'term 0' || note === 'term 2')
    assert.deepEqual(again.map(({ note, series }) => `${note}: ${series?.count ?? 1}`).toSorted(), [
      'term 0: 1',
      'term 0: 1',
      'term 2: 2',
    ])
  })

  it('writes pending counts when it stops, and takes nothing more', async () => {
    const { clock, recorder, stored } = setUp()
    for (let times = 0; times < 5; times++) {
      recorder.record(group, elected)
      await clock.advance(1000)
    }
    assert.deepEqual(counts(await stored()), [2])
    await recorder.stop()
    recorder.record(group, { ...elected, note: 'too late' })
    await clock.settle()
    assert.deepEqual(counts(await stored()), [5])
    assert.equal(clock.nextTimerAt(), undefined, 'no timer is left')
  })

  it('stops within 2 s, whatever the API server does', async () => {
    const { clock, recorder, dropped } = setUp({ before: () => new Promise(() => {}) })
    recorder.record(group, elected)
    recorder.record(group, { ...elected, note: 'another' })
    await clock.settle()
    let stopped = false
    const stopping = recorder.stop().then(() => (stopped = true))
    await clock.advance(1999)
    assert.equal(stopped, false)
    await clock.advance(1)
    assert.equal(stopped, true)
    await stopping
    assert.equal(await dropped(), '2')
  })

  it('writes nothing in a dry run', async () => {
    const { clock, recorder, requests } = setUp({ dryRun: true })
    recorder.record(group, elected)
    await recorder.stop()
    await clock.settle()
    assert.deepEqual(requests, [])
  })
})

describe('eventObject', () => {
  const reporter = { instance: 'i'.repeat(200), wallMillis: 1.5, sequence: 1 }
  it('keeps to the limits of the API', () => {
    const { note, reportingInstance } = eventObject(group, { ...elected, note: 'ä'.repeat(600) }, reporter)
    assert.equal(Buffer.byteLength(note), 1023)
    assert.match(note, /^ä{510}…$/)
    assert.equal(reportingInstance.length, 128)
    const whole = 'x'.repeat(1024)
    assert.equal(eventObject(group, { ...elected, note: whole }, reporter).note, whole)
  })
  it('names events of one microsecond differently', () => {
    assert.equal(eventObject(group, elected, reporter).metadata.name, `db.${(1_500_001).toString(16)}`)
  })
})
