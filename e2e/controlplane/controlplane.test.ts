import assert from 'node:assert/strict'
import { access, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { KUBERNETES_VERSION } from './binaries.ts'
import type { ControlPlane } from './controlplane.ts'
import { eventually } from './eventually.ts'
import { startControlPlane } from './start.ts'

describe('a control plane', function () {
  this.timeout(120_000)
  let plane: ControlPlane
  before(async () => {
    const users = [{ name: 'alice', groups: ['readers'] }]
    plane = await startControlPlane({ users, auditLog: true, controllerManager: false })
  })
  after(() => plane.stop())

  it('is of the version that was asked for', async () => {
    const version = JSON.parse(await kubectl(plane, 'version', '-o', 'json')) as Record<string, { gitVersion: string }>
    assert.equal(version['serverVersion']?.gitVersion, `v${KUBERNETES_VERSION}`)
  })

  it('knows its users by their tokens, and grants them what RBAC does', async () => {
    const config = await plane.kubeconfigFor('alice')
    const who = await kubectl(plane, '--kubeconfig', config, 'auth', 'whoami', '-o', 'json')
    const { status } = JSON.parse(who) as { status: { userInfo: { username: string; groups: string[] } } }
    assert.equal(status.userInfo.username, 'alice')
    assert.ok(status.userInfo.groups.includes('readers'))
    const { code, stderr } = await plane.kubectl('--kubeconfig', config, 'get', 'pods')
    assert.equal(code, 1)
    assert.match(stderr, /User "alice" cannot list resource "pods"/)
    await assert.rejects(plane.kubeconfigFor('bob'), /no user bob/)
  })

  it('makes tokens for service accounts', async () => {
    await plane.apply(JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } }))
    const config = await plane.kubeconfigFor('robot', await plane.serviceAccountToken('default', 'robot'))
    const who = await kubectl(plane, '--kubeconfig', config, 'auth', 'whoami')
    assert.match(who, /system:serviceaccount:default:robot/)
  })

  it('writes down every write with its object', async () => {
    await kubectl(plane, 'create', 'configmap', 'noted', '--from-literal=answer=42')
    const { requestObject } = await eventually({ what: 'the audit event' }, async () => {
      const lines = (await readFile(plane.auditLogPath!, 'utf8')).trim().split('\n')
      const events = lines.map((line) => JSON.parse(line) as { verb: string; objectRef?: { name?: string } } & Audit)
      return events.find(({ verb, objectRef }) => verb === 'create' && objectRef?.name === 'noted')
    })
    assert.deepEqual(requestObject?.data, { answer: '42' })
  })

  it('goes on with its data after its servers were killed, paused and started again', async () => {
    const { apiserver, etcd } = plane.processes
    await kubectl(plane, 'create', 'namespace', 'lasting')
    const killed = apiserver.pid
    await apiserver.kill()
    assert.equal(apiserver.pid, undefined)
    assert.match((await plane.kubectl('get', 'ns')).stderr, /refused/)
    await apiserver.start()
    assert.notEqual(apiserver.pid, killed)
    await etcd.restart()
    await apiserver.restart()
    assert.match(await kubectl(plane, 'get', 'ns'), /lasting/)

    apiserver.pause()
    assert.notEqual((await plane.kubectl('get', 'ns', '--request-timeout=500ms')).code, 0)
    apiserver.resume()
    assert.match(await kubectl(plane, 'get', 'ns'), /lasting/)
  })

  it('leaves no process and no directory when it stops', async () => {
    const other = await startControlPlane({ controllerManager: false })
    const pids = [other.processes.etcd.pid!, other.processes.apiserver.pid!]
    await other.stop()
    await assert.rejects(access(other.dir), { code: 'ENOENT' })
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  })

  it('that does not come up says which server failed and the end of its log, and leaves nothing', async () => {
    const dir = join(plane.dir, 'failing')
    const starting = startControlPlane({ dir, extraApiServerArgs: ['--no-such-flag'] })
    await assert.rejects(starting, ({ name, message }: Error) => {
      assert.equal(name, 'StartFailure')
      assert.match(message, /^kube-apiserver did not start: ended with exit code 1\n/)
      assert.match(message, /unknown flag: --no-such-flag/)
      return true
    })
    await assert.rejects(access(dir), { code: 'ENOENT' })
  })

  it('is tried once more when somebody took a port in the meantime', async () => {
    const thief = createServer().listen(0, '127.0.0.1')
    await once(thief, 'listening')
    const said: string[] = []
    const taken = `--secure-port=${(thief.address() as AddressInfo).port}`
    const progress = { say: (line: string) => void said.push(line), update() {} }
    const starting = startControlPlane({ extraApiServerArgs: [taken], controllerManager: false, progress })
    await assert.rejects(starting, /kube-apiserver did not start: [^]*address already in use/)
    assert.deepEqual(said, ['a port was taken by another process in the meantime, trying others'])
    await once(thief.close(), 'close')
  })

  it('whose start is given up leaves nothing', async () => {
    const giveUp = new AbortController()
    const dir = join(plane.dir, 'given-up')
    const starting = startControlPlane({ dir, signal: giveUp.signal })
    await eventually({ what: 'its API server' }, () => access(join(dir, 'certs')).then(yes, notYet))
    giveUp.abort(new Error('given up'))
    await assert.rejects(starting, /given up/)
    await assert.rejects(access(dir), { code: 'ENOENT' })
  })
})

interface Audit {
  readonly requestObject?: { readonly data?: unknown }
}

async function kubectl(plane: ControlPlane, ...args: string[]): Promise<string> {
  const { stdout, stderr, code } = await plane.kubectl(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

function yes(): true {
  return true
}

function notYet(): undefined {
  return undefined
}
