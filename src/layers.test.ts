import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The rules of the code's shape. A layer may import itself and those named here. `sim` and tests may import anything:
 * they drive the whole.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'clock.ts': [],
  'loop.ts': ['clock.ts'],
  election: [],
  group: ['election'],
  kube: ['clock.ts'],
  lock: ['election', 'kube', 'loop.ts', 'clock.ts'],
  etcd: ['lock', 'election', 'kube', 'loop.ts', 'clock.ts'],
  openshift: ['etcd', 'lock', 'election', 'kube', 'loop.ts', 'clock.ts'],
  operator: ['group', 'election', 'lock', 'kube', 'loop.ts', 'clock.ts'],
  'client-go': ['lock', 'election', 'kube', 'loop.ts', 'clock.ts'],
  // What the package exports. No other layer may be imported by a program that is no checkout.
  exports: ['client-go', 'openshift', 'etcd', 'lock', 'election', 'kube', 'clock.ts'],
  // `..`: package.json, for the version.
  cmd: ['operator', 'group', 'election', 'lock', 'kube', 'loop.ts', 'clock.ts', '..'],
}

/** Types cost nothing at run time, and tell no layer what to do: the brains may know the shape of a Kubernetes object. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = { group: ['kube'] }

/** Packages by layer; `node:` modules count as packages. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  kube: ['undici', 'node:fs', 'node:fs/promises', 'node:net', 'node:path', 'node:tls', 'node:util'],
  lock: ['node:crypto', 'node:os'],
  exports: ['@kubernetes/client-node', 'node:fs', 'node:os', 'node:path'],
  operator: ['prom-client', 'node:events', 'node:http', 'node:net'],
  cmd: ['commander', 'winston', 'yaml', '@kubernetes/client-node', '@dot-i/k8s-operator', 'prom-client', 'node:*'],
}

/** The programs; and of the library the one file that says what a process's environment provides. */
const TOUCHES_PROCESS = /^(cmd\/|exports\/surroundings\.ts$)/

const PURE = ['election', 'group']
/** The brains of layers that have a shell as well. */
const PURE_FILES = [
  'etcd/decide.ts',
  'etcd/observe.ts',
  'etcd/observation.ts',
  'etcd/wall-gain.ts',
  'openshift/decide-absence.ts',
]
/** What decides must be told the time and its luck. */
const IMPURE =
  /\b(async|await|Date|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|performance|process)\b/
const REAL_TIME = /\b(setTimeout|setInterval|performance\.now|Date\.now|new Date\(\)|AbortSignal\.timeout)\b/
const PROCESS = /\bprocess\./

const SRC = dirname(fileURLToPath(import.meta.url))

interface Import {
  readonly target: string
  readonly typeOnly: boolean
}

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const files = sources
  .filter((file) => !file.endsWith('.test.ts'))
  .filter((file) => layerOf(file) !== 'sim' && !/^(kube|lock)\/contract|[-/]fixtures\.ts$/.test(file))

describe('layers', () => {
  it('has rules for every layer', () => {
    const layers = [...new Set(files.map(layerOf))].toSorted()
    assert.deepEqual(layers, Object.keys(MAY_IMPORT).toSorted())
  })

  it('have no circle of imports, not even of types: what a file needs can be read before it', () => {
    const imported = new Map(
      sources.map((file) => {
        const targets = importsOf(withoutComments(readFileSync(join(SRC, file), 'utf8'))).map(({ target }) => target)
        return [file, targets.filter((target) => target.startsWith('.')).map((target) => join(dirname(file), target))]
      }),
    )
    assert.deepEqual(circleOf(imported), [])
  })

  for (const file of files) {
    const layer = layerOf(file)
    const code = withoutComments(readFileSync(join(SRC, file), 'utf8'))

    it(`${file} imports only what its layer may`, () => {
      for (const { target, typeOnly } of importsOf(code)) {
        if (target.startsWith('.')) {
          const at = layerOf(relative(SRC, join(SRC, dirname(file), target)))
          const allowed = [layer, ...MAY_IMPORT[layer]!, ...(typeOnly ? (MAY_IMPORT_TYPES[layer] ?? []) : [])]
          assert.ok(allowed.includes(at), `${layer} may not import ${at} (${target})`)
        } else {
          const allowed = PACKAGES[layer] ?? []
          assert.ok(
            allowed.some((name) => isPackage(name, target)),
            `${layer} may not import ${target}`,
          )
        }
      }
    })

    if (PURE.includes(layer) || PURE_FILES.includes(file)) {
      it(`${file} is pure`, () => assert.doesNotMatch(withoutStrings(code), IMPURE))
    }
    if (file !== 'clock.ts') {
      it(`${file} takes its time from a Clock`, () => assert.doesNotMatch(withoutStrings(code), REAL_TIME))
    }
    if (!TOUCHES_PROCESS.test(file)) {
      it(`${file} does not touch the process`, () => assert.doesNotMatch(withoutStrings(code), PROCESS))
    }
  }
})

/** The files of one circle; none: there is no circle. */
function circleOf(imported: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const left = new Map(imported)
  for (let isLess = true; isLess;) {
    isLess = false
    for (const [file, targets] of left) {
      // Nothing that is left imports more: it is in no circle.
      if (!targets.some((target) => left.has(target))) isLess = left.delete(file)
    }
  }
  const path: string[] = []
  let next = left.keys().next().value
  while (next !== undefined && !path.includes(next)) {
    path.push(next)
    next = left.get(next)!.find((target) => left.has(target))
  }
  return next === undefined ? [] : path.slice(path.indexOf(next))
}

function layerOf(file: string): string {
  return file.split('/')[0]!
}

function isPackage(allowed: string, target: string): boolean {
  if (allowed.endsWith('*')) return target.startsWith(allowed.slice(0, -1))
  return target === allowed || target.startsWith(`${allowed}/`)
}

function importsOf(code: string): readonly Import[] {
  const statements = code.matchAll(
    /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  )
  return [...statements].map(([, type, from, dynamic]) => ({ target: from ?? dynamic!, typeOnly: type !== undefined }))
}

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$|\s\/\/ .*$/gm, '')
}

function withoutStrings(code: string): string {
  return code.replaceAll(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''")
}
