import { strict as assert } from 'node:assert'
import type { LeaseRecord } from '../election/record.ts'
import type { Lock } from './lock.ts'
import { onDemand } from './on-demand.ts'

const never = new AbortController().signal
const record: LeaseRecord = { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 }

describe('lock on demand', () => {
  let log: string[]
  let fault: Error | undefined
  let lock: Lock
  beforeEach(() => {
    log = []
    fault = undefined
    lock = onDemand('Lease default/db', async () => {
      log.push('open')
      if (fault) throw fault
      return { lock: target(log), close: () => Promise.resolve(void log.push('close')) }
    })
  })

  it('opens with the first request, once for all that come, and again after it was closed', async () => {
    assert.deepEqual([lock.describe, log], ['Lease default/db', []])
    await Promise.all([lock.read(never), lock.write(record, undefined, never)])
    for await (const found of lock.watch!(never)) assert.equal(found, 'absent')
    assert.deepEqual(log, ['open', 'read', 'write', 'watch'])
    await lock.close!()
    await lock.close!()
    await lock.read(never)
    assert.deepEqual(log.slice(4), ['close', 'open', 'read'])
  })

  it('tells every request why it does not open, and tries again with the next', async () => {
    fault = new Error('no token')
    await Promise.all([
      assert.rejects(lock.read(never), fault),
      assert.rejects(lock.write(record, undefined, never), fault),
    ])
    fault = undefined
    assert.equal(await lock.read(never), 'absent')
    assert.deepEqual(log, ['open', 'open', 'read'])
    fault = new Error('no token')
    await lock.close!()
    const closing = [assert.rejects(lock.read(never), fault), lock.close!()]
    await Promise.all(closing)
  })

  it('closes what is still opening, without waiting for a request', async () => {
    const reading = lock.read(never)
    await lock.close!()
    assert.deepEqual(log, ['open', 'read', 'close'])
    await reading
  })
})

function target(log: string[]): Lock {
  return {
    describe: 'not asked',
    read: () => Promise.resolve(log.push('read') > 0 ? 'absent' : 'absent'),
    write: () => Promise.resolve(log.push('write') > 0 ? 'conflict' : 'conflict'),
    async *watch() {
      log.push('watch')
      yield 'absent'
    },
  }
}
