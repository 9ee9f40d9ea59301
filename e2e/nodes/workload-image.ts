import { cp, mkdir, mkdtemp, copyFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildLibrary } from '../../scripts/library.ts'
import { clientGoProgram } from '../candidates/client-go.ts'
import type { Built, ImageBuilder } from './images.ts'

const ROOT = join(import.meta.dirname, '../..')
const WORKLOAD = join(import.meta.dirname, 'workload')

export const WORKLOAD_IMAGE = 'leadergroup/e2e-workload:1'

/** With the library as a user of the package has it, and the candidate on client-go. */
export async function workloadImage(builder: ImageBuilder, operator: string): Promise<Built> {
  const context = await mkdtemp(join(tmpdir(), 'leadergroup-workload-'))
  try {
    await cp(WORKLOAD, context, { recursive: true })
    await buildLibrary()
    const library = join(context, 'node_modules/leadergroup')
    await mkdir(library, { recursive: true })
    await cp(join(ROOT, 'dist/lib'), join(library, 'dist/lib'), { recursive: true })
    await copyFile(join(ROOT, 'package.json'), join(library, 'package.json'))
    await cp(join(ROOT, 'node_modules/undici'), join(context, 'node_modules/undici'), { recursive: true })
    await copyFile(await clientGoProgram(), join(context, 'client-go'))
    return await builder.build(WORKLOAD_IMAGE, context, { OPERATOR: operator })
  } finally {
    await rm(context, { recursive: true })
  }
}
