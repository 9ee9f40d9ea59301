/** The package as it is published, installed into an empty project as its users do, from what this checkout has. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '..')
const MODULES = join(ROOT, 'node_modules')
const TSC = join(MODULES, 'typescript/bin/tsc')
const WAIT_MILLIS = 60_000
const run = promisify(execFile)

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Called with all that was printed so far, whenever there is more. */
  readonly onOutput?: (printed: string, stop: () => void) => void
}

export class InstalledPackage implements AsyncDisposable {
  readonly directory: string
  /** Paths of the files that are published. */
  readonly files: readonly string[]

  constructor(directory: string, files: readonly string[]) {
    this.directory = directory
    this.files = files
  }

  /** What `npm ls` shows of all that is installed: `name@version` by its place, without the project itself. */
  async installed(): Promise<readonly string[]> {
    const printed = await npm(this.directory, 'ls', '--all', '--parseable', '--long')
    const places = printed.trim().split('\n').slice(1)
    return places.map((place) => place.split(':')[1]!)
  }

  async write(file: string, text: string): Promise<void> {
    await writeFile(join(this.directory, file), text)
  }

  /** Something else of the checkout's packages beside it, with its own dependencies if it is `linked`. */
  async add(name: string, { linked }: { readonly linked: boolean }): Promise<void> {
    const place = join(this.directory, 'node_modules', name)
    await rm(place, { recursive: true, force: true })
    await mkdir(dirname(place), { recursive: true })
    await (linked ? symlink(join(MODULES, name), place) : cp(join(MODULES, name), place, { recursive: true }))
  }

  /** Fails with what the compiler says. */
  async typecheck(files: readonly string[], options: Readonly<Record<string, unknown>>): Promise<void> {
    const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
    const compilerOptions = {
      module: 'nodenext',
      noEmit: true,
      allowImportingTsExtensions: true,
      ...strict,
      ...options,
    }
    await this.write('tsconfig.json', JSON.stringify({ compilerOptions, files }))
    await run(process.execPath, [TSC, '-p', '.'], { cwd: this.directory }).catch(
      (error: Error & { stdout?: string }) => {
        assert.fail(error.stdout || error.message)
      },
    )
  }

  /** Runs a file of the project as a program of its own. Resolves to what it printed; it must end well. */
  run(file: string, { env = {}, onOutput }: RunOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = {
        cwd: this.directory,
        env: { PATH: process.env['PATH'], HOME: this.directory, ...env },
        timeout: WAIT_MILLIS,
        killSignal: 'SIGKILL',
      } as const
      const child = execFile(process.execPath, [file], options, (error, stdout, stderr) => {
        if (error || stderr !== '') reject(new Error(`${file}: ${error?.message ?? ''}\n${stdout}\n${stderr}`))
        else resolve(stdout)
      })
      let printed = ''
      child.stdout?.on('data', (chunk) => onOutput?.((printed += String(chunk)), () => child.kill('SIGTERM')))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true })
  }
}

export async function installPackage(): Promise<InstalledPackage> {
  const directory = await mkdtemp(join(tmpdir(), 'leadergroup-package-'))
  const files = await pack(directory, ROOT)
  // Its dependency comes from the checkout as well, so no registry is asked.
  await pack(directory, join(MODULES, 'undici'), '--ignore-scripts')
  const { version, dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest
  const overrides = Object.fromEntries(
    Object.entries(dependencies).map(([name, pinned]) => [name, `file:${name}-${pinned}.tgz`]),
  )
  const manifest = { name: 'empty', private: true, type: 'module', overrides }
  await writeFile(join(directory, 'package.json'), JSON.stringify(manifest))
  await npm(directory, 'install', '--offline', '--no-audit', '--no-fund', `./leadergroup-${version}.tgz`)
  return new InstalledPackage(directory, files)
}

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}

async function pack(destination: string, source: string, ...flags: string[]): Promise<readonly string[]> {
  const printed = await npm(source, 'pack', '--json', '--silent', '--pack-destination', destination, ...flags)
  // A build before it prints as well.
  const [{ files }] = JSON.parse(printed.slice(printed.search(/^\[$/m))) as [{ files: readonly { path: string }[] }]
  return files.map(({ path }) => path)
}

async function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  // Not what the npm that runs the tests tells its children.
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
  return (await run('npm', args, { cwd, env, timeout: WAIT_MILLIS, maxBuffer: 2 ** 26 })).stdout
}
