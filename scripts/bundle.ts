import { join, sep } from 'node:path'
import { build, type Plugin } from 'esbuild'

const ROOT = join(import.meta.dirname, '..')
const ENTRY = join(ROOT, 'src/cmd/main.ts')

/** Those of our own sources that need client-node only to keep the base class from using it. */
const BASE_CLASS = join(ROOT, 'src/cmd/leader-group-operator.ts')
const LIBRARY = join('node_modules', '@dot-i', 'k8s-operator') + sep

/** Of which only `KubeConfig` is used: the package's index is some hundred generated classes more. */
const KUBE_CONFIG = join(ROOT, 'node_modules/@kubernetes/client-node/dist/config.js')

/** Of undici only the agents are used. */
const UNDICI = join(import.meta.dirname, 'undici-agents.js')

/**
 * CommonJS that is bundled into an ES module calls `require` for Node's own modules, and there is none in one.
 * https://github.com/evanw/esbuild/issues/1921
 */
const BANNER = `#!/usr/bin/env node
import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);`

export interface Bundle {
  /** How many bytes of the bundle come from which file, by path. */
  readonly inputs: Readonly<Record<string, number>>
}

/** Makes the command line one ES module, `outfile`, with its source map beside it: all that an image needs but Node. */
export async function bundle(outfile: string): Promise<Bundle> {
  const { metafile, warnings } = await build({
    entryPoints: [ENTRY],
    outfile,
    bundle: true,
    platform: 'node',
    // What `engines` in package.json promises.
    target: 'node22.19',
    format: 'esm',
    minify: true,
    // Beside it and without a link in it: an image does not carry it, and whoever has a stack trace can apply it.
    sourcemap: 'external',
    legalComments: 'external',
    banner: { js: BANNER },
    metafile: true,
    logLevel: 'warning',
    plugins: [clientNode, undiciAgents],
  })
  if (warnings.length > 0) throw new Error(`esbuild warned ${warnings.length} times: see above`)
  const [, output] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint !== undefined)!
  const sizes = Object.entries(output.inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const)
  return { inputs: Object.fromEntries(sizes) }
}

const clientNode: Plugin = {
  name: 'client-node',
  setup: (esbuild) => {
    esbuild.onResolve({ filter: /^(@kubernetes\/client-node|gaxios)$/ }, ({ path, importer }) => {
      if (importer.includes(LIBRARY) || importer === BASE_CLASS) return { path: join(import.meta.dirname, 'inert.ts') }
      return path === 'gaxios' ? undefined : { path: KUBE_CONFIG }
    })
    // The clients of all of Kubernetes' types, which `KubeConfig` can make and nobody here lets it make.
    esbuild.onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) =>
      importer === KUBE_CONFIG ? { path: join(import.meta.dirname, 'inert.ts') } : undefined,
    )
  },
}

const undiciAgents: Plugin = {
  name: 'undici-agents',
  setup: (esbuild) => {
    esbuild.onResolve({ filter: /^undici$/ }, () => ({ path: UNDICI }))
  },
}
