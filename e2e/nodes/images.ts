/** The images that nodes run, built by buildah, an ordinary builder that needs neither a daemon nor a registry. */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { userCache } from '../controlplane/cache.ts'
import type { Archive } from './archive.ts'
import { baseArchive, builderArchive } from './node-images.ts'
import { run } from './run.ts'

const ROOT = join(import.meta.dirname, '../..')
/** As the shipped manifests name it. */
export const OPERATOR_IMAGE = `leadergroup/operator:${version()}`
/** Of the local bases: the stage that builds installs packages of npm, which can take long. */
const BUILD_MILLIS = 600_000

export interface Built {
  readonly name: string
  readonly archive: string
  /** Of all its layers, unpacked. */
  readonly bytes: number
}

/** A place for buildah's images and the archives that come from it. */
export class ImageBuilder {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  /** By the project's own Dockerfile, on local bases. */
  async operator(name = OPERATOR_IMAGE): Promise<Built> {
    const builder = await this.#pull(await builderArchive())
    const base = await this.#pull(await baseArchive())
    return await this.build(name, ROOT, { BUILDER: builder, BASE: base })
  }

  async build(name: string, context: string, args: Readonly<Record<string, string>>): Promise<Built> {
    const argFlags = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`])
    // What a build fetches, it fetches as the machine does: by its certificates and npm's settings of its user.
    const mounts = ['/etc/ssl/certs', ...npmSettings()].flatMap((path) => ['--volume', `${path}:${path}:ro`])
    const flags = ['--isolation', 'chroot', '--network', 'host', '--pull-never', '--layers']
    await this.#buildah(['bud', ...flags, ...mounts, ...argFlags, '--tag', name, context])
    const archive = join(this.#dir, `${name.replaceAll(/[^a-z0-9.]+/gi, '-')}.tar`)
    await rm(archive, { force: true })
    await this.#buildah(['push', '--quiet', name, `docker-archive:${archive}:${name}`])
    return { name, archive, bytes: (await stat(archive)).size }
  }

  async #pull({ name, file }: Archive): Promise<string> {
    const images = await this.#buildah(['images', '--format', '{{.Name}}:{{.Tag}}'])
    if (!images.split('\n').includes(name)) await this.#buildah(['pull', '--quiet', `docker-archive:${file}`])
    return name
  }

  async #buildah(args: readonly string[]): Promise<string> {
    await mkdir(this.#dir, { recursive: true })
    const [command, ...rest] = args
    const place = [
      '--root',
      join(this.#dir, 'storage'),
      '--runroot',
      join(this.#dir, 'run'),
      '--storage-driver',
      'overlay',
    ]
    return await run('buildah', [...place, command!, ...rest], { millis: BUILD_MILLIS })
  }
}

export function imageBuilder(): ImageBuilder {
  return new ImageBuilder(join(userCache(process.env), 'images/buildah'))
}

function npmSettings(): string[] {
  return [join(process.env['HOME'] ?? '/root', '.npmrc')].filter((file) => existsSync(file))
}

function version(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version
}
