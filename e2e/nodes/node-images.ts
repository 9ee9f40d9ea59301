/**
 * Local bases for the project's Dockerfile, from what a checkout and its machine have anyway: Node of node_modules, the
 * libraries that it is linked with, npm, and a shell. So an image can be built where no registry can be reached.
 */
import { copyFile, cp, mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Archive, archived } from './archive.ts'
import { BUSYBOX } from './pause.ts'
import { run } from './run.ts'

const NODE = join(import.meta.dirname, '../../node_modules/node/bin/node')
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'
/** Everybody may know these; some programs ask who they are. */
const PASSWD = 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n'

/** Laid out as distroless's image of Node is: Node and its libraries, no shell. */
export async function baseArchive(): Promise<Archive> {
  const libraries = await librariesOf(NODE)
  return archived({
    name: 'leadergroup.io/node-base',
    sources: [NODE, ...libraries],
    config: { Env: ['PATH=/nodejs/bin'], WorkingDir: '/' },
    fill: (root) => putNode(root, libraries),
  })
}

/** For the stage that builds: with npm and a shell besides. */
export async function builderArchive(): Promise<Archive> {
  const libraries = await librariesOf(NODE)
  const npm = await npmDirectory()
  return archived({
    name: 'leadergroup.io/node-builder',
    sources: [NODE, ...libraries, BUSYBOX, join(npm, 'package.json')],
    config: {
      Env: ['PATH=/nodejs/bin:/bin', `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, `SSL_CERT_FILE=${CERTIFICATES}`],
      WorkingDir: '/',
    },
    async fill(root) {
      await putNode(root, libraries)
      await put(root, BUSYBOX, '/bin/busybox')
      for (const name of (await run(BUSYBOX, ['--list'])).trim().split('\n')) {
        if (name !== 'busybox') await symlink('busybox', join(root, 'bin', name))
      }
      await mkdir(join(root, 'usr/bin'), { recursive: true })
      await symlink('/bin/env', join(root, 'usr/bin/env'))
      await cp(npm, join(root, 'nodejs/npm'), { recursive: true })
      await symlink('../npm/bin/npm-cli.js', join(root, 'nodejs/bin/npm'))
      for (const dir of ['root', 'tmp', 'var/tmp', 'proc', 'sys', 'dev'])
        await mkdir(join(root, dir), { recursive: true })
    },
  })
}

async function putNode(root: string, libraries: readonly string[]): Promise<void> {
  await put(root, NODE, '/nodejs/bin/node')
  for (const library of libraries) await put(root, library, library)
  await put(root, CERTIFICATES, CERTIFICATES)
  await writeFile(join(root, 'etc/passwd'), PASSWD)
}

async function put(root: string, from: string, to: string): Promise<void> {
  const target = join(root, to)
  await mkdir(dirname(target), { recursive: true })
  await copyFile(from, target)
}

/** Files by the paths under which the loader looks for them. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const lines = (await run('ldd', [program])).split('\n')
  return lines.flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? [])
}

/** Of the npm that runs this script, or of the one on the path. */
async function npmDirectory(): Promise<string> {
  const cli = process.env['npm_execpath'] ?? (await realpath((await run('sh', ['-c', 'command -v npm'])).trim()))
  const dir = join(dirname(cli), '..')
  const { name } = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8')) as { name?: string }
  if (name !== 'npm') throw new Error(`${cli} is not npm`)
  return dir
}
