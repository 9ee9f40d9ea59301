import assert from 'node:assert/strict'
import { KubeConfig } from '@kubernetes/client-node'
import { LeaderElector, LeaseLock, newEventRecorder } from '../src/exports/client-go.ts'
import { Leases } from '../src/kube/objects.ts'
import { candidateAccount } from './candidates/account.ts'
import { Candidates, SHORT } from './candidates/candidate.ts'
import { monotonicMillis } from './candidates/line.ts'
import { needsClientGo } from './candidates/needs-go.ts'
import { checkTerms, type Term } from './candidates/terms.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { openScratch } from './controlplane/scratch.ts'
import { adminApi, createNamespace, sharedCluster } from './controlplane/shared.ts'

const OURS = 'ours'
const THEIRS = 'theirs'

describe('client-go’s face beside client-go', () => {
  let namespace: string
  let kubeconfig: string
  let candidates: Candidates

  before(async function () {
    await needsClientGo(this)
  })
  beforeEach(async () => {
    namespace = await createNamespace('face')
    kubeconfig = await candidateAccount(await sharedCluster(), namespace)
    candidates = new Candidates(await openScratch(), { namespace, kubeconfig })
  })
  afterEach(() => candidates[Symbol.asyncDispose]())

  /** One that notes its terms, as the other program does, and what it was told. */
  function ours() {
    const kube = new KubeConfig()
    kube.loadFromFile(kubeconfig)
    const noted = { terms: [] as Term[], events: [] as string[], leaders: [] as string[] }
    const eventRecorder = { event: (...[, , , message]: readonly unknown[]) => noted.events.push(String(message)) }
    const elector = new LeaderElector({
      lock: new LeaseLock({
        leaseMeta: { namespace, name: 'db' },
        lockConfig: { identity: OURS, eventRecorder },
        kube,
      }),
      ...SHORT,
      callbacks: {
        onStartedLeading: () => noted.terms.push({ identity: OURS, fromMillis: monotonicMillis(), toMillis: Infinity }),
        onStoppedLeading: () => {
          noted.terms.push({ ...noted.terms.pop()!, toMillis: monotonicMillis() })
        },
        onNewLeader: (identity) => noted.leaders.push(identity),
      },
    })
    const contend = () => {
      const stop = new AbortController()
      const done = elector.run({ signal: stop.signal })
      const end = async (): Promise<void> => {
        stop.abort()
        await done
      }
      return { done, end, [Symbol.asyncDispose]: end }
    }
    const leads = () =>
      eventually({ what: `${OURS} leads`, millis: 20_000, intervalMillis: 10 }, async () =>
        elector.isLeader() ? true : undefined,
      )
    return { elector, noted, contend, leads }
  }

  const lease = async () => must(await (await adminApi()).get(Leases, { namespace, name: 'db' }))

  it('hands over and takes over, by release and after a crash, and two never lead', async () => {
    const { elector, noted, contend, leads } = ours()
    {
      await using first = contend()
      await leads()
      const theirs = await candidates.start({ kind: 'client-go', lease: 'db', identity: THEIRS })
      assert.equal((await theirs.says('newLeader')).leader, OURS)
      await first.end()
      assert.deepEqual([elector.isLeader(), elector.check(0)], [false, undefined])
      await theirs.says('leading')

      await using second = contend()
      await eventually({ what: 'theirs is seen to lead', millis: 20_000, intervalMillis: 10 }, async () =>
        elector.getLeader() === THEIRS ? true : undefined,
      )
      assert.equal(await theirs.stop(), 0)
      await leads()
      const { spec } = await lease()
      assert.deepEqual([spec?.holderIdentity, spec?.leaseTransitions], [OURS, 2])
      await second.end()
    }
    const again = await candidates.start({ kind: 'client-go', lease: 'db', identity: THEIRS })
    await again.says('leading')
    await using third = contend()
    await eventually({ what: 'theirs is seen to lead', millis: 20_000, intervalMillis: 10 }, async () =>
      elector.getLeader() === THEIRS ? true : undefined,
    )
    await again.kill()
    await leads()
    await third.end()
    const terms = checkTerms([noted, ...candidates.all])
    assert.deepEqual(
      terms.map(({ identity }) => identity),
      [OURS, THEIRS, OURS, THEIRS, OURS],
    )
    assert.deepEqual(
      noted.events,
      [1, 2, 3].flatMap(() => [`${OURS} became leader`, `${OURS} stopped leading`]),
    )
    assert.deepEqual(
      noted.leaders.filter((leader) => leader !== ''),
      [OURS, THEIRS, OURS, THEIRS, OURS],
    )
  })
})

describe('client-go’s face, and kubectl', () => {
  it('writes events that are shown with the Lease', async () => {
    const { api, plane } = await sharedCluster()
    const namespace = await createNamespace('face')
    const kube = new KubeConfig()
    kube.loadFromFile(await candidateAccount({ api, plane }, namespace))
    const stop = new AbortController()
    const elector = new LeaderElector({
      lock: new LeaseLock({
        leaseMeta: { namespace, name: 'db' },
        lockConfig: { identity: OURS, eventRecorder: newEventRecorder(api, { component: 'billing' }) },
        kube,
      }),
      ...SHORT,
      callbacks: { onStartedLeading: () => stop.abort(), onStoppedLeading: () => undefined },
    })
    await elector.run({ signal: stop.signal })
    // The second one is on its way when the Lease is released.
    const shown = await eventually({ what: 'both events', millis: 20_000 }, async () => {
      const { stdout } = await plane.kubectl('describe', 'lease', 'db', '-n', namespace)
      return stdout.includes('stopped leading') ? stdout : undefined
    })
    for (const what of ['became leader', 'stopped leading']) {
      assert.match(shown, new RegExp(`Normal +LeaderElection .* billing +${OURS} ${what}`))
    }
  })
})
