import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { sleepUntil, systemClock } from '../src/clock.ts'
import { connectEtcd, type EtcdOptions } from '../src/etcd/connect-etcd.ts'
import { EtcdLeaser } from '../src/etcd/etcd-leaser.ts'
import type { LeaseLostError } from '../src/etcd/lease-lost-error.ts'
import type { ElectionError } from '../src/lock/errors.ts'
import { toBase64 } from '../src/etcd/wire.ts'
import { eventually } from './controlplane/eventually.ts'
import { type EtcdServer, openEtcd } from './etcd-server.ts'
import { openTcpProxy } from './tcp-proxy.ts'

const TESTDATA = new URL('../src/kube/testdata/', import.meta.url)
const pem = (name: string): Buffer => readFileSync(new URL(name, TESTDATA))
const path = (name: string): string => new URL(name, TESTDATA).pathname
/** A client certificate without a common name, made by `openssl req -x509 -subj /O=leadergroup`. */
const nameless = (name: string): URL => new URL(`testdata/${name}`, import.meta.url)

/** Of a lease in seconds: its renewal takes a login, and has a twelfth of it for all requests, on a machine that is busy. */
const UNHURRIED = 8

/** Leasers and what becomes of them, in the order in which it happened. */
class Contest implements AsyncDisposable {
  readonly log: string[] = []
  readonly errors: ElectionError[] = []
  readonly #key: string
  readonly #ends: (() => Promise<unknown>)[] = []

  constructor(key: string) {
    this.#key = key
  }

  member(value: string, options: EtcdOptions, ttlSeconds = 3) {
    const etcd = connectEtcd(options)
    const leaser = new EtcdLeaser({
      etcd,
      key: this.#key,
      value,
      ttlSeconds,
      pauseIntervalSeconds: 0.3,
      onError: (error) => this.errors.push(error),
    })
    const abort = new AbortController()
    const acquired = (): void => void this.log.push(`${value} acquired`)
    const run = leaser.acquireAndHold(acquired, { signal: abort.signal }).then(
      () => this.log.push(`${value} ended`),
      (error: LeaseLostError) => this.log.push(`${value} lost: ${error.reason}`),
    )
    this.#ends.push(async () => {
      abort.abort()
      await run
      await leaser.release()
      await etcd[Symbol.asyncDispose]()
    })
    return { leaser, abort: () => abort.abort(), run }
  }

  async until(...log: readonly string[]): Promise<void> {
    try {
      await eventually({ what: log.join(', '), millis: 30_000 }, () =>
        Promise.resolve(this.log.length >= log.length ? true : undefined),
      )
    } catch (cause) {
      throw new Error(`waiting for ${log.join(', ')}: ${this.#told()}`, { cause })
    }
    assert.deepEqual(this.log, log, this.#told())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#ends.map((end) => end()))
  }

  #told(): string {
    return `${this.log.join(', ')}; errors: ${[...new Set(this.errors.map(({ message }) => message))].join('; ')}`
  }
}

/** Real time, for what happens in it: renewals, expiry. */
const pauseOf = (millis: number): Promise<void> =>
  sleepUntil(systemClock, systemClock.now() + millis, new AbortController().signal)

/** A watch that was asked for is open by then, on an etcd that answers in milliseconds. */
const watchIsOpen = (): Promise<void> => pauseOf(1_000)

let keys = 0
const freshKey = (): string => `openshift.io/leases/${(keys += 1)}`

describe('an etcd leaser on a real etcd', () => {
  let etcd: EtcdServer
  before(async () => {
    etcd = await openEtcd()
  })
  after(() => etcd[Symbol.asyncDispose]())

  it('holds over many ttls, hands over when it releases, and leaves nothing behind', async () => {
    const key = freshKey()
    {
      await using contest = new Contest(key)
      const a = contest.member('a', { endpoints: [etcd.url] }, 4)
      await contest.until('a acquired')
      contest.member('b', { endpoints: [etcd.url] }, 4)
      const { token } = a.leaser
      await pauseOf(6_000)
      assert.deepEqual([contest.log, a.leaser.isHeld(), a.leaser.token], [['a acquired'], true, token])
      await a.leaser.release()
      await contest.until('a acquired', 'a ended', 'b acquired')
      assert.deepEqual(contest.errors, [])
    }
    assert.deepEqual([await etcd.value(key), await etcd.leases()], [undefined, 0])
  })

  for (const line of ['stall', 'refuse'] as const) {
    it(`is lost before the lease expires and another acquires, when its connections ${line}`, async () => {
      await using proxy = await openTcpProxy(etcd.port)
      await using contest = new Contest(freshKey())
      const a = contest.member('a', { endpoints: [`http://127.0.0.1:${proxy.port}`] })
      await contest.until('a acquired')
      contest.member('b', { endpoints: [etcd.url] })
      proxy.set(line)
      await contest.until('a acquired', 'a lost: deadline', 'b acquired')
      assert.equal(a.leaser.isHeld(), false)
      // A request that hangs is given up with the lease, sooner than by its own limit.
      assert.equal(contest.errors[0]?.code, line === 'refuse' ? 'unreachable' : undefined)
      proxy.set('pass')
    })
  }

  it('goes on when the line is good again before the time to renew is over', async () => {
    await using proxy = await openTcpProxy(etcd.port)
    await using contest = new Contest(freshKey())
    const a = contest.member('a', { endpoints: [`http://127.0.0.1:${proxy.port}`] }, 10)
    await contest.until('a acquired')
    proxy.set('refuse')
    await eventually({ what: 'a renewal that fails', intervalMillis: 20 }, () =>
      Promise.resolve(contest.errors.find(({ message }) => message.includes('/v3/lease/keepalive'))),
    )
    proxy.set('pass')
    // Beyond the end of what was renewed last.
    await pauseOf(4_000)
    assert.deepEqual([contest.log, a.leaser.isHeld()], [['a acquired'], true])
  })

  for (const [what, meddle, reason] of [
    ['deleted', (key: string) => etcd.delete(key), 'revoked'],
    ['overwritten', (key: string) => etcd.put(key, 'x'), 'taken'],
  ] as const) {
    it(`is lost at once when its key is ${what}`, async () => {
      const key = freshKey()
      await using contest = new Contest(key)
      // At the first renewal it would be seen in any case, 20 s later.
      contest.member('a', { endpoints: [etcd.url] }, 30)
      await contest.until('a acquired')
      await watchIsOpen()
      await meddle(key)
      await eventually({ what: 'the loss', millis: 5_000 }, () => Promise.resolve(contest.log[1]))
      await contest.until('a acquired', `a lost: ${reason}`)
    })
  }

  it('waits on over other values, and acquires when the key is deleted', async () => {
    const key = freshKey()
    await etcd.put(key, 'x')
    await using contest = new Contest(key)
    contest.member('b', { endpoints: [etcd.url] }, 30)
    await watchIsOpen()
    await etcd.put(key, 'y')
    await watchIsOpen()
    assert.deepEqual(contest.log, [])
    await etcd.delete(key)
    await contest.until('b acquired')
  })

  it('takes over a value that is its own already, under a greater token', async () => {
    await using contest = new Contest(freshKey())
    const first = contest.member('a', { endpoints: [etcd.url] })
    await contest.until('a acquired')
    const { token } = first.leaser
    const second = contest.member('a', { endpoints: [etcd.url] })
    await eventually({ what: 'three lines', millis: 10_000 }, () => Promise.resolve(contest.log[2]))
    assert.deepEqual(contest.log.toSorted(), ['a acquired', 'a acquired', 'a lost: changed'])
    assert.ok(second.leaser.token! > token!)
  })

  it('can be cancelled while it waits, while it holds, and while nothing answers', async () => {
    const key = freshKey()
    await using proxy = await openTcpProxy(etcd.port)
    await using contest = new Contest(key)
    const a = contest.member('a', { endpoints: [etcd.url] })
    await contest.until('a acquired')
    const b = contest.member('b', { endpoints: [etcd.url] })
    proxy.set('stall')
    const c = contest.member('c', { endpoints: [`http://127.0.0.1:${proxy.port}`] })
    await watchIsOpen()
    for (const each of [b, c, a]) {
      each.abort()
      await each.run
    }
    await contest.until('a acquired', 'b ended', 'c ended', 'a ended')
    assert.deepEqual([a.leaser.isHeld(), await etcd.value(key)], [true, 'a'])
    await a.leaser.release()
    assert.equal(await etcd.value(key), undefined)
  })

  it('asks the next member when one does not answer', async () => {
    await using proxy = await openTcpProxy(etcd.port)
    proxy.set('refuse')
    await using contest = new Contest(freshKey())
    const a = contest.member('a', { endpoints: [`http://127.0.0.1:${proxy.port}`, etcd.url] })
    await contest.until('a acquired')
    assert.deepEqual([a.leaser.isHeld(), contest.errors.length], [true, 1])
  })

  it('goes on over a restart of etcd, and so do those who wait', async () => {
    const key = freshKey()
    await using contest = new Contest(key)
    const a = contest.member('a', { endpoints: [etcd.url] }, 30)
    await contest.until('a acquired')
    contest.member('b', { endpoints: [etcd.url] }, 30)
    await watchIsOpen()
    await etcd.process.restart()
    await watchIsOpen()
    assert.deepEqual([contest.log, a.leaser.isHeld(), await etcd.value(key)], [['a acquired'], true, 'a'])
    await etcd.delete(key)
    await eventually({ what: 'both to see it', millis: 10_000 }, () => Promise.resolve(contest.log[2]))
    assert.deepEqual(contest.log.toSorted(), ['a acquired', 'a lost: revoked', 'b acquired'])
  })
})

describe('an etcd leaser on an etcd with TLS and users', () => {
  let etcd: EtcdServer
  // etcd refuses, through its gateway, a certificate that has a common name when there are users: it could not say whose
  // word is to count.
  const tls = {
    ca: pem('first-ca.crt'),
    cert: readFileSync(nameless('etcd-client.crt')),
    key: readFileSync(nameless('etcd-client.key')),
  }
  const named = { ...tls, cert: pem('client.crt'), key: pem('client.key') }

  before(async () => {
    etcd = await openEtcd({
      args: [
        `--cert-file=${path('first-server.crt')}`,
        `--key-file=${path('first-server.key')}`,
        `--trusted-ca-file=${nameless('etcd-clients-ca.crt').pathname}`,
        '--client-cert-auth',
        // A token that nobody uses for so long is worth nothing any more.
        '--auth-token-ttl=2',
      ],
      connect: { ...tls, username: 'root', password: 'secret' },
    })
    await etcd.call('/v3/auth/user/add', { name: 'root', password: 'secret' })
    await etcd.call('/v3/auth/role/add', { name: 'root' })
    await etcd.call('/v3/auth/user/grant', { user: 'root', role: 'root' })
    await etcd.call('/v3/auth/user/add', { name: 'elector', password: 'pass' })
    await etcd.call('/v3/auth/role/add', { name: 'leases' })
    await grant('openshift.io/')
    await etcd.call('/v3/auth/user/grant', { user: 'elector', role: 'leases' })
  })
  after(() => etcd[Symbol.asyncDispose]())

  /** Everything that begins so, for role `leases`. */
  async function grant(prefix: string): Promise<void> {
    const end = `${prefix.slice(0, -1)}${String.fromCodePoint(prefix.codePointAt(prefix.length - 1)! + 1)}`
    const perm = { permType: 'READWRITE', key: toBase64(prefix), range_end: toBase64(end) }
    await etcd.call('/v3/auth/role/grant', { name: 'leases', perm })
  }

  it('needs nothing but a certificate, with or without a name, where there are no users', async () => {
    for (const options of [tls, named]) {
      await using contest = new Contest(freshKey())
      contest.member('a', { endpoints: [etcd.url], ...options })
      await contest.until('a acquired')
    }
  })

  it('goes on with a password that etcd does not ask for yet, and when it does', async () => {
    await using contest = new Contest(freshKey())
    const a = contest.member('a', { endpoints: [etcd.url], ...tls, username: 'elector', password: 'pass' }, UNHURRIED)
    await contest.until('a acquired')
    await etcd.call('/v3/auth/enable', {})
    await pauseOf(10_000)
    // We have had no login until now either; the next request has one.
    await assert.rejects(etcd.value('any'), /user name is empty/)
    assert.deepEqual([contest.log, a.leaser.isHeld()], [['a acquired'], true])
  })

  it('acquires, holds over the life of many tokens, and releases', async () => {
    const key = freshKey()
    await using contest = new Contest(key)
    const a = contest.member('a', { endpoints: [etcd.url], ...tls, username: 'elector', password: 'pass' }, 5)
    await contest.until('a acquired')
    await pauseOf(12_000)
    assert.deepEqual([contest.log, a.leaser.isHeld(), contest.errors], [['a acquired'], true, []])
    await a.leaser.release()
    assert.equal(await etcd.value(key), undefined)
  })

  it('logs in again when roles have changed meanwhile', async () => {
    await using contest = new Contest(freshKey())
    const a = contest.member('a', { endpoints: [etcd.url], ...tls, username: 'elector', password: 'pass' }, UNHURRIED)
    await contest.until('a acquired')
    await grant('other/')
    await pauseOf(10_000)
    assert.deepEqual([contest.log, a.leaser.isHeld()], [['a acquired'], true])
  })

  for (const [what, options, said, code] of [
    [
      'a wrong password',
      { ...tls, username: 'elector', password: 'wrong' },
      /invalid user ID or password/,
      'forbidden',
    ],
    ['no user', tls, /user name is empty/, 'forbidden'],
    [
      'a certificate that has a name',
      { ...named, username: 'elector', password: 'pass' },
      /CommonName of client .* will be ignored/,
      'forbidden',
    ],
    [
      'no client certificate',
      { ca: tls.ca, username: 'elector', password: 'pass' },
      /certificate required|ECONNRESET|closed/i,
      'unreachable',
    ],
    ['no trust in the server', { cert: tls.cert, key: tls.key }, /certificate/, 'unreachable'],
  ] as const) {
    it(`says what is wrong with ${what}, and can be cancelled`, async () => {
      await using contest = new Contest(freshKey())
      const a = contest.member('a', { endpoints: [etcd.url], ...options })
      const error = await eventually({ what: 'an error' }, () => Promise.resolve(contest.errors[0]))
      assert.match(error.message, said)
      assert.equal(error.code, code)
      a.abort()
      await a.run
      assert.deepEqual(contest.log, ['a ended'])
    })
  }

  it('says that a key is forbidden', async () => {
    await using contest = new Contest('elsewhere')
    contest.member('a', { endpoints: [etcd.url], ...tls, username: 'elector', password: 'pass' })
    const error = await eventually({ what: 'an error' }, () => Promise.resolve(contest.errors[0]))
    assert.deepEqual([error.code, error.status], ['forbidden', 403])
    assert.match(error.message, /permission denied/)
  })
})
