import assert from 'node:assert/strict'
import { parse } from 'yaml'
import { EndpointSlices, Leases, Services } from '../kube/objects.ts'
import { explainGroup } from './explain.ts'
import { NEVER, Scene, done, forbidden, unknownType } from './fixtures.ts'

describe('leadergroup explain', () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene()
  })

  function ask(name = 'db', namespace = 'shop', output: 'text' | 'json' | 'yaml' = 'text'): Promise<string> {
    return explainGroup(scene.api, scene.clock, { name, namespace, output }, NEVER)
  }

  async function answers(expected: string): Promise<void> {
    const writes = scene.server.history.length
    const lines = expected.split('\n').slice(1)
    const indent = /^ */.exec(lines[0]!)![0].length
    assert.equal(await ask(), lines.map((line) => line.slice(indent)).join('\n'))
    assert.equal(scene.server.history.length, writes, 'it wrote something')
  }

  async function led(spec: object = {}): Promise<void> {
    await scene.createGroup('db', spec)
    await scene.createPod('db-0')
    await scene.clock.advance(60_000)
    await scene.createPod('db-1')
    await scene.createPod('db-2', false)
    await scene.operate()
    await scene.clock.advance(125_000)
  }

  it('tells of a group at rest', async () => {
    await led()
    await answers(`
      LeaderGroup shop/db: mode Assign, Lease db
      Ready: True, LeaderElected since 2026-01-01T00:01:00Z (2m5s ago): db-0 leads in term 2

      db-0 leads, in term 2 since 2026-01-01T00:01:00Z (2m5s ago).
      It stays: it can lead, and nothing but its own state moves a leader.

        POD   VERDICT      READY SINCE           REVISION  ENROLLED  WHY
        db-0  leads        2026-01-01T00:00:00Z  -         yes       in term 2
        db-1  could lead   2026-01-01T00:01:00Z  -         yes       the only one in line
        db-2  cannot lead  -                     -         yes       is not ready since 2026-01-01T00:01:00Z

      If db-0 died now: name db-1 in the Lease for term 3, label it. Then: db-1 leads in term 3.
      Due now: nothing.
    `)
  })

  it('tells what a failover left', async () => {
    await led()
    await scene.deletePod('db-0')
    await scene.operate()
    await answers(`
      LeaderGroup shop/db: mode Assign, Lease db
      Ready: True, LeaderElected since 2026-01-01T00:01:00Z (2m5s ago): db-1 leads in term 3

      db-1 leads, in term 3 since 2026-01-01T00:03:05Z (just now).
      It took over from db-0, whose term 2 ended at 2026-01-01T00:03:05Z (PodDeleted).
      It stays: it can lead, and nothing but its own state moves a leader.

        POD   VERDICT      READY SINCE           REVISION  ENROLLED  WHY
        db-1  leads        2026-01-01T00:01:00Z  -         yes       in term 3
        db-2  cannot lead  -                     -         yes       is not ready since 2026-01-01T00:01:00Z

      If db-1 died now: db-1 is gone, and no other pod can lead.
      Due now: nothing.
    `)
  })

  it('foretells that nobody takes over in a group that is paused', async () => {
    await led()
    await scene.patchGroup({ paused: true })
    await scene.operate()
    await answers(`
      LeaderGroup shop/db: mode Assign, Lease db, paused
      Ready: True, Paused since 2026-01-01T00:01:00Z (2m5s ago): db-0 leads in term 2; paused: if it goes, no new leader is chosen

      db-0 leads, in term 2 since 2026-01-01T00:01:00Z (2m5s ago).
      It stays: it can lead, and nothing but its own state moves a leader.

        POD   VERDICT      READY SINCE           REVISION  ENROLLED  WHY
        db-0  leads        2026-01-01T00:00:00Z  -         yes       in term 2
        db-1  could lead   2026-01-01T00:01:00Z  -         yes       the only one in line
        db-2  cannot lead  -                     -         yes       is not ready since 2026-01-01T00:01:00Z

      If db-0 died now: db-0 is gone, and no new leader is chosen while paused.
      Due now: nothing.
    `)
  })

  it('does not call a pod the leader before the group’s first election', async () => {
    await led({ paused: true })
    const text = await ask()
    assert.match(text, /^Nobody leads: the Lease is new, and no leader is chosen while paused\.$/m)
    assert.match(text, /^Due now: nothing\.$/m)
  })

  it('tells of a group without pods, and that nobody has looked at it', async () => {
    await scene.createGroup()
    await answers(`
      LeaderGroup shop/db: mode Assign, Lease db
      Ready: Unknown. No operator has decided about this group yet: does one run, and does it serve this namespace?

      Nobody leads: creating the Lease, which names nobody yet.

      No pod in this namespace matches the selector: compare it with the labels of your pods.

      Due now: create the Lease. Then: the Lease is new, and no pod can lead.
      An operator does this within milliseconds. If it is still due when you ask again, none acts on this group.
    `)
  })

  it('tells what is due while no operator runs', async () => {
    await led()
    await scene.setReady('db-0', false)
    await scene.patchPod('db-2', { labels: { 'db.leadergroup.io/role': 'leader' } })
    await scene.createPod('db-3')
    await answers(`
      LeaderGroup shop/db: mode Assign, Lease db
      Ready: True, LeaderElected since 2026-01-01T00:01:00Z (2m5s ago): db-0 leads in term 2

      db-0 leads, in term 2 since 2026-01-01T00:01:00Z (2m5s ago).
      It is not ready, and is to be replaced.

        POD   VERDICT      READY SINCE           REVISION  ENROLLED  WHY
        db-0  leads        -                     -         yes       in term 2, but is not ready since 2026-01-01T00:03:05Z
        db-1  could lead   2026-01-01T00:01:00Z  -         yes       first in line
        db-2  cannot lead  -                     -         yes       is not ready since 2026-01-01T00:01:00Z, bears the leader's keys wrongly
        db-3  could lead   2026-01-01T00:03:05Z  -         no        number 2 in line: db-1 has been ready longer, not before it is enrolled

      If db-0 died now: take the leader's keys off db-2, name db-1 in the Lease for term 3, label it, enrol db-3. Then: db-1 leads in term 3.
      Due now: take the leader's keys off db-2, take the leader's keys off db-0, name db-1 in the Lease for term 3, label it, enrol db-3. Then: db-1 leads in term 3.
      Why: taking the leader's keys off db-2: the Lease names db-0.
      An operator does this within milliseconds. If it is still due when you ask again, none acts on this group.
    `)
  })

  it('counts down the patience with a leader that is not ready', async () => {
    await led({ failover: { notReadySeconds: 30 } })
    await scene.setReady('db-0', false)
    await scene.clock.advance(12_000)
    await answers(`
      LeaderGroup shop/db: mode Assign, Lease db
      Ready: True, LeaderElected since 2026-01-01T00:01:00Z (2m17s ago): db-0 leads in term 2

      db-0 leads, in term 2 since 2026-01-01T00:01:00Z (2m17s ago).
      It is not ready, and keeps its place for 30 s (failover.notReadySeconds).

        POD   VERDICT      READY SINCE           REVISION  ENROLLED  WHY
        db-0  leads        -                     -         yes       in term 2, but is not ready since 2026-01-01T00:03:05Z
        db-1  could lead   2026-01-01T00:01:00Z  -         yes       the only one in line
        db-2  cannot lead  -                     -         yes       is not ready since 2026-01-01T00:01:00Z

      If db-0 died now: name db-1 in the Lease for term 3, label it. Then: db-1 leads in term 3.
      In 18 s, if nothing changes: take the leader's keys off db-0, name db-1 in the Lease for term 3, label it. Then: db-1 leads in term 3.
      Due now: bring status up to date. Then: db-0 leads in term 2.
      Why: db-0 leads in term 2.
      An operator does this within milliseconds. If it is still due when you ask again, none acts on this group.
    `)
  })

  it('says why each pod cannot lead', async () => {
    await led()
    await scene.patchPod('db-0', { annotations: { 'leadergroup.io/ineligible': 'true' } })
    await scene.patchPod('db-1', { labels: { app: 'other' } })
    await scene.operate()
    await scene.patchPod('db-1', { annotations: { 'db.leadergroup.io/sealed': 'x/1' } })
    await answers(`
      LeaderGroup shop/db: mode Assign, Lease db
      Ready: False, NoEligiblePod since 2026-01-01T00:03:05Z (just now): db-0 is excluded by annotation, and no other pod can lead. 2 pods: 1 excluded by annotation, 1 not ready

      db-0 leads, in term 2 since 2026-01-01T00:01:00Z (2m5s ago).
      It is excluded by annotation, and no other pod can lead.

        POD   VERDICT      READY SINCE           REVISION  ENROLLED  WHY
        db-0  leads        2026-01-01T00:00:00Z  -         yes       in term 2, but is excluded by annotation
        db-1  cannot lead  2026-01-01T00:01:00Z  -         no        is not selected, bears keys of the group
        db-2  cannot lead  -                     -         yes       is not ready since 2026-01-01T00:01:00Z

      If db-0 died now: take the group's keys off db-1. Then: db-0 is gone, and no other pod can lead.
      Due now: take the group's keys off db-1. Then: db-0 is excluded by annotation, and no other pod can lead.
      Why: db-0 is excluded by annotation, and no other pod can lead.
      An operator does this within milliseconds. If it is still due when you ask again, none acts on this group.
    `)
  })

  it('tells of a Lease that is not the group’s', async () => {
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'db' } }
    done(await scene.admin.create(Leases, 'shop', { ...lease, spec: { holderIdentity: 'app-7f9' } }))
    await scene.createGroup()
    await scene.createPod('db-0')
    await scene.operate()
    await answers(`
      LeaderGroup shop/db: mode Assign, Lease db
      Ready: False, LeaseHeldByAnother since 2026-01-01T00:00:00Z (just now): Lease db was not made by this group and is held by app-7f9: nothing is written to it. Give this group another leaseName, or delete the Lease if nobody uses it

      Nobody leads: the Lease db is not this group's.

        POD   VERDICT     READY SINCE           REVISION  ENROLLED  WHY
        db-0  could lead  2026-01-01T00:00:00Z  -         no        the only one in line, not before it is enrolled

      Due now: nothing.
    `)
  })

  it('tells of a mark that cannot be read', async () => {
    await led()
    const metadata = { annotations: { 'leadergroup.io/gate': 'x' } }
    done(await scene.admin.mergePatch(Leases, { namespace: 'shop', name: 'db' }, { metadata }))
    const text = await ask()
    assert.match(text, /^Nobody leads: the mark on its Lease cannot be read, so no safe term is known: deleting it\.$/m)
    assert.match(
      text,
      /^Due now: delete the Lease, whose mark cannot be read, create the Lease, take the leader's keys off db-0, enrol db-1, enrol db-2, name db-0/m,
    )
  })

  it('says the same as data', async () => {
    await led()
    const data = JSON.parse(await ask('db', 'shop', 'json')) as Record<string, unknown>
    assert.deepEqual(Object.keys(data), [
      'group',
      'ready',
      'servicesReady',
      'leader',
      'reason',
      'pods',
      'services',
      'ifLeaderDied',
      'later',
      'due',
    ])
    assert.deepEqual(parse(await ask('db', 'shop', 'yaml')), data)
    assert.deepEqual(data['ifLeaderDied'], {
      steps: ['name db-1 in the Lease for term 3', 'label it'],
      result: 'db-1 leads in term 3',
    })
    assert.equal(data['due'], null)
    assert.deepEqual(
      (data['pods'] as { name: string; verdict: string }[]).map(({ name, verdict }) => [name, verdict]),
      [
        ['db-0', 'leads'],
        ['db-1', 'could lead'],
        ['db-2', 'cannot lead'],
      ],
    )
  })

  it('foretells what then happens', async () => {
    await led()
    const { ifLeaderDied } = JSON.parse(await ask('db', 'shop', 'json')) as { ifLeaderDied: { result: string } }
    await scene.deletePod('db-0')
    await scene.operate()
    assert.match(await ask(), new RegExp(`^Ready: True, LeaderElected .*: ${ifLeaderDied.result}$`, 'm'))
  })

  describe('the Services', () => {
    const PORTS = [{ name: 'sql', port: 5432 }]
    const LEADER = { name: 'db', role: 'Leader', ports: PORTS }
    const FOLLOWERS = { name: 'db-ro', role: 'Follower', ports: PORTS }
    const STANDARD = 'endpointslice-controller.k8s.io'
    const services = [LEADER, FOLLOWERS]

    async function createService(name: string, selector: object): Promise<void> {
      done(await scene.admin.create(Services, 'shop', { metadata: { name }, spec: { selector, ports: [{ port: 1 }] } }))
    }

    async function createSlice(name: string, service: string, endpoints: readonly object[]): Promise<void> {
      const labels = { 'kubernetes.io/service-name': service, 'endpointslice.kubernetes.io/managed-by': STANDARD }
      const slice = { metadata: { name, labels }, addressType: 'IPv4', endpoints, ports: [{ port: 1 }] }
      done(await scene.admin.create(EndpointSlices, 'shop', slice))
    }

    it('lead where their slices lead, and the outlook takes them along', async () => {
      await led({ services })
      await answers(`
        LeaderGroup shop/db: mode Assign, Lease db
        Ready: True, LeaderElected since 2026-01-01T00:01:00Z (2m5s ago): db-0 leads in term 2
        ServicesReady: True, Routed since 2026-01-01T00:01:00Z (2m5s ago): 2 Services are routed

        db-0 leads, in term 2 since 2026-01-01T00:01:00Z (2m5s ago).
        It stays: it can lead, and nothing but its own state moves a leader.

          POD   VERDICT      READY SINCE           REVISION  ENROLLED  WHY
          db-0  leads        2026-01-01T00:00:00Z  -         yes       in term 2
          db-1  could lead   2026-01-01T00:01:00Z  -         yes       the only one in line
          db-2  cannot lead  -                     -         yes       is not ready since 2026-01-01T00:01:00Z

          SERVICE  ROLE      ROUTING  LEADS TO
          db       leader    Direct   db-0
          db-ro    follower  Direct   db-1, db-2 (not ready)

        If db-0 died now: name db-1 in the Lease for term 3, route Service db to db-1, label it, route Service db-ro to db-2. Then: db-1 leads in term 3.
        Due now: nothing.
      `)
    })

    it('are foretold as they then are', async () => {
      await led({ services })
      const { ifLeaderDied } = JSON.parse(await ask('db', 'shop', 'json')) as { ifLeaderDied: { steps: string[] } }
      assert.ok(ifLeaderDied.steps.includes('route Service db to db-1'))
      await scene.deletePod('db-0')
      await scene.operate()
      const text = await ask()
      assert.match(text, /^  db {7}leader {4}Direct {3}db-1$/m)
      assert.match(text, /^  db-ro {4}follower {2}Direct {3}db-2 \(not ready\)$/m)
      assert.match(text, /^Due now: nothing\.$/m)
    })

    it('that are missing are due', async () => {
      await led()
      await scene.patchGroup({ services })
      const text = await ask()
      assert.match(text, /^  db {7}leader {4}Direct {3}nobody: it does not exist$/m)
      assert.match(
        text,
        /^Due now: create Service db, create Service db-ro, route Service db to db-0, route Service db-ro to db-1, db-2\. Then/m,
      )
    })

    it('of which one was edited are put right', async () => {
      await led({ services })
      const key = { namespace: 'shop', name: 'db' }
      done(await scene.admin.mergePatch(Services, key, { spec: { sessionAffinity: 'ClientIP' } }))
      const slice = { namespace: 'shop', name: 'db-leader-ipv4' }
      done(await scene.admin.mergePatch(EndpointSlices, slice, { ports: [{ name: 'sql', port: 1 }] }))
      done(await scene.admin.delete(EndpointSlices, { namespace: 'shop', name: 'db-ro-follower-ipv4-0' }))
      assert.match(
        await ask(),
        /^Due now: put Service db right, bring EndpointSlice db-leader-ipv4 of Service db up to date, route Service db-ro to db-1, db-2\./m,
      )
    })

    it('say what is wrong with them', async () => {
      await createService('db', { app: 'other' })
      const named = { name: 'db-ro', role: 'Follower', ports: [{ port: 5432, targetPort: 'sql' }] }
      await led({ services: [LEADER, named] })
      await createSlice('by-hand', 'db-ro', [{ addresses: ['10.9.9.9'], conditions: { ready: false } }])
      const text = await ask()
      assert.match(text, /^  db {7}leader {4}Direct {3}nobody$/m)
      assert.match(text, /^  db-ro {4}follower {2}Direct {3}10\.9\.9\.9 \(not ready\)$/m)
      assert.match(text, /^  ServiceNotOurs: Service db was not made by this group: nothing is written to it\..*\.$/m)
      assert.match(text, /^  ForeignSlices: Service db-ro is also routed by EndpointSlice by-hand \(managed by /m)
      assert.match(text, /^  PortUnresolved: Service db-ro: no container port is named sql in pods db-1, db-2, /m)
    })

    it('that somebody else wrote on the label are shown as well', async () => {
      await led()
      await createService('any', { app: 'db' })
      await createService('main', { 'db.leadergroup.io/role': 'leader' })
      await createService('rest', { 'db.leadergroup.io/role': 'follower' })
      await createService('typo', { 'db.leadergroup.io/role': 'Leader' })
      const targetRef = { kind: 'Pod', name: 'db-0', uid: (await scene.pod('db-0')).metadata.uid }
      await createSlice('main-x', 'main', [{ addresses: ['10.0.0.10'], targetRef }])
      const text = await ask()
      assert.match(text, /^  main {5}leader {4}Own {6}db-0$/m)
      assert.match(
        text,
        /^  RoleNotBorne: Service rest selects the followers, .*: set spec\.labelFollowers to true\.$/m,
      )
      assert.match(text, /^  RoleNotBorne: Service typo selects the role Leader, which no pod bears: /m)
      assert.doesNotMatch(text, /^  any/m)
      await scene.patchGroup({ labelFollowers: true })
      assert.doesNotMatch(await ask(), /Service rest/)
    })

    it('are at rest also where the operator knows zones that nobody else may read', async () => {
      await led({ services })
      const key = { namespace: 'shop', name: 'db-leader-ipv4' }
      const slice = done(await scene.admin.get(EndpointSlices, key))
      const endpoints = slice.endpoints?.map((endpoint) => ({ ...endpoint, zone: 'zone-a' }))
      done(await scene.admin.mergePatch(EndpointSlices, key, { endpoints }))
      assert.match(await ask(), /^Due now: nothing\.$/m)
    })
  })

  describe('in mode Observe', () => {
    async function followed(spec: object = {}): Promise<void> {
      await scene.createGroup('db', { mode: 'Observe', ...spec })
      for (const name of ['db-0', 'db-1']) await scene.createPod(name)
      await scene.operate('db', 'shop', () => scene.elect('db-0_7f3a'))
      await scene.clock.advance(5000)
    }

    it('tells who holds the Lease, and what happens when it goes', async () => {
      await followed()
      await answers(`
        LeaderGroup shop/db: mode Observe, Lease db
        Ready: True, LeaderElected since 2026-01-01T00:00:00Z (5s ago): db-0 holds Lease db as "db-0_7f3a"

        db-0 leads, in term 2 since 2026-01-01T00:00:00Z (5s ago).
        It stays for as long as it holds Lease db: the pods elect among themselves.

          POD   VERDICT     READY SINCE           REVISION  ENROLLED  WHY
          db-0  leads       2026-01-01T00:00:00Z  -         yes       in term 2
          db-1  could lead  2026-01-01T00:00:00Z  -         yes       if it acquires Lease db

        If db-0 died now: name nobody in status. Then: pod db-0, which holds the Lease, was deleted: waiting until the Lease expires.
        In 10 s, if nothing changes: take the leader's keys off db-0, name nobody in status. Then: "db-0_7f3a" has not renewed Lease db for 15 s: the next one to acquire it leads.
        Due now: nothing.
      `)
    })

    it('tells what is due when the Lease has changed hands', async () => {
      await followed()
      await scene.elect('db-1')
      await answers(`
        LeaderGroup shop/db: mode Observe, Lease db
        Ready: True, LeaderElected since 2026-01-01T00:00:00Z (5s ago): db-0 holds Lease db as "db-0_7f3a"

        db-0 leads, in term 2 since 2026-01-01T00:00:00Z (5s ago).
        It stays for as long as it holds Lease db: the pods elect among themselves.

          POD   VERDICT     READY SINCE           REVISION  ENROLLED  WHY
          db-0  leads       2026-01-01T00:00:00Z  -         yes       in term 2
          db-1  could lead  2026-01-01T00:00:00Z  -         yes       if it acquires Lease db

        If db-0 died now: name db-1 in status for term 3, label it. Then: db-1 holds Lease db as "db-1".
        In 15 s, if nothing changes: take the leader's keys off db-1, name nobody in status. Then: "db-1" has not renewed Lease db for 15 s: the next one to acquire it leads.
        Due now: take the leader's keys off db-0, name db-1 in status for term 3, label it. Then: db-1 holds Lease db as "db-1".
        Why: db-1 holds Lease db as "db-1": sealing db-0.
        An operator does this within milliseconds. If it is still due when you ask again, none acts on this group.
      `)
    })

    it('tells why nobody leads', async () => {
      await followed()
      await scene.setReady('db-1', false)
      await scene.operate('db', 'shop', () => scene.elect('somebody'))
      await answers(`
        LeaderGroup shop/db: mode Observe, Lease db
        Ready: False, HolderUnknown since 2026-01-01T00:00:05Z (just now): "somebody" holds the Lease and is no pod of this group: make the electors' identity the pod's name, UID or IP, or the name, "_" and anything

        Nobody leads: "somebody" holds the Lease and is no pod of this group: make the electors' identity the pod's name, UID or IP, or the name, "_" and anything.

          POD   VERDICT     READY SINCE           REVISION  ENROLLED  WHY
          db-0  could lead  2026-01-01T00:00:00Z  -         yes       if it acquires Lease db
          db-1  could lead  -                     -         yes       if it acquires Lease db, but is not ready

        Due now: nothing.
      `)
    })
  })

  describe('without such a group', () => {
    it('names those there are, the most similar first, and where the name exists', async () => {
      for (const name of ['queue', 'db-main', 'bd']) await scene.createGroup(name)
      await scene.createGroup('db', {}, 'prod')
      await assert.rejects(ask(), {
        message:
          'there is no LeaderGroup db in namespace shop. One of this name is in prod. ' +
          'That namespace has bd, db-main, queue. Choose the namespace with -n',
      })
    })

    it('says that the namespace is empty', async () => {
      await assert.rejects(ask(), {
        message: 'there is no LeaderGroup db in namespace shop. That namespace has none. Choose the namespace with -n',
      })
    })

    it('does without the lists that it may not see', async () => {
      scene.instead = ({ path }) => (path.includes('leadergroups?') ? forbidden('no') : undefined)
      await assert.rejects(ask(), {
        message: 'there is no LeaderGroup db in namespace shop. Choose the namespace with -n',
      })
    })

    it('says when the CRD is not installed', async () => {
      scene.instead = ({ path }) => (path.includes('/leadergroups') ? unknownType() : undefined)
      await assert.rejects(ask(), { message: /^the cluster knows no LeaderGroups: install the CRD/ })
    })
  })

  for (const resource of ['leadergroups/', 'pods', 'services', 'endpointslices', 'leases/']) {
    it(`does not guess when it may not read ${resource}`, async () => {
      await led()
      scene.instead = ({ path }) => (path.includes(resource) ? forbidden(`cannot read ${resource}`) : undefined)
      await assert.rejects(ask(), { name: 'ApiError', status: 403, message: new RegExp(`cannot read ${resource}`) })
    })
  }
})
