import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { UsageError } from './usage-error.ts'

/**
 * The files that kubectl would read, as far as they exist. Apart from `kubeconfig.ts`, for client-node costs 14 MB of
 * memory as soon as it is imported, and a pod has no such file.
 */
export function kubeConfigFiles(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  if (flag !== undefined) {
    if (!existsSync(flag)) throw new UsageError(`--kubeconfig ${flag}: there is no such file`)
    return [flag]
  }
  const listed = env['KUBECONFIG']?.split(delimiter).filter((file) => file !== '') ?? []
  const files = listed.length > 0 ? listed : [join(env['HOME'] || homedir(), '.kube', 'config')]
  return files.filter((file) => existsSync(file))
}
