import { strict as assert } from 'node:assert'
import type { Versioned } from '../election/record.ts'
import { VirtualClock } from '../sim/clock.ts'
import { Elector, InvalidOptionsError, lead, TermEndedError, type Lock, type Term } from './index.ts'

/** In memory, for one process. */
function lockInMemory(): Lock & { readonly holder: () => string | undefined } {
  let stored: Versioned | 'absent' = 'absent'
  let versions = 0
  return {
    describe: 'a lock in memory',
    read: () => Promise.resolve(stored),
    write(record, version) {
      if (version !== (stored === 'absent' ? undefined : stored.version)) return Promise.resolve('conflict')
      stored = { record, version: String(++versions) }
      return Promise.resolve(stored)
    },
    holder: () => (stored === 'absent' ? undefined : stored.record.holderIdentity),
  }
}

describe('library', () => {
  it('leads with one call, and has released when it returns', async () => {
    const [lock, clock] = [lockInMemory(), new VirtualClock()]
    const led = lead({ lock, clock, identity: 'me' }, (term) => [term.identity, lock.holder()])
    await clock.settle()
    assert.deepEqual([await led, lock.holder(), clock.nextTimerAt()], [['me', 'me'], '', undefined])
  })

  it('ends with the signal: the work is told, and nothing is returned', async () => {
    const [lock, clock, stop] = [lockInMemory(), new VirtualClock(), new AbortController()]
    let told: unknown
    const work = (term: Term): Promise<void> =>
      new Promise((resolve) => {
        term.signal.addEventListener('abort', () => resolve(void (told = term.signal.reason)), { once: true })
      })
    const led = lead({ lock, clock, identity: 'me', signal: stop.signal }, work)
    await clock.advance(10_000)
    stop.abort()
    await clock.settle()
    assert.deepEqual([await led, lock.holder()], [undefined, ''])
    assert(told instanceof TermEndedError)
    assert.equal(told.reason, 'aborted')
  })

  it('passes on what the work throws, released', async () => {
    const [lock, clock] = [lockInMemory(), new VirtualClock()]
    const led = assert.rejects(
      lead({ lock, clock }, () => Promise.reject(new Error('boom'))),
      /boom/,
    )
    await clock.settle()
    await led
    assert.equal(lock.holder(), '')
  })

  it('has an identity of its own where none is given', async () => {
    const clock = new VirtualClock()
    const elector = new Elector({ lock: lockInMemory(), clock })
    const [identity] = await Promise.all([elector.lead((term) => term.identity), clock.settle()])
    assert.match(String(identity), /^.+_.+$/)
  })

  it('refuses invalid options before it does anything, with a class that can be asked for', async () => {
    assert.throws(() => new Elector({ lock: { name: '-' }, leaseDurationSeconds: 0 }), InvalidOptionsError)
    await assert.rejects(
      lead({ lock: { name: '-' } }, () => assert.fail()),
      InvalidOptionsError,
    )
  })
})
