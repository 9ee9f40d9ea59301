import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { systemClock } from '../clock.ts'
import { Leases } from '../kube/objects.ts'
import { surroundingsOf } from './surroundings.ts'
import { VERSION } from './version.ts'

describe('surroundings', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'surroundings-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('are those of a pod: its name and UID, namespace and service account', async () => {
    await writeFile(join(directory, 'namespace'), 'ns\n')
    const pod = surroundingsOf({ POD_NAME: 'db-0', POD_UID: '6f0c', KUBERNETES_SERVICE_HOST: '10.96.0.1' }, directory)
    assert.deepEqual([pod.identity(), pod.namespace(), pod.hasCluster()], ['db-0_6f0c', 'ns', true])
    const { api, close } = await pod.connect(undefined, systemClock)
    await assert.rejects(api.get(Leases, { namespace: 'ns', name: 'db' }), /cannot read .*token: is automount/)
    await close()
  })

  it('may lack all of it', () => {
    const bare = surroundingsOf({ HOME: directory }, directory)
    assert.deepEqual([bare.namespace(), bare.hasCluster()], [undefined, false])
    assert.notEqual(bare.identity(), bare.identity(), 'each elector is a candidate of its own')
  })

  it('include a kubeconfig, where KUBECONFIG or the home directory has one', async () => {
    const file = join(directory, 'config')
    assert.equal(surroundingsOf({ KUBECONFIG: file }, directory).hasCluster(), false)
    await writeFile(file, '')
    assert.equal(surroundingsOf({ KUBECONFIG: `:${file}` }, directory).hasCluster(), true)
  })

  it('connect to the cluster that is given, by the name and version of this library', async () => {
    const agents: (string | undefined)[] = []
    const server = createServer((request, response) => {
      agents.push(request.headers['user-agent'], request.headers.authorization)
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"kind":"Status","reason":"NotFound"}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const kube = {
      getCurrentCluster: () => ({ server: `http://127.0.0.1:${port}` }),
      applyToHTTPSOptions: (options: object) =>
        Promise.resolve(void Object.assign(options, { headers: { Authorization: 'Bearer mine' } })),
    }
    const { api, close } = await surroundingsOf({}, directory).connect(kube, systemClock)
    assert.equal((await api.get(Leases, { namespace: 'ns', name: 'db' })).kind, 'notFound')
    await close()
    server.close()
    await once(server, 'close')
    assert.deepEqual(agents, [`leadergroup/${manifest.version} leader-election`, 'Bearer mine'])
  })
})

describe('version', () => {
  it('is that of package.json', () => assert.equal(VERSION, manifest.version))
})
