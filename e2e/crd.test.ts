import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { untilEstablished } from './controlplane/crd.ts'
import { eventually } from './controlplane/eventually.ts'
import { controlPlane } from './controlplane/shared.ts'
import { accepted, app, changes, full, type Json, refused, service, statuses, withDefaults } from './crd-tables.ts'
import { fail, kubectl, succeed } from './kubectl.ts'

const NAMESPACE = `crd-${Date.now().toString(36)}`
const CRD_DIRECTORY = fileURLToPath(new URL('../config/crd', import.meta.url))
const README_FILE = fileURLToPath(new URL('../README.md', import.meta.url))

describe('the LeaderGroup resource', () => {
  before(async () => {
    await succeed(['apply', '-k', CRD_DIRECTORY])
    await untilEstablished(await controlPlane())
    await succeed(['create', 'namespace', NAMESPACE])
    await untilItSucceeds(['explain', 'leadergroup.spec.selector'])
  })

  after(() => succeed(['delete', 'namespace', NAMESPACE, '--wait=false']))

  describe('accepts', () => {
    for (const [what, spec, name] of accepted) {
      it(what, async () => {
        const created = await succeed(['create', '-n', NAMESPACE, '--dry-run=server', '-o', 'json'], group(spec, name))
        assert.deepEqual((JSON.parse(created) as { spec: Json }).spec, withDefaults(spec))
      })
    }
  })

  describe('refuses', () => {
    for (const [what, spec, message, name] of refused) {
      it(what, () => fail(['create', '-n', NAMESPACE, '--dry-run=server'], message, group(spec, name)))
    }
  })

  describe('allows or refuses as a change', () => {
    before(async () => {
      await succeed(['create', '-n', NAMESPACE], group({ selector: app }, 'plain'))
      await succeed(
        ['create', '-n', NAMESPACE],
        group({ selector: app, leaseName: 'db', services: [service()] }, 'named'),
      )
    })
    for (const [what, name, spec, message] of changes) {
      const patch = patchGroup(name, { spec }, '--dry-run=server')
      it(what, () => (message ? fail(patch, message) : succeed(patch)))
    }
  })

  describe('checks its status', () => {
    before(() => succeed(['create', '-n', NAMESPACE], group({ selector: app }, 'status')))
    for (const [what, status, message] of statuses) {
      const patch = patchStatus('status', status, '--dry-run=server')
      it(what, () => (message ? fail(patch, message) : succeed(patch)))
    }
    it('keeps spec and status apart', async () => {
      await succeed(patchGroup('status', { status: full }))
      const output = ['-o', 'jsonpath={.status.holder}{.status.conditions[0].reason}']
      assert.equal(await succeed(['get', '-n', NAMESPACE, 'lg', 'status', ...output]), 'Pending')
    })
  })

  describe('answers', () => {
    before(async () => {
      await succeed(['create', '-n', NAMESPACE], group({ selector: app }, 'db'))
      const acquireTime = new Date(Date.now() - 3.5 * 3_600_000).toISOString().replace('Z', '456Z')
      await succeed(patchStatus('db', { ...full, acquireTime }))
    })

    it('kubectl get', async () => {
      const [header, row] = table(await succeed(['get', '-n', NAMESPACE, 'lg', 'db']))
      assert.deepEqual(header, ['NAME', 'HOLDER', 'TRANSITIONS', 'READY', 'SINCE', 'AGE'])
      assert.deepEqual(row?.slice(0, -1), ['db', 'db-1', '4', 'True', '3h30m'])
      assert.match(row?.at(-1) ?? '', /^\d+s$/)
    })

    it('kubectl get -o wide', async () => {
      const [header, row] = table(await succeed(['get', '-n', NAMESPACE, 'leadergroup', 'db', '-o', 'wide']))
      assert.deepEqual(header?.slice(6), ['MODE', 'LEASE', 'CANDIDATES'])
      assert.deepEqual(row?.slice(6), ['Assign', 'db', '3'])
    })

    it('kubectl get by the holder', async () => {
      assert.equal((await namesBy('status.holder=db-1')).trim(), 'leadergroup.leadergroup.io/db')
      assert.equal((await namesBy(`status.holderUID=${full.holderUID}`)).trim(), 'leadergroup.leadergroup.io/db')
      assert.equal((await namesBy('status.holder=db-2')).trim(), '')
    })

    it('the examples of the README', async () => {
      const readme = await readFile(README_FILE, 'utf8')
      const examples = [...readme.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml]) => yaml!)
      assert.equal(examples.length, 2)
      for (const example of examples) {
        const answer = await succeed(['apply', '-n', NAMESPACE, '--dry-run=server', '-o', 'name'], renamed(example))
        assert.equal(answer, 'leadergroup.leadergroup.io/readme\n')
      }
    })

    it('kubectl wait', () => succeed(['wait', '-n', NAMESPACE, '--for=condition=Ready', '--timeout=10s', 'lg/db']))

    it('an unknown field with a warning, and drops it', async () => {
      const create = ['create', '-n', NAMESPACE, '--dry-run=server', '-o', 'json', '--validate=warn']
      const { code, stdout, stderr } = await kubectl(
        create,
        group({ selector: app, failover: { after: 5 } }, 'unknown'),
      )
      assert.equal(code, 0, stderr)
      assert.match(stderr, /Warning: unknown field "spec\.failover\.after"/)
      assert.deepEqual((JSON.parse(stdout) as { spec: Json }).spec, {
        ...withDefaults({ selector: app }),
        failover: {},
      })
    })
  })

  describe('explains', () => {
    it('every field, and bounds it', async () => {
      const gaps = [...incomplete(await publishedSchema())]
      assert.deepEqual(gaps, [])
    })

    it('its tree', async () => {
      const tree = await succeed(['explain', 'leadergroup', '--recursive'])
      for (const field of ['notReadySeconds', 'matchExpressions', 'holderIdentity', 'observedGeneration']) {
        assert.match(tree, new RegExp(`^ +${field}\\t<`, 'm'))
      }
    })

    it('a single field', async () => {
      const wait = await succeed(['explain', 'lg.spec.failover.notReadySeconds'])
      assert.match(wait, /^FIELD: notReadySeconds <integer>$[^]*before another ready pod\s+takes over\. 0, also when/m)
      assert.match(await succeed(['explain', 'lg.spec.mode']), /ENUM:\n +Assign\n[^]*Who elects\./)
    })
  })
})

interface Schema extends Json {
  properties?: Record<string, Schema>
  additionalProperties?: Schema
  items?: Schema
}

async function publishedSchema(): Promise<Schema> {
  const raw = await succeed(['get', '--raw', '/openapi/v3/apis/leadergroup.io/v1alpha1'])
  const { schemas } = (JSON.parse(raw) as { components: { schemas: Record<string, Schema> } }).components
  const { spec, status } = schemas['io.leadergroup.v1alpha1.LeaderGroup']?.properties ?? {}
  assert.ok(spec && status)
  return { description: 'LeaderGroup', type: 'object', properties: { spec, status } }
}

/** The fields that lack a description, or a bound on what they may hold. */
function* incomplete(schema: Schema, path = ''): Generator<string> {
  const bounds: Record<string, readonly string[]> = {
    string: ['maxLength', 'enum'],
    array: ['maxItems'],
    integer: ['minimum'],
    object: ['properties', 'maxProperties'],
    // A number or a string: the server takes both bounds.
    undefined: ['x-kubernetes-int-or-string'],
    boolean: ['type'],
  }
  if (!schema['description']) yield `${path}: no description`
  if (!bounds[String(schema['type'])]?.some((key) => key in schema)) yield `${path}: no bound`
  for (const [name, property] of Object.entries(schema.properties ?? {})) yield* incomplete(property, `${path}.${name}`)
  if (schema.additionalProperties) yield* incomplete(schema.additionalProperties, `${path}{}`)
  if (schema.items) yield* incomplete({ description: 'of the list', ...schema.items }, `${path}[]`)
}

function group(spec: Json | undefined, name = 'db'): string {
  return JSON.stringify({ apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', metadata: { name }, spec })
}

/** Under a name of its own: mode and leaseName of a group that exists cannot be changed. */
function renamed(manifest: string): string {
  return stringify({ ...(parse(manifest) as Json), metadata: { name: 'readme' } })
}

function patchGroup(name: string, patch: Json, ...options: string[]): string[] {
  return ['patch', '-n', NAMESPACE, 'lg', name, '--type=merge', '-p', JSON.stringify(patch), ...options]
}

function patchStatus(name: string, status: Json, ...options: string[]): string[] {
  return patchGroup(name, { status }, '--subresource=status', ...options)
}

function namesBy(fieldSelector: string): Promise<string> {
  return succeed(['get', '-n', NAMESPACE, 'lg', '-o', 'name', '--field-selector', fieldSelector])
}

function table(text: string): string[][] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
}

/** The API server publishes a new resource's schema and routes within seconds of its being Established. */
function untilItSucceeds(args: readonly string[], manifest?: string): Promise<true> {
  return eventually({ what: `kubectl ${args.join(' ')}`, millis: 30_000, intervalMillis: 200 }, async () =>
    (await kubectl(args, manifest)).code === 0 ? true : undefined,
  )
}
