/** `npm run build`: the command line as one file, `dist/leadergroup.js`, with the check of Node's version, and the library. */
import { chmod, copyFile, readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundle } from './bundle.ts'
import { buildLibrary, LIBRARY_DIRECTORY } from './library.ts'

const ROOT = join(import.meta.dirname, '..')
/** Packages that make up less of it are summed up. */
const NAMED_PACKAGES = 8

/** Where the bundle goes. */
export const BUNDLE_FILE = join(ROOT, 'dist/leadergroup.js')
/** What `bin` in package.json names. */
export const BIN_FILE = join(ROOT, 'dist/bin.cjs')

/** Resolves to a report of its sizes. */
export async function buildBundle(): Promise<string> {
  await rm(BUNDLE_FILE, { force: true })
  const { inputs } = await bundle(BUNDLE_FILE)
  await copyFile(join(import.meta.dirname, 'bin.cjs'), BIN_FILE)
  await chmod(BIN_FILE, 0o755)
  const code = await readFile(BUNDLE_FILE)
  const sizes = `${kilobytes(code.length)}, ${kilobytes(gzipSync(code).length)} gzipped`
  return [`${relative(ROOT, BUNDLE_FILE)}: ${sizes}`, ...bySize(inputs)].join('\n')
}

function bySize(inputs: Readonly<Record<string, number>>): string[] {
  const sums = new Map<string, number>()
  for (const [path, bytes] of Object.entries(inputs)) {
    const [, name = 'leadergroup'] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path) ?? []
    sums.set(name, (sums.get(name) ?? 0) + bytes)
  }
  const sorted = [...sums].toSorted(([, a], [, b]) => b - a)
  const [named, rest] = [sorted.slice(0, NAMED_PACKAGES), sorted.slice(NAMED_PACKAGES)]
  const others = rest.reduce((sum, [, bytes]) => sum + bytes, 0)
  return [...named, [`${rest.length} more packages`, others] as const].map(
    ([name, bytes]) => `${kilobytes(bytes).padStart(11)}  ${name}`,
  )
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1_000)} kB`
}

if (import.meta.main) {
  console.log(await buildBundle())
  console.log(`${relative(ROOT, LIBRARY_DIRECTORY)}: ${await buildLibrary()} modules`)
}
