import { strict as assert } from 'node:assert'
import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { promisify } from 'node:util'
import manifest from '../package.json' with { type: 'json' }

const MAIN = join(import.meta.dirname, '..', 'src', 'cmd', 'main.ts')
const WAIT_MILLIS = 20_000

/** The command line as its own process, with nothing of the developer's kubeconfig or environment. */
class Run {
  readonly #process: ChildProcessByStdio<null, Readable, Readable>
  readonly #ended: Promise<unknown>
  stdout = ''
  stderr = ''

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env },
      timeout: WAIT_MILLIS,
      killSignal: 'SIGKILL',
    })
    this.#ended = once(this.#process, 'close')
    this.#process.stdout.on('data', (chunk) => (this.stdout += String(chunk)))
    this.#process.stderr.on('data', (chunk) => (this.stderr += String(chunk)))
  }

  /** Exit code, or the signal that ended it. */
  async end(): Promise<number | string | null> {
    await this.#ended
    return this.#process.exitCode ?? this.#process.signalCode
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Waits until stderr shows it. */
  async says(pattern: RegExp): Promise<void> {
    const limit = AbortSignal.timeout(WAIT_MILLIS)
    while (!pattern.test(this.stderr)) {
      assert.equal(this.#process.exitCode, null, `it ended without saying ${pattern}: ${this.stderr}`)
      await once(this.#process.stderr, 'data', { signal: limit }).catch((cause: unknown) => {
        throw new Error(`it does not say ${pattern}: ${this.stderr}`, { cause })
      })
    }
  }
}

describe('command line', () => {
  let directory = ''
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'leadergroup-cli-'))
  })
  after(() => rmSync(directory, { recursive: true }))

  /** A kubeconfig for a server at this port of this machine. */
  function kubeconfig(port: number): string {
    const file = join(directory, `kubeconfig-${port}`)
    const config = {
      clusters: [{ name: 'local', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'me', user: { token: 'secret' } }],
      contexts: [{ name: 'work', context: { cluster: 'local', user: 'me' } }],
      'current-context': 'work',
    }
    writeFileSync(file, JSON.stringify(config))
    return file
  }

  it('explains itself', async () => {
    const [root, operator, version] = [new Run(['--help']), new Run(['operator', '--help']), new Run(['--version'])]
    assert.deepEqual([await root.end(), await operator.end(), await version.end()], [0, 0, 0])
    assert.match(root.stdout, /^Usage: leadergroup .*\n[^]*\n {2}operator .*Run the operator/)
    assert.match(root.stdout, /\n {2}explain .*<group> .*Say who leads[^]*\n {2}cleanup .*Remove what is left/)
    for (const flag of ['namespace', 'leader-elect', 'health-probe-bind-address', 'dry-run', 'kubeconfig', 'context']) {
      assert.match(operator.stdout, new RegExp(`^ +.*--${flag} `, 'm'))
    }
    assert.equal(version.stdout, `${manifest.version}\n`)
    assert.equal(root.stderr + operator.stderr + version.stderr, '')
  })

  it('ends well when nobody reads on', async () => {
    const script = '{ "$0" "$1" operator --help; echo "exit code $?" >&2; } | :'
    const { stderr } = await promisify(execFile)('sh', ['-c', script, process.execPath, MAIN], { timeout: WAIT_MILLIS })
    assert.equal(stderr, 'exit code 0\n')
  })

  const usage: readonly [readonly string[], Readonly<Record<string, string>>, string][] = [
    [['operatr'], {}, "unknown command 'operatr' (Did you mean operator?): see --help"],
    [['operator', '--nope'], {}, "unknown option '--nope': see --help"],
    [['operator', 'shop'], {}, "too many arguments for 'operator'. Expected 0 arguments but got 1: shop.: see --help"],
    [
      ['operator', '--log-level', 'loud'],
      { LEADERGROUP_LEASE_DURATION: '5' },
      '--lease-duration "5": write a duration like 5s or 1500ms; ' +
        '--log-level "loud": write one of debug, info, warn, error',
    ],
    [['operator', '--kubeconfig', '/nonexistent/x'], {}, '--kubeconfig /nonexistent/x: there is no such file'],
    [['elect', '--id', 'a'], {}, '--lease: name the Lease that the candidates compete for'],
    [
      ['elect', '--lease', 'db', '--', 'true'],
      {},
      'no cluster to work on: there is no kubeconfig, and this is no pod. Pass --kubeconfig FILE or set KUBECONFIG',
    ],
    [
      ['sidecar', '--lease', 'db', '--bind-address', 'here'],
      {},
      '--bind-address "here": write an address like :8081 or 127.0.0.1:8081, or 0',
    ],
    [['explain'], {}, "missing required argument 'group': see --help"],
    [['explain', 'db', '-n', 'A_'], {}, '--namespace "A_": this is no name of a namespace'],
    [['cleanup', '-A', '-n', 'shop'], {}, '--namespace and --all-namespaces: give one of them'],
    [['cleanup', '--context', 'work'], {}, '--context work: there is no kubeconfig'],
    [['operator', '--context', 'work'], {}, '--context work: there is no kubeconfig'],
    [
      ['operator'],
      {},
      'no cluster to work on: there is no kubeconfig, and this is no pod. ' +
        'Pass --kubeconfig FILE or set KUBECONFIG',
    ],
  ]
  for (const [args, env, message] of usage) {
    it(`says in one line what is wrong with ${args.join(' ')} ${Object.keys(env).join(' ')}`, async () => {
      const run = new Run(args, env)
      assert.equal(await run.end(), 2)
      assert.equal(run.stderr.split('\n').at(-2), `leadergroup: ${message}`)
      assert.equal(run.stdout, '')
    })
  }

  it('shows its help when it is not told what to do', async () => {
    const run = new Run([])
    assert.equal(await run.end(), 2)
    assert.match(run.stderr, /^Usage: leadergroup /)
  })

  it('says of a question that the server is unreachable', async () => {
    const run = new Run(['explain', 'db'], { KUBECONFIG: kubeconfig(await unusedPort()) })
    assert.equal(await run.end(), 1)
    assert.match(
      run.stderr,
      /^leadergroup: the API server http:.* \(from context work\) cannot be reached: .*ECONNREFUSED/,
    )
    assert.match(run.stderr, /Choose with --kubeconfig or --context\n$/)
  })

  it('goes on when the server is unreachable, says so, and stops on SIGTERM', async () => {
    const flags = ['--metrics-bind-address', '0', '--health-probe-bind-address', '127.0.0.1:0']
    const run = new Run(['operator', ...flags, '--log-format', 'json'], { KUBECONFIG: kubeconfig(await unusedPort()) })
    await run.says(/cannot be reached: .*ECONNREFUSED.*Choose with --kubeconfig or --context/)
    run.kill('SIGTERM')
    assert.equal(await run.end(), 0)
    const lines = run.stderr.trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => Object.keys(JSON.parse(line) as object).slice(0, 3)),
      lines.map(() => ['ts', 'level', 'msg']),
    )
    assert.match(lines.at(-1)!, /"msg":"the operator has stopped"/)
  })

  it('ends at once on the second signal', async () => {
    const server = await electingServer()
    try {
      const flags = ['--metrics-bind-address', '0', '--health-probe-bind-address', '0']
      const run = new Run(['operator', ...flags], { KUBECONFIG: kubeconfig(server.port) })
      await run.says(/this replica acts/)
      run.kill('SIGINT')
      await run.says(/stopping why=SIGINT/)
      run.kill('SIGINT')
      assert.equal(await run.end(), 130)
    } finally {
      server.close()
    }
  })

  it('says which flag to change when a port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      const flags = ['--metrics-bind-address', '0', '--health-probe-bind-address', `127.0.0.1:${port}`]
      const run = new Run(['operator', ...flags], { KUBECONFIG: kubeconfig(await unusedPort()) })
      assert.equal(await run.end(), 1)
      assert.match(run.stderr, /^leadergroup: 127\.0\.0\.1:\d+ is in use by another process: choose another --health-/m)
    } finally {
      server.close()
    }
  })
})

/** An API server that lets a Lease be created, and answers nothing else: so its release takes until its deadline. */
async function electingServer(): Promise<{ readonly port: number; close(): void }> {
  const server = createHttpServer((request, response) => {
    const reply = (code: number, body: object): void => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    if (!request.url?.includes('/leases')) return
    if (request.method === 'GET' && !request.url.includes('?')) {
      reply(404, { kind: 'Status', status: 'Failure', reason: 'NotFound', message: 'not found', code: 404 })
    } else if (request.method === 'POST') {
      void created(request).then((lease) => reply(201, lease))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function created(request: IncomingMessage): Promise<object> {
  const { metadata, ...rest } = (await json(request)) as { metadata: object }
  return { ...rest, metadata: { ...metadata, uid: 'lease-uid', resourceVersion: '1' } }
}

/** A port where nobody listens: one that was free a moment ago. */
async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
