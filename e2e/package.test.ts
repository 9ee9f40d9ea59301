import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import manifest from '../package.json' with { type: 'json' }
import { examplesOf } from '../scripts/examples.ts'
import { Leases } from '../src/kube/objects.ts'
import { type Cluster, ServiceAccounts } from './controlplane/cluster.ts'
import { must } from './controlplane/must.ts'
import { sharedCluster } from './controlplane/shared.ts'
import { type InstalledPackage, installPackage } from './installed-package.ts'

const DOCUMENTS = ['docs/library.md', 'docs/from-client-go.md', 'docs/locks.md', 'docs/openshift.md']
/** As the table of docs/locks.md says. */
const CONFIG_MAP_VERBS = ['get', 'list', 'watch', 'create', 'patch']
const read = (document: string): string => readFileSync(join(import.meta.dirname, '..', document), 'utf8')

/** Uses every name that the library exports, by its type or its value. */
const PROGRAM = `
import { Elector, ElectionError, InvalidOptionsError, lead, TermEndedError } from 'leadergroup'
import type {
  Challenge, Clock, ContendOptions, ElectionErrorCode, ElectorOptions, EndReason, Hooks, KubeConfigLike, LeaseName,
  LeaseRecord, Lock, Observed, Term, TimingSeconds, Versioned,
} from 'leadergroup'

export type All = [
  Challenge, Clock, ContendOptions, ElectionErrorCode, ElectorOptions, EndReason, Hooks, KubeConfigLike, LeaseName,
  LeaseRecord, Lock, Observed, Term, TimingSeconds, Versioned,
]
const stop = new AbortController()
const options: ElectorOptions = { lock: { name: 'db' }, onError: (error) => void error.code.length }
export const value: string | undefined = await lead({ ...options, signal: stop.signal }, (term) => term.identity)
await using elector = new Elector(options)
for await (const term of elector.terms({ signal: stop.signal })) {
  const reason: unknown = term.signal.reason
  if (reason instanceof TermEndedError) { const why: EndReason = reason.reason; void why }
}
// @ts-expect-error a lock is needed
export const incomplete = () => new Elector({ identity: 'a' })
import { HealthzAdaptor, JitterFactor, LeaderElector, LeaseLock, newEventRecorder, newFromKubeconfig, runOrDie, setProvider,
  leaderElectionRecordToLeaseSpec, leaseSpecToLeaderElectionRecord } from 'leadergroup/client-go'
import type {
  Checked, EventObject, EventRecorder, EventRecorderOptions, LeaderCallbacks, LeaderElectionConfig, LeaderElectionRecord, LeaderMetric,
  LeaseLockOptions, MetricsProvider, ResourceLock, ResourceLockConfig, RunOptions, Task,
} from 'leadergroup/client-go'

export type Theirs = [
  Checked, EventObject, EventRecorder, EventRecorderOptions, LeaderCallbacks, LeaderElectionRecord, LeaderMetric, LeaseLockOptions,
  MetricsProvider, ResourceLockConfig, Task,
]
export const locks: ResourceLock[] = [
  newFromKubeconfig('leases', 'shop', 'db', { identity: 'a' }),
  new LeaseLock({ leaseMeta: { namespace: 'shop', name: 'db' }, lockConfig: { identity: 'a' } }),
]
export const run = (config: LeaderElectionConfig, options: RunOptions) => runOrDie(config, options)
export const check = (config: LeaderElectionConfig): Error | undefined => new LeaderElector(config).check(JitterFactor)
export const health: Error | undefined = new HealthzAdaptor(20).check()
export const values = [newEventRecorder, setProvider, leaderElectionRecordToLeaseSpec, leaseSpecToLeaderElectionRecord]
import { startWhileLeading } from 'leadergroup/controllers'
import type { ControllerOptions, StartController, StopController } from 'leadergroup/controllers'

export type Ours = [StartController, StopController]
export const work = (all: ControllerOptions) => lead(options, startWhileLeading({ none: () => {} }, all))
export const isKnown = (error: unknown) => error instanceof InvalidOptionsError || error instanceof ElectionError
`

/** Elects with the credentials in its environment, without any other package. */
const ELECTION = `
const kube = {
  getCurrentCluster: () => ({ server: process.env.SERVER }),
  applyToHTTPSOptions: async (options) => {
    Object.assign(options, { ca: process.env.CA, headers: { Authorization: 'Bearer ' + process.env.TOKEN } })
  },
}
const lock = { name: process.env.LEASE, namespace: process.env.NAMESPACE }
lead({ lock, kube, identity: 'me' }, (term) => console.log(term.number, term.isCurrent()))
`

describe('the package', function () {
  this.timeout(300_000)
  let installed: InstalledPackage

  before(async () => {
    installed = await installPackage()
  })
  after(() => installed[Symbol.asyncDispose]())

  it('consists of the library, the command line and the CRD', () => {
    const [library, others] = partition(installed.files, (path) => path.startsWith('dist/lib/'))
    assert.deepEqual(others.toSorted(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'crds/kustomization.yaml',
      'crds/leadergroup.yaml',
      'dist/bin.cjs',
      'dist/leadergroup.js',
      'dist/leadergroup.js.LEGAL.txt',
      'package.json',
    ])
    assert.deepEqual([...new Set(library.map((path) => path.split('/')[2]!))].toSorted(), [
      'client-go',
      'clock.d.ts',
      'clock.js',
      'election',
      'etcd',
      'exports',
      'kube',
      'lock',
      'loop.d.ts',
      'loop.js',
      'openshift',
    ])
    const [scripts, declarations] = partition(library, (path) => !path.endsWith('.d.ts'))
    assert.deepEqual(scripts.map((path) => path.replace(/\.js$/, '.d.ts')).toSorted(), declarations.toSorted())
    assert.deepEqual(
      library.filter((path) => /\.test\.|fixtures/.test(path)),
      [],
    )
  })

  it('has all that its manifest promises', () => {
    const entries = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? entry : Object.values(entry),
    )
    const promised = [...entries, ...Object.values(manifest.bin)].map((path) => path.replace(/^\.\//, ''))
    assert.deepEqual(
      promised.filter((path) => !installed.files.includes(path)),
      [],
    )
  })

  it('brings undici along, and nothing else', async () => {
    assert.deepEqual(await installed.installed(), [
      `leadergroup@${manifest.version}`,
      `undici@${manifest.dependencies.undici}`,
    ])
  })

  it('has declarations that import no package, and name the files that are there', async () => {
    const declarations = installed.files.filter((path) => path.endsWith('.d.ts'))
    for (const path of declarations) {
      const text = await readFile(join(installed.directory, 'node_modules/leadergroup', path), 'utf8')
      const named = [...text.matchAll(/(?:\bfrom |\bimport\(|<reference \w+=)['"]([^'"]+)['"]/g)].map(
        ([, name]) => name!,
      )
      // An older compiler does not look for x.d.ts where x.ts is named.
      assert.deepEqual(
        named.filter((name) => !/^\.\.?\/.*\.js$/.test(name)),
        [],
        path,
      )
    }
  })

  for (const [whose, options, types] of [
    ['of a browser’s library', { lib: ['es2022', 'dom', 'esnext.disposable'], types: [] }, []],
    ['of Node', { lib: ['es2022'], types: ['node'] }, ['@types/node', 'undici-types']],
  ] as const) {
    it(`is typed completely, without client-node, with the types ${whose}`, async () => {
      for (const name of types) await installed.add(name, { linked: false })
      await installed.write('program.ts', PROGRAM)
      await installed.typecheck(['program.ts'], { target: 'es2022', skipLibCheck: false, ...options })
    })
  }

  describe('on a real API server', () => {
    let cluster: Cluster
    let namespace: string

    before(async () => {
      cluster = await sharedCluster()
      namespace = await cluster.createNamespace('package')
    })

    for (const [how, file, first] of [
      ['import', 'election.mjs', `import { lead } from 'leadergroup'`],
      ['require', 'election.cjs', `const { lead } = require('leadergroup')`],
    ] as const) {
      it(`elects when loaded by ${how}`, async () => {
        await installed.write(file, `${first}\n${ELECTION}`)
        const { server, ca, adminToken } = cluster.plane
        const env = { SERVER: server, CA: ca, TOKEN: adminToken, LEASE: how, NAMESPACE: namespace }
        assert.equal(await installed.run(file, { env }), '0 true\n')
        const { spec } = must(await cluster.api.get(Leases, { namespace, name: how }))
        assert.deepEqual([spec?.holderIdentity, spec?.leaseTransitions], ['', 0])
      })
    }

    describe('what the documents show', () => {
      let kubeconfig: string

      before(async () => {
        // With what the document says that an elector may do, and nothing more.
        must(
          await cluster.api.create(ServiceAccounts, namespace, {
            apiVersion: 'v1',
            kind: 'ServiceAccount',
            metadata: { name: 'db' },
          }),
        )
        const [manifests = ''] = [...read('docs/library.md').matchAll(/^```yaml\n([^]*?)^```/gm)].map(
          ([, yaml]) => yaml!,
        )
        const rbac = parseAllDocuments(manifests).map((each) => each.toJSON() as { kind: string; subjects?: object[] })
        for (const object of rbac.filter(({ kind }) => kind.startsWith('Role'))) {
          const subjects = object.subjects && {
            subjects: object.subjects.map((subject) => ({ ...subject, namespace })),
          }
          await cluster.plane.apply(JSON.stringify({ ...object, ...subjects }), '-n', namespace)
        }
        await permitConfigMaps(cluster, namespace)
        kubeconfig = await cluster.plane.kubeconfigFor('db', await cluster.plane.serviceAccountToken(namespace, 'db'))
        for (const name of ['@kubernetes/client-node', '@types/node', 'undici-types'])
          await installed.add(name, { linked: true })
      })

      for (const document of DOCUMENTS) {
        const examples = examplesOf(read(document))

        it(`${document} has examples`, () => assert.ok(examples.length > 0))

        for (const { line, code, prints } of examples) {
          const runs = prints.length === 0 ? '' : `, and prints ${JSON.stringify(prints)}`
          it(`the example of line ${line} of ${document} compiles${runs}`, async () => {
            const file = `example-${document.replaceAll(/\W/g, '-')}-${line}.ts`
            await installed.write(file, code.replaceAll("'shop'", JSON.stringify(namespace)))
            await installed.typecheck([file], {
              target: 'esnext',
              lib: ['esnext'],
              types: ['node'],
              skipLibCheck: true,
            })
            // It needs what no test of the package has: an etcd of its own, or a feature gate.
            if (prints.length === 0) return
            const printed = await installed.run(file, {
              env: { KUBECONFIG: kubeconfig },
              onOutput: (soFar, stop) => {
                if (code.includes('SIGTERM') && soFar === `${prints[0]}\n`) stop()
              },
            })
            assert.deepEqual(printed.trimEnd().split('\n'), prints)
          })
        }
      }
    })
  })
})

async function permitConfigMaps({ plane }: Cluster, namespace: string): Promise<void> {
  const name = 'elect-on-configmaps'
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: CONFIG_MAP_VERBS }]
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
  const subjects = [{ kind: 'ServiceAccount', name: 'db', namespace }]
  for (const object of [
    { kind: 'Role', rules },
    { kind: 'RoleBinding', roleRef, subjects },
  ]) {
    await plane.apply(JSON.stringify({ apiVersion, metadata: { name }, ...object }), '-n', namespace)
  }
}

function partition<T>(all: readonly T[], test: (each: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((each) => !test(each))]
}
