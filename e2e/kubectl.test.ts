/** What docs/kubectl.md says, tried with the real kubectl. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { parse } from 'yaml'
import { BIN_FILE, buildBundle } from '../scripts/build.ts'
import type { LeaderGroup } from '../src/group/leadergroup.ts'
import type { Output } from './controlplane/controlplane.ts'
import { eventually } from './controlplane/eventually.ts'
import { controlPlane } from './controlplane/shared.ts'
import { fail, kubectl, succeed } from './kubectl.ts'
import type { Scene } from './operator-scene.ts'
import { operatorSuite } from './operator-suite.ts'

const DOC = join(import.meta.dirname, '..', 'docs', 'kubectl.md')

describe('kubectl, with a LeaderGroup', () => {
  const suite = operatorSuite()
  let scene: Scene
  beforeEach(() => {
    scene = suite.scene
  })

  const inScene = (...args: string[]): string[] => [...args, '-n', scene.namespace]

  function manifest(spec: object, metadata: object = {}): string {
    const head = { apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup' }
    return JSON.stringify({ ...head, metadata: { name: 'db', ...metadata }, spec })
  }

  const SELECTOR = { selector: { matchLabels: { app: 'db' } } }

  describe('wait', () => {
    it('waits until a leader is there, and longer where there is none', async () => {
      await succeed(inScene('apply'), manifest(SELECTOR))
      await fail(inScene('wait', '--for=condition=Ready', 'lg/db', '--timeout=1s'), /timed out waiting/)
      const waiting = succeed(inScene('wait', '--for=condition=Ready', 'lg/db', '--timeout=30s'))
      await scene.createPod('db-0')
      assert.match(await waiting, /leadergroup\.leadergroup\.io\/db condition met/)
      await succeed(inScene('wait', '--for=condition=ServicesReady', 'lg/db', '--timeout=10s'))
      await succeed(inScene('wait', '--for=jsonpath={.status.holder}=db-0', 'lg/db', '--timeout=10s'))
    })
  })

  describe('get', () => {
    it('finds groups by their holder', async () => {
      await scene.createLed(['db-0', 'db-1'])
      await scene.createGroup('other')
      const byHolder = (value: string): Promise<string> =>
        succeed(inScene('get', 'lg', '-o', 'name', `--field-selector=${value}`))
      const uid = (await scene.pod('db-0')).metadata.uid
      assert.equal(await byHolder('status.holder=db-0'), 'leadergroup.leadergroup.io/db\n')
      assert.equal(await byHolder(`status.holderUID=${uid}`), 'leadergroup.leadergroup.io/db\n')
      assert.equal(await byHolder('status.holder=db-1'), '')
      await scene.setReady('db-0', false)
      await scene.untilLed('db-1')
      assert.equal(await byHolder('status.holder=db-1'), 'leadergroup.leadergroup.io/db\n')
    })

    it('endpointslices shows what a Direct Service leads to; readers of the selector or of Endpoints find nothing', async () => {
      await scene.createLed(['db-0'], { services: [{ name: 'db', role: 'Leader', ports: [{ port: 5432 }] }] })
      await succeed(inScene('wait', '--for=condition=ServicesReady', 'lg/db', '--timeout=10s'))
      const slices = inScene('get', 'endpointslices', '-l', 'leadergroup.io/group=db', '-o', 'name')
      await eventually({ what: 'a slice', millis: 10_000 }, async () =>
        (await succeed(slices)).includes('/db-leader-ipv4') ? true : undefined,
      )
      await fail(inScene('port-forward', 'svc/db', '15432:5432'), /Service is defined without a selector/)
      await fail(inScene('logs', 'svc/db'), /Service is defined without a selector/)
      await fail(inScene('get', 'endpoints', 'db'), /NotFound/)
    })

    it('events tells what happened to a group', async () => {
      await scene.createLed(['db-0'])
      await eventually({ what: 'an event', millis: 10_000 }, async () =>
        (await succeed(inScene('events', '--for', 'leadergroup/db'))).includes('LeaderElected') ? true : undefined,
      )
    })
  })

  describe('apply --server-side', () => {
    const apply = (manager: string, spec: object, ...flags: string[]): Promise<Output> =>
      kubectl(inScene('apply', '--server-side', `--field-manager=${manager}`, ...flags), manifest(spec))

    async function applied(manager: string, spec: object, ...flags: string[]): Promise<LeaderGroup> {
      const { code, stderr } = await apply(manager, spec, ...flags)
      assert.equal(code, 0, stderr)
      return scene.group()
    }

    /** Paths of the fields that a manager owns, as far as the spec or the status go. */
    async function owned(): Promise<Readonly<Record<string, readonly string[]>>> {
      const text = await succeed(inScene('get', 'lg', 'db', '-o', 'json', '--show-managed-fields'))
      const { metadata } = JSON.parse(text) as {
        metadata: { managedFields: { manager: string; fieldsV1: Record<string, Record<string, unknown>> }[] }
      }
      const fields = metadata.managedFields.map(({ manager, fieldsV1 }) => {
        const paths = Object.entries(fieldsV1).flatMap(([part, inner]) =>
          part === 'f:spec' ? Object.keys(inner).map((name) => `spec.${name.slice(2)}`) : [part.slice(2)],
        )
        return [manager, paths.toSorted()] as const
      })
      return Object.fromEntries(fields)
    }

    it('by two managers and the operator: each owns its own, and nobody is in the way', async () => {
      await applied('shop', SELECTOR)
      await applied('on-call', { paused: false })
      await scene.createPod('db-0')
      await scene.untilLed('db-0')
      assert.deepEqual(await owned(), { shop: ['spec.selector'], 'on-call': ['spec.paused'], leadergroup: ['status'] })
      // Again, now that the operator has written: no conflict, and no change.
      const before = await scene.group()
      const after = await applied('shop', SELECTOR)
      assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion)
      assert.equal((await applied('on-call', { paused: true })).spec.paused, true)
      await scene.untilCondition('True', 'Paused')
    })

    it('of one field by two managers is a conflict that names the owner, until it is forced', async () => {
      await applied('shop', { ...SELECTOR, failover: { notReadySeconds: 5 } })
      const refused = await apply('on-call', { failover: { notReadySeconds: 60 } })
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /conflict with "shop": \.spec\.failover\.notReadySeconds/)
      const forced = await applied('on-call', { failover: { notReadySeconds: 60 } }, '--force-conflicts')
      assert.equal(forced.spec.failover?.notReadySeconds, 60)
      assert.match(
        (await apply('shop', { ...SELECTOR, failover: { notReadySeconds: 5 } })).stderr,
        /conflict with "on-call"/,
      )
    })

    it('of two Services by two managers keeps both', async () => {
      const service = (name: string): object => ({ services: [{ name, role: 'Leader', ports: [{ port: 5432 }] }] })
      await applied('shop', { ...SELECTOR, ...service('db') })
      const { spec } = await applied('on-call', service('db-admin'))
      assert.deepEqual(spec.services?.map(({ name }) => name).toSorted(), ['db', 'db-admin'])
      assert.match(
        (await apply('third', { selector: { matchLabels: { app: 'x' } } })).stderr,
        /conflict with "shop": \.spec\.selector/,
      )
    })
  })

  describe('diff', () => {
    const full = {
      ...SELECTOR,
      failover: { notReadySeconds: 5 },
      services: [{ name: 'db', role: 'Leader', ports: [{ name: 'sql', port: 5432, targetPort: 'sql' }] }],
    }
    for (const [how, flags] of [
      ['client-side', []],
      ['server-side', ['--server-side', '--field-manager=shop']],
    ] as const) {
      it(`is empty after a ${how} apply, also once the operator has written`, async () => {
        for (const spec of [SELECTOR, full]) {
          await succeed(inScene('apply', ...flags), manifest(spec))
          assert.equal(await succeed(inScene('diff', ...flags), manifest(spec)), '')
        }
        await scene.createPod('db-0')
        await scene.untilLed('db-0')
        assert.equal(await succeed(inScene('diff', ...flags), manifest(full)), '')
        const { code, stdout } = await kubectl(inScene('diff', ...flags), manifest({ ...full, paused: true }))
        assert.equal(code, 1)
        assert.match(stdout, /^\+ +paused: true$/m)
      })
    }
  })

  describe('as a plugin', () => {
    let bin: string
    before(async () => {
      await buildBundle()
      bin = await mkdtemp(join((await controlPlane()).dir, 'bin-'))
      await symlink(BIN_FILE, join(bin, 'kubectl-leadergroup'))
    })

    it('explains a group', async () => {
      await scene.createLed(['db-0', 'db-1'])
      const path = process.env['PATH']
      process.env['PATH'] = [bin, path].join(delimiter)
      try {
        const text = await succeed(inScene('leadergroup', 'explain', 'db'))
        assert.match(text, /^db-0 leads, in term 2 since /m)
      } finally {
        process.env['PATH'] = path
      }
    })

    it('says what it needs on a Node that is too old', () => {
      const old = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.1' } })"
      const load = `data:text/javascript,${encodeURIComponent(old)}`
      const { status, stderr } = spawnSync(process.execPath, ['--import', load, BIN_FILE, 'explain', 'db'], {
        encoding: 'utf8',
      })
      assert.equal(status, 1)
      assert.match(stderr, /^leadergroup needs Node 22\.19 or later, this is 20\.11\.1 \(.*\)\. Install a newer Node/)
    })
  })

  describe('the health check for Argo CD in docs/kubectl.md', () => {
    const lua = ['lua5.1', 'luajit', 'lua'].find((name) => spawnSync(name, ['-v']).status === 0)

    /** As Argo CD runs it: with the object in `obj`, and the returned table as the answer. */
    async function health(group: object): Promise<string> {
      const [, block = ''] = /```yaml\n(data:\n[^]*?)```/.exec(await readFile(DOC, 'utf8')) ?? []
      const { data } = parse(block) as { data: Readonly<Record<string, string>> }
      const script = data['resource.customizations.health.leadergroup.io_LeaderGroup']
      const program = `obj = ${inLua(group)}\nlocal hs = (function()\n${script}\nend)()\nio.write(hs.status, "\\t", hs.message)`
      return execFileSync(lua!, ['-e', program], { encoding: 'utf8' })
    }

    async function untilHealth(wanted: RegExp): Promise<true> {
      let last = ''
      return eventually({ what: `health ${String(wanted)}`, millis: 10_000 }, async () => {
        last = await health(await scene.group())
        return wanted.test(last) ? true : undefined
      })
    }

    it('tells of a real group what it is', async function () {
      if (lua === undefined) return this.skip()
      assert.match(await health({ metadata: { generation: 1 } }), /^Progressing\tNo operator has decided/)
      await scene.createGroup('db', { services: [{ name: 'db', role: 'Leader', ports: [{ port: 1 }] }] })
      await untilHealth(/^Progressing\tNoPods: /)
      await scene.createPod('db-0')
      await untilHealth(/^Healthy\tLeaderElected: db-0 leads in term 2/)
      await scene.patchGroup({ paused: true })
      await untilHealth(/^Suspended\tPaused: /)
      await scene.patchGroup({ paused: false })
      await untilHealth(/^Healthy\t/)
      await scene.patchGroup({ services: [{ name: 'db', role: 'Leader', ports: [{ port: 1, targetPort: 'sql' }] }] })
      await untilHealth(/^Degraded\tPortUnresolved: /)
      const seen = await scene.group()
      const generation = (seen.metadata.generation ?? 0) + 1
      const changed = { ...seen, metadata: { ...seen.metadata, generation } }
      assert.match(await health(changed), /^Progressing\tThe operator has not seen the last change/)
    })
  })
})

/** JSON as a Lua expression. */
function inLua(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(inLua).join(',')}}`
  if (typeof value === 'string')
    return `"${[...Buffer.from(value)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`
  if (typeof value === 'number' || typeof value === 'boolean') return `${value}`
  if (typeof value !== 'object' || value === null) return 'nil'
  return `{${Object.entries(value)
    .map(([key, each]) => `[${inLua(key)}]=${inLua(each)}`)
    .join(',')}}`
}
