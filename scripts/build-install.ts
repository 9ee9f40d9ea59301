/** `npm run build:install`: all of `config/default` in one file, `dist/install.yaml`, for those without a checkout. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { resolveBinaries } from '../e2e/controlplane/binaries.ts'
import { terminalProgress } from '../e2e/controlplane/progress.ts'

const ROOT = join(import.meta.dirname, '..')
const CONFIG = join(ROOT, 'config/default')
const KUSTOMIZE_MILLIS = 60_000

/** Where the manifests go. */
export const INSTALL_FILE = join(ROOT, 'dist/install.yaml')

/** Resolves to what was written: what `kubectl kustomize config/default` says, with the kubectl of the tests. */
export async function buildInstall(): Promise<string> {
  const { kubectl } = await resolveBinaries({ components: ['kubectl'], progress: terminalProgress() })
  const { stdout } = await promisify(execFile)(kubectl.command, [...kubectl.prefixArgs, 'kustomize', CONFIG], {
    timeout: KUSTOMIZE_MILLIS,
  })
  await mkdir(dirname(INSTALL_FILE), { recursive: true })
  await writeFile(INSTALL_FILE, stdout)
  return stdout
}

if (import.meta.main) {
  const objects = (await buildInstall()).split('\n---\n')
  console.log(`${relative(ROOT, INSTALL_FILE)}: ${objects.length} objects`)
}
