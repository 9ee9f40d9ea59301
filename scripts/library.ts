import { execFile } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '..')
const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')

/** Where the library goes: a file for each source that an entry of `src/exports` reaches, and its declarations. */
export const LIBRARY_DIRECTORY = join(ROOT, 'dist/lib')

/** Resolves to how many modules there are. */
export async function buildLibrary(): Promise<number> {
  await rm(LIBRARY_DIRECTORY, { recursive: true, force: true })
  const compile = [TSC, '-p', join(ROOT, 'tsconfig.library.json'), '--outDir', LIBRARY_DIRECTORY]
  await promisify(execFile)(process.execPath, compile).catch((error: { stdout?: string }) => {
    throw new Error(`the library does not compile:\n${error.stdout}`, { cause: error })
  })
  const files = await readdir(LIBRARY_DIRECTORY, { recursive: true })
  const declarations = files.filter((file) => file.endsWith('.d.ts'))
  for (const file of declarations) await nameOutputs(join(LIBRARY_DIRECTORY, file))
  return declarations.length
}

/** The compiler renames imports in JavaScript only: declarations would go on naming `.ts` files, which are not there. */
async function nameOutputs(file: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replaceAll(/(\bfrom |\bimport\()(['"])(\.[^'"]*)\.ts\2/g, '$1$2$3.js$2'))
}
