import { strict as assert } from 'node:assert'
import { Api } from '../../kube/api.ts'
import { Pods } from '../../kube/objects.ts'
import { ApiError } from '../../kube/outcome.ts'
import { ApiServer } from '../apiserver.ts'
import { VirtualClock } from '../clock.ts'
import { Dice } from './dice.ts'
import { Link } from './link.ts'
import { Network } from './network.ts'
import { ProcessClock } from './process-clock.ts'

const POD = { metadata: { name: 'db-0' }, spec: { containers: [{ name: 'main', image: 'sim' }] } }

describe('the way of a process to the API servers', () => {
  let world: VirtualClock
  let network: Network
  let clock: ProcessClock
  let link: Link
  let api: Api
  let told: string[]

  beforeEach(() => {
    world = new VirtualClock()
    const options = { servers: 1, latencyMillis: 5, lagMillis: 5 }
    network = new Network(new ApiServer(world), world, new Dice('network'), options)
    clock = new ProcessClock(world, { offsetMillis: 0, rate: 1 })
    told = []
    const witness = {
      asked: () => 7,
      answered: (process: string, asked: number | undefined) => void told.push(`${process} heard of ${asked}`),
      unanswered: (process: string, asked: number | undefined) => void told.push(`${process} gave up ${asked}`),
      read: () => undefined,
    }
    link = new Link({ process: 'operator-a/2', host: 'operator-a' }, { network, witness }, clock, new Dice('link'))
    api = new Api(link, clock)
  })

  async function created(): Promise<string> {
    const outcome = api.create(Pods, 'default', POD).then(
      ({ kind }) => kind,
      (error: unknown) => (error instanceof ApiError ? error.reason : String(error)),
    )
    await world.advance(60_000)
    return outcome
  }

  it('tells the judge of an answer that was read', async () => {
    assert.equal(await created(), 'ok')
    assert.deepEqual(told, ['operator-a/2 heard of 7'])
  })

  it('tells of none that came while the process was stopped, which then found that it was too late', async () => {
    world.timer(2, () => {
      const goOn = clock.pause()
      world.timer(20_000, goOn)
    })
    assert.equal(await created(), 'Timeout')
    assert.equal(link.writes, 1)
    assert.deepEqual(told, ['operator-a/2 gave up 7'])
  })

  it('is under the weather of its host, whichever life it is of', async () => {
    const everything = { traffic: 'all', probability: 1, effect: { kind: 'refuse' } } as const
    network.sky.begin({ of: 'operator-a', ...everything }, new Dice('weather'))
    assert.equal(await created(), 'Unreachable')
  })

  it('lets nothing wait for the next write once faults have ended', async () => {
    link.onWrite = () => assert.fail('it was struck')
    link.calm()
    assert.equal(await created(), 'ok')
    assert.equal(link.writes, 1)
  })
})
