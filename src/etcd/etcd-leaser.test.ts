import { strict as assert } from 'node:assert'
import type { TransportRequest } from '../kube/transport.ts'
import type { ElectionError, InvalidOptionsError } from '../lock/errors.ts'
import { VirtualClock } from '../sim/clock.ts'
import { SimEtcd, type EtcdFate } from '../sim/etcd.ts'
import { EtcdLeaser } from './etcd-leaser.ts'
import type { EtcdLeaserOptions } from './leaser-options.ts'
import type { LeaseLostError } from './lease-lost-error.ts'

const KEY = 'leases/controllers'
/** Of a ttl of 30 s: renewed after 19.8 s, lost after 22.4 s, somebody else's after 25 s at the earliest. */
const RENEW = 19_800
const LOST = 22_400
const FREE = 25_000

class Stage {
  readonly clock = new VirtualClock()
  readonly etcd = new SimEtcd(this.clock)

  candidate(value: string, options: Partial<EtcdLeaserOptions> = {}) {
    const abort = new AbortController()
    const candidate = {
      fate: (_path: string): EtcdFate => 'pass',
      requests: [] as string[],
      errors: [] as ElectionError[],
      /** What happened, and when. */
      log: [] as string[],
      abort: () => abort.abort(),
      leaser: undefined as unknown as EtcdLeaser,
      /** Contends, and tells how it went. */
      contend: () => {
        const acquired = (): void => void candidate.log.push(`${this.clock.now()} acquired`)
        candidate.leaser.acquireAndHold(acquired, { signal: abort.signal }).then(
          () => candidate.log.push(`${this.clock.now()} ended`),
          (error: LeaseLostError) => candidate.log.push(`${this.clock.now()} lost: ${error.reason}`),
        )
        return this.clock.settle()
      },
    }
    const etcd = this.etcd.transport(({ path }: TransportRequest) => {
      candidate.requests.push(`${this.clock.now()} ${path.replace('/v3/', '')}`)
      return candidate.fate(path)
    })
    candidate.leaser = new EtcdLeaser({
      etcd,
      key: KEY,
      value,
      ttlSeconds: 30,
      clock: this.clock,
      random: () => 0.5,
      onError: (error) => candidate.errors.push(error),
      ...options,
    })
    return candidate
  }
}

describe('etcd leaser', () => {
  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })

  it('acquires a free key with a lease, and renews it after 0.66 of the ttl', async () => {
    const a = stage.candidate('a')
    await a.contend()
    assert.deepEqual([a.log, a.leaser.isHeld(), a.leaser.token], [['0 acquired'], true, 2n])
    assert.deepEqual(stage.etcd.get(KEY), { value: 'a', createRevision: 2, modRevision: 2, lease: '1' })
    a.requests.length = 0
    await stage.clock.advance(2 * RENEW)
    assert.deepEqual(a.requests, [
      `${RENEW} lease/keepalive`,
      `${RENEW} kv/range`,
      `${2 * RENEW} lease/keepalive`,
      `${2 * RENEW} kv/range`,
    ])
    await stage.clock.advance(600_000)
    assert.deepEqual([a.log, a.errors, stage.etcd.get(KEY)?.modRevision], [['0 acquired'], [], 2])
  })

  it('lets the others wait with one request in a ttl, and take over at once when it releases', async () => {
    const [a, b] = [stage.candidate('a'), stage.candidate('b')]
    await a.contend()
    await b.contend()
    b.requests.length = 0
    await stage.clock.advance(90_000)
    assert.deepEqual(b.requests, ['30000 kv/range', '60000 kv/range', '90000 kv/range'])
    await Promise.all([a.leaser.release(), stage.clock.settle()])
    assert.deepEqual([a.log, b.log], [['0 acquired', '90000 ended'], ['90000 acquired']])
    assert.deepEqual([a.leaser.isHeld(), a.leaser.token, stage.etcd.leases.length], [false, undefined, 1])
  })

  it('counts as lost before anybody else can hold the key, though its requests hang', async () => {
    const [a, b] = [stage.candidate('a'), stage.candidate('b')]
    await a.contend()
    await b.contend()
    a.fate = () => 'hang'
    let freeAt = NaN
    void a.leaser.expiry(new AbortController().signal).then(() => (freeAt = stage.clock.now()))
    await stage.clock.advance(LOST - 1)
    assert.deepEqual([a.log.length, a.leaser.isHeld()], [1, true])
    await stage.clock.advance(1)
    assert.deepEqual([a.log[1], a.leaser.isHeld()], [`${LOST} lost: deadline`, false])
    await stage.clock.advance(30_000 - LOST)
    assert.deepEqual([freeAt, b.log], [FREE, ['30000 acquired']])
  })

  it('tries to renew ten times, at least minimumRetryInterval apart, while etcd refuses connections', async () => {
    for (const [ttlSeconds, tries] of [
      [30, 10],
      [6, 6],
    ] as const) {
      const a = stage.candidate('a', { ttlSeconds })
      await a.contend()
      a.requests.length = 0
      a.fate = (path) => (path === '/v3/watch' ? 'pass' : 'refuse')
      await stage.clock.advance(ttlSeconds * 1000)
      assert.equal(a.requests.length, tries)
      assert.equal(a.errors.length, tries)
      await stage.clock.advance(60_000)
    }
  })

  it('counts from the start of a request, however slow its answer', async () => {
    const a = stage.candidate('a')
    a.fate = () => 'slow'
    await a.contend()
    await stage.clock.advance(900)
    assert.deepEqual(a.log, ['900 acquired'])
    // The lease was asked for after the first read.
    await stage.clock.advance(300 + RENEW + 2 * 300 - 900)
    a.fate = () => 'hang'
    await stage.clock.advance(30_000)
    assert.deepEqual(a.log, ['900 acquired', `${300 + RENEW + LOST} lost: deadline`])
  })

  it('goes on when a renewal comes through at last', async () => {
    const a = stage.candidate('a')
    await a.contend()
    a.fate = () => 'refuse'
    await stage.clock.advance(LOST - 300)
    a.fate = () => 'pass'
    await stage.clock.advance(600_000)
    assert.deepEqual(a.log, ['0 acquired'])
  })

  for (const [what, meddle, reason] of [
    ['is deleted', (etcd: SimEtcd) => etcd.delete(KEY), 'revoked'],
    ['is overwritten', (etcd: SimEtcd) => etcd.put(KEY, 'x'), 'taken'],
    ['is written by another process of the same value', (etcd: SimEtcd) => etcd.put(KEY, 'a', '1'), 'changed'],
  ] as const) {
    for (const hasWatch of [true, false]) {
      it(`is lost when the key ${what}, ${hasWatch ? 'at once' : 'at the next renewal where watches are mute'}`, async () => {
        const a = stage.candidate('a')
        a.fate = (path) => (path === '/v3/watch' && !hasWatch ? 'hang' : 'pass')
        await a.contend()
        await stage.clock.advance(5_000)
        meddle(stage.etcd)
        await stage.clock.advance(RENEW)
        assert.deepEqual(a.log, ['0 acquired', `${hasWatch ? 5_000 : RENEW} lost: ${reason}`])
        assert.equal(a.leaser.isHeld(), false)
      })
    }
  }

  it('takes over a value that is ours already, with what is left of its lease, under a token of its own', async () => {
    const first = stage.candidate('a')
    await first.contend()
    await stage.clock.advance(10_500)
    first.fate = () => 'hang'
    const second = stage.candidate('a')
    second.fate = (path) => (path === '/v3/lease/keepalive' ? 'hang' : 'pass')
    await second.contend()
    // 19.5 s are left, of which etcd says the whole seconds.
    assert.deepEqual([second.log, second.leaser.token], [['10500 acquired'], 3n])
    await stage.clock.advance(60_000)
    const [, lost] = second.log
    assert.deepEqual([lost?.endsWith(' lost: deadline'), Math.round(parseFloat(lost!))], [true, 24_687])
    assert.equal(first.log[1], '10500 lost: changed')
  })

  it('gives a key of ours without a lease one', async () => {
    stage.etcd.put(KEY, 'a')
    const a = stage.candidate('a')
    await a.contend()
    assert.deepEqual([a.log, stage.etcd.get(KEY)?.lease], [['0 acquired'], '1'])
  })

  it('takes a key over whose acquiring answer was lost', async () => {
    const a = stage.candidate('a')
    a.fate = (path) => (path === '/v3/kv/txn' ? 'mute' : 'pass')
    await a.contend()
    a.fate = () => 'pass'
    await stage.clock.advance(10_000)
    assert.deepEqual([a.log, a.errors.length, stage.etcd.leases.length], [['2300 acquired'], 1, 1])
  })

  it('waits on when the key is overwritten while it waits, and acquires when that is deleted', async () => {
    stage.etcd.put(KEY, 'x')
    const b = stage.candidate('b')
    await b.contend()
    await stage.clock.advance(1_000)
    stage.etcd.put(KEY, 'y')
    await stage.clock.advance(100_000)
    assert.deepEqual(b.log, [])
    stage.etcd.delete(KEY)
    await stage.clock.settle()
    assert.deepEqual(b.log, ['101000 acquired'])
  })

  it('acquires though no watch ever says a word', async () => {
    stage.etcd.put(KEY, 'x', stage.etcd.grant(10))
    const b = stage.candidate('b')
    b.fate = (path) => (path === '/v3/watch' ? 'hang' : 'pass')
    await b.contend()
    await stage.clock.advance(31_000)
    assert.equal(b.log.length, 1)
  })

  it('pauses a second after a failure, and says each', async () => {
    const a = stage.candidate('a')
    a.fate = () => 'refuse'
    await a.contend()
    await stage.clock.advance(3_500)
    assert.deepEqual(a.requests, ['0 kv/range', '1000 kv/range', '2000 kv/range', '3000 kv/range'])
    assert.deepEqual([a.errors.length, a.errors[0]?.code], [4, 'unreachable'])
    assert.match(a.errors[0]!.message, /etcd key leases\/controllers: etcd \/v3\/kv\/range: connect ECONNREFUSED/)
    a.fate = () => 'pass'
    await stage.clock.advance(500)
    assert.deepEqual(a.log, ['4000 acquired'])
  })

  it('follows on after every watch broke off, as in a restart of etcd', async () => {
    const [a, b] = [stage.candidate('a'), stage.candidate('b')]
    await a.contend()
    await b.contend()
    stage.etcd.breakWatches()
    await stage.clock.advance(2_000)
    assert.deepEqual([a.errors.length, b.errors.length], [1, 1])
    stage.etcd.delete(KEY)
    await stage.clock.settle()
    assert.deepEqual([a.log[1], b.log], ['2000 lost: revoked', ['2000 acquired']])
  })

  it('believes a store that was put back to a backup, whose revisions are older', async () => {
    for (const value of ['v', 'w', 'x']) stage.etcd.put(KEY, value)
    const b = stage.candidate('b')
    await b.contend()
    stage.etcd.putBack()
    await stage.clock.advance(30_000)
    assert.deepEqual(b.log, ['30000 acquired'])
  })

  for (const path of ['/v3/kv/range', '/v3/lease/grant', '/v3/kv/txn', '/v3/watch'] as const) {
    for (const fate of ['hang', 'mute'] as const) {
      it(`can be cancelled while ${path} is on its way (${fate}), and leaves nothing behind`, async () => {
        if (path === '/v3/watch') stage.etcd.put(KEY, 'x')
        const a = stage.candidate('a')
        a.fate = (asked) => (asked === path ? fate : 'pass')
        await a.contend()
        assert.deepEqual(a.log, [])
        a.abort()
        await stage.clock.settle()
        assert.deepEqual(a.log, ['0 ended'])
        a.fate = () => 'pass'
        await Promise.all([a.leaser.release(), stage.clock.settle()])
        assert.deepEqual([a.errors, stage.etcd.get(KEY)?.value], [[], path === '/v3/watch' ? 'x' : undefined])
        await stage.clock.advance(300_000)
        assert.deepEqual(a.log, ['0 ended'])
        assert.equal(stage.clock.nextTimerAt(), undefined)
      })
    }
  }

  it('does nothing more of what it had decided on before it was released', async () => {
    const a = stage.candidate('a')
    a.fate = (path) => {
      if (path === '/v3/watch') void a.leaser.release()
      return 'pass'
    }
    await a.contend()
    assert.deepEqual([a.log, stage.etcd.get(KEY), stage.etcd.leases], [['0 ended'], undefined, []])
  })

  it('is not renewed any more once cancelled, and still held until its time is over or it is released', async () => {
    const a = stage.candidate('a')
    await a.contend()
    await stage.clock.advance(1_000)
    a.abort()
    await stage.clock.settle()
    assert.deepEqual([a.log[1], a.leaser.isHeld()], ['1000 ended', true])
    await stage.clock.advance(LOST - 1_000)
    assert.deepEqual([a.leaser.isHeld(), stage.etcd.get(KEY)?.value], [false, 'a'])
    await Promise.all([a.leaser.release(), stage.clock.settle()])
    assert.equal(stage.etcd.get(KEY), undefined)
  })

  it('tries to release ten times, then leaves it to the ttl', async () => {
    const a = stage.candidate('a')
    await a.contend()
    a.fate = () => 'refuse'
    a.requests.length = 0
    let isReleased = false
    void a.leaser.release().then(() => (isReleased = true))
    await stage.clock.advance(899)
    assert.equal(isReleased, false)
    await stage.clock.advance(1)
    assert.deepEqual([isReleased, a.requests.length, a.errors.length, a.leaser.isHeld()], [true, 10, 10, false])
  })

  it('releases nothing that another has written meanwhile', async () => {
    const a = stage.candidate('a')
    await a.contend()
    stage.etcd.put(KEY, 'x')
    await stage.clock.settle()
    await Promise.all([a.leaser.release(), stage.clock.settle()])
    assert.deepEqual([stage.etcd.get(KEY)?.value, stage.etcd.leases], ['x', []])
  })

  it('is lost when the wall clock shows that the machine was suspended', async () => {
    const a = stage.candidate('a')
    await a.contend()
    stage.clock.stepWall(LOST - 1)
    assert.equal(a.leaser.isHeld(), true)
    stage.clock.stepWall(1)
    assert.equal(a.leaser.isHeld(), false)
    stage.clock.stepWall(-3_600_000)
    assert.equal(a.leaser.isHeld(), false)
    await stage.clock.settle()
    assert.deepEqual(a.log, ['0 acquired', '0 lost: deadline'])
  })

  it('rejects with what `acquired` throws, and is released like any other', async () => {
    const a = stage.candidate('a')
    const failing = assert.rejects(
      a.leaser.acquireAndHold(() => {
        throw new Error('boom')
      }),
      /boom/,
    )
    await stage.clock.settle()
    await failing
    await Promise.all([a.leaser.release(), stage.clock.settle()])
    assert.equal(stage.etcd.get(KEY), undefined)
  })

  it('can contend again after a loss', async () => {
    const a = stage.candidate('a')
    await a.contend()
    stage.etcd.delete(KEY)
    await stage.clock.settle()
    await a.contend()
    assert.deepEqual(a.log, ['0 acquired', '0 lost: revoked', '0 acquired'])
  })

  it('does not start twice at once', async () => {
    const a = stage.candidate('a')
    await a.contend()
    await assert.rejects(
      a.leaser.acquireAndHold(() => undefined),
      /under way already/,
    )
  })

  it('says all that is wrong with its options, with the values', () => {
    const options = { key: '', value: '', ttlSeconds: 1.5, maxRetries: 0, waitFraction: 0.9 }
    assert.throws(
      () => stage.candidate('a', options),
      (error: InvalidOptionsError) => {
        assert.deepEqual(error.violations, [
          'key must not be empty',
          'value must not be empty',
          'ttl must be a whole number of seconds, at least 2: it is 1.5 s',
          'maxRetries must be a whole number, at least 1: it is 0',
          'waitFraction must be greater than 0 and less than 1 / (1 + clockDrift), or no time is left to renew: ' +
            'it is 0.9, the bound is 0.833',
        ])
        return true
      },
    )
  })
})
