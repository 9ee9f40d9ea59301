import { strict as assert } from 'node:assert'
import { Api } from '../kube/api.ts'
import type { KubeConfigLike } from '../kube/kube-config-like.ts'
import type { Surroundings } from '../lock/surroundings.ts'
import { VirtualClock } from '../sim/clock.ts'
import { share } from './share.ts'

const kube = (server: string): KubeConfigLike => ({
  getCurrentCluster: () => ({ server }),
  applyToHTTPSOptions: () => Promise.resolve(),
})

describe('shared connections', () => {
  const clock = new VirtualClock()
  let log: string[]
  let fault: Error | undefined
  let connect: Surroundings['connect']
  beforeEach(() => {
    log = []
    fault = undefined
    connect = share(async (given) => {
      const server = given?.getCurrentCluster()?.server ?? 'default'
      log.push(`open ${server}`)
      if (fault) throw fault
      const api = new Api({ send: () => assert.fail() }, clock)
      return { api, close: () => Promise.resolve(void log.push(`close ${server}`)) }
    })
  })

  it('are the same for the same cluster, and close with the last that uses them', async () => {
    const mine = kube('mine')
    const [one, two, other] = await Promise.all([connect(mine, clock), connect(mine, clock), connect(undefined, clock)])
    assert.deepEqual([one.api === two.api, one.api === other.api], [true, false])
    await one.close()
    await one.close()
    assert.deepEqual(log, ['open mine', 'open default'])
    await two.close()
    await other.close()
    assert.deepEqual(log.slice(2), ['close mine', 'close default'])
    await (await connect(mine, clock)).close()
    assert.deepEqual(log.slice(4), ['open mine', 'close mine'])
  })

  it('are not shared by those who go by different clocks: each request has a deadline', async () => {
    const [one, two] = await Promise.all([connect(undefined, clock), connect(undefined, new VirtualClock())])
    assert.notEqual(one.api, two.api)
  })

  it('are tried again after they could not be opened', async () => {
    fault = new Error('no token')
    await Promise.all([
      assert.rejects(connect(undefined, clock), fault),
      assert.rejects(connect(undefined, clock), fault),
    ])
    fault = undefined
    await (await connect(undefined, clock)).close()
    assert.deepEqual(log, ['open default', 'open default', 'close default'])
  })
})
