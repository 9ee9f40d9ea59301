import assert from 'node:assert/strict'
import { LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import { EndpointSlices, Services } from '../src/kube/objects.ts'
import { leadergroup } from './command.ts'
import type { Output } from './controlplane/controlplane.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { controlPlane } from './controlplane/shared.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import { type Scene, keysOn, openScene } from './operator-scene.ts'

/** What a person needs to ask, and no more. */
const ASKER = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: asker }
rules:
  - { apiGroups: [leadergroup.io], resources: [leadergroups], verbs: [get] }
  - { apiGroups: [''], resources: [pods, services], verbs: [list] }
  - { apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list] }
  - { apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: asker }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: asker }
subjects: [{ kind: ServiceAccount, name: asker }]
`

describe('the command line, on a real control plane', () => {
  let operator: OperatorProcess
  let scene: Scene
  let admin: string

  before(async () => {
    admin = (await controlPlane()).kubeconfigPath
    operator = await startOperator()
  })
  after(() => operator.end())
  beforeEach(async () => {
    scene = await openScene('explain')
  })
  afterEach(() => scene[Symbol.asyncDispose]())

  function explain(name = 'db', kubeconfig = admin, ...args: string[]): Promise<Output> {
    return leadergroup(kubeconfig, 'explain', name, '-n', scene.namespace, ...args)
  }

  /** What differs in each run is replaced by what it stands for. */
  async function answers(expected: string): Promise<void> {
    const { code, stdout, stderr } = await explain()
    assert.equal(stderr, '')
    assert.equal(code, 0)
    const lines = stdout
      .replaceAll(scene.namespace, 'shop')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'YYYY-MM-DDTHH:MM:SSZ')
      .replaceAll(/\((just now|\d+[ms]\w* ago)\)/g, '(AGO)')
      .split('\n')
    const wanted = expected.split('\n').slice(1)
    assert.deepEqual(
      lines,
      wanted.map((line) => line.slice(6)),
    )
  }

  async function serviceAccount(name: string): Promise<string> {
    const plane = await controlPlane()
    await plane.kubectl('create', 'serviceaccount', name, '-n', scene.namespace)
    return plane.kubeconfigFor(name, await plane.serviceAccountToken(scene.namespace, name))
  }

  describe('explain', () => {
    it('tells who leads, and what would happen; and that happens', async () => {
      await scene.createLed()
      await scene.createPod('db-2', { app: 'db' }, false)
      await scene.untilStatus('three candidates', ({ candidates }) => candidates === 3)
      await scene.untilPod('db-2', 'enrolled', (pod) => keysOn(pod).length > 0)
      await answers(`
      LeaderGroup shop/db: mode Assign, Lease db
      Ready: True, LeaderElected since YYYY-MM-DDTHH:MM:SSZ (AGO): db-0 leads in term 2

      db-0 leads, in term 2 since YYYY-MM-DDTHH:MM:SSZ (AGO).
      It stays: it can lead, and nothing but its own state moves a leader.

        POD   VERDICT      READY SINCE           REVISION  ENROLLED  WHY
        db-0  leads        YYYY-MM-DDTHH:MM:SSZ  -         yes       in term 2
        db-1  could lead   YYYY-MM-DDTHH:MM:SSZ  -         yes       the only one in line
        db-2  cannot lead  -                     -         yes       is not ready since YYYY-MM-DDTHH:MM:SSZ

      If db-0 died now: name db-1 in the Lease for term 3, label it. Then: db-1 leads in term 3.
      Due now: nothing.
    `)
      await scene.deletePod('db-0', 0)
      await scene.untilEnded('PodDeleted')
      await scene.untilLed('db-1')
      await answers(`
      LeaderGroup shop/db: mode Assign, Lease db
      Ready: True, LeaderElected since YYYY-MM-DDTHH:MM:SSZ (AGO): db-1 leads in term 3

      db-1 leads, in term 3 since YYYY-MM-DDTHH:MM:SSZ (AGO).
      It took over from db-0, whose term 2 ended at YYYY-MM-DDTHH:MM:SSZ (PodDeleted).
      It stays: it can lead, and nothing but its own state moves a leader.

        POD   VERDICT      READY SINCE           REVISION  ENROLLED  WHY
        db-1  leads        YYYY-MM-DDTHH:MM:SSZ  -         yes       in term 3
        db-2  cannot lead  -                     -         yes       is not ready since YYYY-MM-DDTHH:MM:SSZ

      If db-1 died now: db-1 is gone, and no other pod can lead.
      Due now: nothing.
    `)
    })

    it('tells where the Services lead, also one that somebody else wrote, and foretells the next way', async () => {
      const ports = [{ name: 'sql', port: 5432 }]
      const services = [
        { name: 'db', role: 'Leader', ports },
        { name: 'db-sel', role: 'Leader', routing: 'Selector', ports },
      ]
      await scene.createLed(['db-0', 'db-1'], { services })
      const spec = { selector: { [groupKeys('db').role]: LEADER_ROLE }, ports }
      must(await scene.api.create(Services, scene.namespace, { metadata: { name: 'mine' }, spec }))
      const text = await eventually({ what: 'all three lead to db-0' }, async () => {
        const { stdout } = await explain()
        const routed = [...stdout.matchAll(/ (Direct|Selector|Own) +db-0$/gm)].length === 3
        // Counts in status follow within a second.
        return routed && stdout.includes('\nDue now: nothing.\n') ? stdout : undefined
      })
      assert.match(text, /^ServicesReady: True, Routed since /m)
      assert.match(
        text,
        /^If db-0 died now: name db-1 in the Lease for term 3, route Service db to db-1, label it\. Then: db-1 leads in /m,
      )
      await scene.deletePod('db-0', 0)
      await scene.untilLed('db-1')
      assert.match((await explain()).stdout, /^  db +leader +Direct +db-1$/m)
    })

    it('needs to read five things, and nothing else', async () => {
      await scene.createLed()
      const kubeconfig = await serviceAccount('asker')
      const denied = await explain('db', kubeconfig)
      assert.equal(denied.code, 1)
      assert.match(
        denied.stderr,
        /^leadergroup: not permitted: .*:asker" cannot get resource "leadergroups" .* Ask for a role with this verb/,
      )
      await (await controlPlane()).apply(ASKER, '-n', scene.namespace)
      const { code, stdout, stderr } = await explain('db', kubeconfig, '-o', 'json')
      assert.equal(code, 0, stderr)
      const { leader, due } = JSON.parse(stdout) as { leader: { name: string }; due: unknown }
      assert.deepEqual([leader.name, due], ['db-0', null])
    })

    it('says what to check when there is no such group', async () => {
      await scene.createGroup('db-main')
      const { code, stderr } = await explain('db')
      assert.equal(code, 1)
      const { namespace } = scene
      assert.match(
        stderr,
        new RegExp(
          `there is no LeaderGroup db in namespace ${namespace}\\. .*That namespace has db-main\\. Choose .* -n`,
        ),
      )
    })
  })

  describe('without an operator', () => {
    /** The operator is killed, and starts again after the test. */
    beforeEach(async () => {
      await scene.createLed(undefined, { services: [{ name: 'db', role: 'Leader', ports: [{ port: 5432 }] }] })
      const { namespace } = scene
      await eventually({ what: 'its Service leads to the leader' }, async () => {
        const { kind } = await scene.api.get(EndpointSlices, { namespace, name: 'db-leader-ipv4' })
        return kind === 'ok' ? true : undefined
      })
      // Conditions follow within a second.
      await scene.untilStatus('its Services are ready', ({ conditions = [] }) =>
        conditions.some(({ type, status }) => type === 'ServicesReady' && status === 'True'),
      )
      await operator.kill()
    })
    afterEach(() => operator.start())

    it('explain tells what is due', async () => {
      await scene.patchPod('db-1', { labels: { [groupKeys('db').role]: LEADER_ROLE } })
      await scene.setReady('db-0', false)
      await answers(`
      LeaderGroup shop/db: mode Assign, Lease db
      Ready: True, LeaderElected since YYYY-MM-DDTHH:MM:SSZ (AGO): db-0 leads in term 2
      ServicesReady: True, Routed since YYYY-MM-DDTHH:MM:SSZ (AGO): 1 Service is routed

      db-0 leads, in term 2 since YYYY-MM-DDTHH:MM:SSZ (AGO).
      It is not ready, and is to be replaced.

        POD   VERDICT     READY SINCE           REVISION  ENROLLED  WHY
        db-0  leads       -                     -         yes       in term 2, but is not ready since YYYY-MM-DDTHH:MM:SSZ
        db-1  could lead  YYYY-MM-DDTHH:MM:SSZ  -         yes       the only one in line, bears the leader's keys wrongly

        SERVICE  ROLE    ROUTING  LEADS TO
        db       leader  Direct   db-0

      If db-0 died now: take the leader's keys off db-1, name db-1 in the Lease for term 3, route Service db to db-1, label it. Then: db-1 leads in term 3.
      Due now: take the leader's keys off db-1, take the leader's keys off db-0, name db-1 in the Lease for term 3, route Service db to db-1, label it. Then: db-1 leads in term 3.
      Why: taking the leader's keys off db-1: the Lease names db-0.
      An operator does this within milliseconds. If it is still due when you ask again, none acts on this group.
    `)
    })

    it('cleanup takes off what it left, once, and leaves a group that lives', async () => {
      await scene.createGroup('alive')
      await scene.patchPod('db-1', { labels: { [groupKeys('alive').role]: LEADER_ROLE } })
      const cleanup = (...args: string[]): Promise<Output> => {
        return leadergroup(admin, 'cleanup', '-n', scene.namespace, ...args)
      }
      assert.match((await cleanup('--yes')).stdout, /^Nothing is left in namespace /)
      // So that the Lease stays as well, which the garbage collector would else take.
      const plane = await controlPlane()
      const deleted = await plane.kubectl('delete', 'lg', 'db', '-n', scene.namespace, '--cascade=orphan')
      assert.equal(deleted.code, 0, deleted.stderr)

      const { namespace } = scene
      const found = [
        `Left in namespace ${namespace} of groups that no longer exist:`,
        `  keys of group ${namespace}/db on pods db-0, db-1, and its EndpointSlice db-leader-ipv4`,
        `  Service ${namespace}/db of LeaderGroup db`,
        `  Lease ${namespace}/db without an owner`,
      ]
      const lines = ({ stdout }: Output): readonly string[] => stdout.trimEnd().split('\n')
      assert.deepEqual(lines(await cleanup('--dry-run')), [...found, 'Dry run: nothing was changed.'])
      const unasked = await cleanup()
      assert.deepEqual([unasked.code, unasked.stdout], [2, ''])
      assert.match(unasked.stderr, /pass --yes/)
      assert.deepEqual(lines(await cleanup('--yes')), [
        ...found,
        `EndpointSlice ${namespace}/db-leader-ipv4 of group db: deleted`,
        `pod ${namespace}/db-0: keys of group db taken off`,
        `pod ${namespace}/db-1: keys of group db taken off`,
        `Service ${namespace}/db: deleted`,
        `Lease ${namespace}/db: deleted`,
      ])
      await scene.untilGone()
      assert.equal(keysOn(await scene.pod('db-1'), 'alive').length, 1)
      assert.match((await cleanup('--yes')).stdout, /^Nothing is left in namespace /)
    })
  })
})
