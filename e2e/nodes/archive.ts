/** Images of one layer, as `docker save` writes them: for what an image is made of when no registry can be asked. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { takeTurn, userCache } from '../controlplane/cache.ts'
import { silent } from '../controlplane/progress.ts'
import { run } from './run.ts'

export interface ArchiveSpec {
  /** Without a tag it gets one that names its contents. */
  readonly name: string
  /** Files that decide what is in it, besides this specification. */
  readonly sources: readonly string[]
  readonly config: Readonly<Record<string, unknown>>
  /** Puts the files into the directory that becomes the root of the image. */
  readonly fill: (root: string) => Promise<void>
}

const CREATED = '1970-01-01T00:00:00Z'
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

export interface Archive {
  /** With its tag. */
  readonly name: string
  readonly file: string
}

/** Made once and kept in the user's cache. */
export async function archived(spec: ArchiveSpec): Promise<Archive> {
  const dir = join(userCache(process.env), 'images')
  const digest = await digestOf(spec)
  const name = spec.name.includes(':') ? spec.name : `${spec.name}:${digest}`
  const key = `${spec.name.replaceAll(/[^a-z0-9.]+/gi, '-')}-${digest}.tar`
  const file = join(dir, key)
  if (await isReadable(file)) return { name, file }
  await using turn = await takeTurn(dir, silent, new AbortController().signal)
  if (await isReadable(file)) return { name, file }
  const work = join(turn.scratch.dir, 'archive')
  const root = join(turn.scratch.dir, 'root')
  await mkdir(work)
  await mkdir(root)
  await spec.fill(root)
  await run('tar', [
    '--create',
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--mtime=@0',
    '--file',
    join(work, 'layer.tar'),
    '-C',
    root,
    '.',
  ])
  const config = JSON.stringify({
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    created: CREATED,
    config: spec.config,
    // Builders count layers by it.
    history: [{ created: CREATED, created_by: 'leadergroup' }],
    rootfs: { type: 'layers', diff_ids: [`sha256:${await sha256(join(work, 'layer.tar'))}`] },
  })
  await writeFile(join(work, 'config.json'), config)
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]
  await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest))
  const made = join(turn.scratch.dir, key)
  await run('tar', ['--create', '--file', made, '-C', work, 'manifest.json', 'config.json', 'layer.tar'])
  await rm(root, { recursive: true })
  await rename(made, file)
  return { name, file }
}

async function digestOf({ name, sources, config, fill }: ArchiveSpec): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([name, config, fill.toString(), archived.toString()]))
  for (const file of sources) hash.update(await sha256(file))
  return hash.digest('hex').slice(0, 12)
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

async function isReadable(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  )
}
