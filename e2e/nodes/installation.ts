/** The operator as an administrator installs it: `kubectl apply -k`, and two ready replicas. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { OPERATOR_IMAGE } from './images.ts'
import { type Reach, succeed } from './world.ts'

/** What is applied. */
export const DEFAULT = join(import.meta.dirname, '../../config/default')
const NAMESPACE = 'leadergroup-system'
const DEPLOYMENT = 'deployment/leadergroup-controller-manager'

/** Applies `config/default`, with another image by an overlay, as its comment says. */
export async function installOperator(world: Reach, operator: string): Promise<void> {
  if (operator === OPERATOR_IMAGE) await succeed(world, ['apply', '-k', DEFAULT])
  else await withOverlay(operator, (overlay) => succeed(world, ['apply', '-k', overlay]))
  await succeed(world, ['-n', NAMESPACE, 'rollout', 'status', DEPLOYMENT, '--timeout=170s'])
}

async function withOverlay(image: string, use: (dir: string) => Promise<unknown>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'leadergroup-overlay-'))
  try {
    const colon = image.lastIndexOf(':')
    const [name] = OPERATOR_IMAGE.split(':')
    const images = [{ name, newName: image.slice(0, colon), newTag: image.slice(colon + 1) }]
    await writeFile(join(dir, 'kustomization.yaml'), JSON.stringify({ resources: [relative(dir, DEFAULT)], images }))
    await use(dir)
  } finally {
    await rm(dir, { recursive: true })
  }
}
