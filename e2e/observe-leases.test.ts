import assert from 'node:assert/strict'
import { systemClock } from '../src/clock.ts'
import { type LeaseSpec, Leases, type Pod } from '../src/kube/objects.ts'
import { must } from './controlplane/must.ts'
import { FollowedGroup } from './followed-group.ts'
import { observeSuite, observedWell } from './observe-suite.ts'
import { isLabelled } from './operator-scene.ts'
import type { PodSpec } from './pods.ts'
import { together } from './together.ts'

const HUGE = 2 ** 31 - 1

/** What electors, people and accidents leave in a Lease. */
interface Shape {
  readonly what: string
  readonly spec: (pod: Pod, other: Pod) => LeaseSpec
  /** Of the pod that may be meant, and of the other one. */
  readonly pods?: readonly [Partial<PodSpec>?, ((pod: Pod) => Partial<PodSpec>)?]
  /** Or why nobody does. */
  readonly says: 'the pod leads' | readonly [reason: string, words?: RegExp]
}

const LEADS = 'the pod leads'

const shapes: readonly Shape[] = [
  { what: 'no spec', spec: () => ({}), says: ['LeaseReleased'] },
  { what: 'a holder that is null', spec: () => held(null), says: ['LeaseReleased'] },
  { what: 'an empty holder', spec: () => held(''), says: ['LeaseReleased'] },
  { what: 'a holder named __proto__', spec: () => held('__proto__'), says: ['HolderUnknown', /no pod of this group/] },
  { what: 'a holder named constructor', spec: () => held('constructor'), says: ['HolderUnknown'] },
  { what: 'a holder of a kilobyte', spec: () => held('🦊'.repeat(256)), says: ['HolderUnknown'] },
  { what: 'a holder of two lines', spec: ({ metadata }) => held(`${metadata.name}\n`), says: ['HolderUnknown'] },
  { what: 'an underscore and nothing else', spec: () => held('_'), says: ['HolderUnknown'] },
  { what: 'the name of no pod', spec: ({ metadata }) => held(`${metadata.name}0`), says: ['HolderUnknown'] },
  { what: 'the name in capitals', spec: ({ metadata }) => held(metadata.name.toUpperCase()), says: ['HolderUnknown'] },
  { what: 'the name', spec: ({ metadata }) => held(metadata.name), says: LEADS },
  { what: 'the name, _ and nothing', spec: ({ metadata }) => held(`${metadata.name}_`), says: LEADS },
  { what: 'the name, _ and anything', spec: ({ metadata }) => held(`${metadata.name}_x_y/z`), says: LEADS },
  { what: 'the UID', spec: ({ metadata }) => held(metadata.uid), says: LEADS },
  { what: 'the IP', spec: ({ status }) => held(status!.podIP!), says: LEADS },
  {
    what: 'the IP of a node',
    pods: [{ hostNetwork: true, ip: '10.7.7.7' }],
    spec: () => held('10.7.7.7'),
    says: ['HolderUnknown', /address of a node/],
  },
  {
    what: 'the IP of two pods',
    pods: [{ ip: '10.7.7.8' }, () => ({ ip: '10.7.7.8' })],
    spec: () => held('10.7.7.8'),
    says: ['HolderAmbiguous'],
  },
  {
    what: 'the UID of one pod, which is the name of another',
    pods: [{}, ({ metadata }) => ({ name: metadata.uid })],
    spec: ({ metadata }) => held(metadata.uid),
    says: ['HolderAmbiguous'],
  },
  {
    what: 'a pod that is not selected',
    pods: [{ labels: { app: 'somebody-else' } }],
    spec: ({ metadata }) => held(metadata.name),
    says: ['HolderUnknown', /not selected/],
  },
  { what: 'nothing but a holder', spec: ({ metadata }) => ({ holderIdentity: metadata.name }), says: LEADS },
  {
    what: 'null in every other field',
    spec: ({ metadata }) => ({
      holderIdentity: metadata.name,
      leaseDurationSeconds: null,
      acquireTime: null,
      renewTime: null,
      leaseTransitions: null,
    }),
    says: LEADS,
  },
  {
    what: 'the longest duration',
    spec: ({ metadata }) => ({ ...held(metadata.name), leaseDurationSeconds: HUGE }),
    says: LEADS,
  },
  {
    what: 'the most transitions',
    spec: ({ metadata }) => ({ ...held(metadata.name), leaseTransitions: HUGE }),
    says: LEADS,
  },
  {
    what: 'times long past',
    spec: ({ metadata }) => ({ ...held(metadata.name), ...times('1970-01-01T00:00:00.000000Z') }),
    says: LEADS,
  },
  {
    what: 'times of the far future',
    spec: ({ metadata }) => ({ ...held(metadata.name), ...times('9999-12-31T23:59:59.999999Z') }),
    says: LEADS,
  },
]

describe('a group in mode Observe on a Lease of any shape', () => {
  const suite = observeSuite()
  const group = (name: string): FollowedGroup => new FollowedGroup(suite, name)

  describe('that names', () => {
    together(Object.fromEntries(shapes.map((shape, index) => [shape.what, () => tell(shape, `shape-${index}`)])))
  })

  describe('whose fields the server refuses, there is nothing to follow', () => {
    const refused: readonly (readonly [string, LeaseSpec])[] = [
      ['a duration of 0', { leaseDurationSeconds: 0 }],
      ['a duration below 0', { leaseDurationSeconds: -1 }],
      ['transitions below 0', { leaseTransitions: -1 }],
      ['a duration beyond 32 bits', { leaseDurationSeconds: HUGE + 1 }],
    ]
    for (const [what, spec] of refused) {
      it(what, async () => {
        const manifest = leaseManifest('refused', { ...held('db-0'), ...spec })
        const outcome = await suite.scene.api.create(Leases, suite.scene.namespace, manifest)
        assert.notEqual(outcome.kind, 'ok')
      })
    }
  })

  describe('that changes', () => {
    together({
      'under a pod of the same name that came later: not before it is renewed': async () => {
        const it = await group('older').create()
        await it.createPod()
        await it.untilSaid('False', 'LeaseMissing')
        await write(it, held('older-1'))
        await it.untilSaid('False', 'HolderUnknown')
        const pod = await it.createPod()
        await it.passed()
        await it.untilSaid('False', 'HolderUnknown', /before the pod/)
        await renew(it)
        await it.untilLed(pod)
        await it.check()
      },

      'in its transitions only, downwards: the leader stays in its term': async () => {
        const it = await group('transitions').create()
        const pod = await it.createPod()
        await write(it, { ...held(pod.metadata.name), leaseTransitions: 7 })
        const term = await it.untilLed(pod)
        await suite.scene.patchLease({ spec: { leaseTransitions: 2 } }, it.leaseName)
        await suite.scene.untilStatus('two transitions', ({ transitions }) => transitions === 2, it.name)
        assert.equal(await it.untilLed(pod), term)
        assert.deepEqual((await it.check()).leaders, [pod.metadata.name])
      },

      'in nothing but annotations: that is no renewal': async () => {
        const it = await group('annotated').create()
        const pod = await it.createPod()
        await write(it, { ...held(pod.metadata.name), leaseDurationSeconds: 2 })
        await it.untilLed(pod)
        let round = 0
        for (let isLed = true; isLed; isLed = isLabelled(await suite.scene.pod(pod.metadata.name), it.name)) {
          const metadata = { annotations: { round: String(round++) } }
          await suite.scene.patchLease({ metadata }, it.leaseName)
          assert.ok(round < 10_000, 'the label never goes')
        }
        await it.untilSaid('False', 'LeaseExpired')
        await it.check()
      },

      'no more, and has no duration: it expires as one of 15 s': async () => {
        const it = await group('unsaid').create()
        const pod = await it.createPod()
        await write(it, { holderIdentity: pod.metadata.name })
        await it.untilLed(pod)
        await it.untilSaid('False', 'LeaseExpired', /15 s/)
        await it.check()
      },

      'its holder from pod to pod and to nobody': async () => {
        const it = await group('moves').create()
        const pods = [await it.createPod(), await it.createPod()]
        const names = pods.map(({ metadata }) => metadata.name)
        await write(it, held(names[0]!))
        for (const pod of [...pods, pods[0]!]) {
          await suite.scene.patchLease({ spec: { holderIdentity: pod.metadata.name } }, it.leaseName)
          await it.untilLed(pod)
        }
        await suite.scene.patchLease({ spec: { holderIdentity: null } }, it.leaseName)
        await it.untilSaid('False', 'LeaseReleased')
        assert.deepEqual((await it.check()).leaders, [...names, names[0]])
      },

      'its holder to another identity of the same pod: the leader stays': async () => {
        const it = await group('identity').create()
        const pod = await it.createPod()
        const { name, uid } = pod.metadata
        await write(it, held(name))
        const term = await it.untilLed(pod)
        await suite.scene.patchLease({ spec: { holderIdentity: `${name}_${uid}` } }, it.leaseName)
        assert.equal(await it.untilLed(pod), term)
        await it.check()
      },
    })
  })

  observedWell(suite, { writes: 100 })

  async function tell({ pods = [], spec, says }: Shape, name: string): Promise<void> {
    const [mine, others] = pods
    const it = await group(name).create()
    const pod = await it.createPod(mine)
    const other = await it.createPod(others?.(pod))
    await it.untilSaid('False', 'LeaseMissing')
    await write(it, spec(pod, other))
    if (typeof says === 'string') {
      await it.untilLed(pod)
    } else {
      const [reason, words] = says
      await it.untilSaid('False', reason, words)
    }
    await it.check()
  }

  async function write(it: FollowedGroup, spec: LeaseSpec): Promise<void> {
    const { api, namespace } = suite.scene
    must(await api.create(Leases, namespace, leaseManifest(it.leaseName, spec)))
  }

  async function renew(it: FollowedGroup): Promise<void> {
    await suite.scene.patchLease({ spec: { renewTime: microTime() } }, it.leaseName)
  }
})

function held(holderIdentity: string | null): LeaseSpec {
  return { holderIdentity, leaseDurationSeconds: 3600, leaseTransitions: 0, ...times(microTime()) }
}

function times(time: string): LeaseSpec {
  return { acquireTime: time, renewTime: time }
}

function microTime(): string {
  return new Date(systemClock.wallNow()).toISOString().replace('Z', '000Z')
}

function leaseManifest(name: string, spec: LeaseSpec): object {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec }
}
