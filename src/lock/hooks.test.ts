import { strict as assert } from 'node:assert'
import { ElectionError } from './errors.ts'
import { GuardedHooks } from './hooks.ts'

describe('hooks', () => {
  const fault = new ElectionError('unreachable', 'no answer')
  let printed: unknown[]
  const original = globalThis.console
  beforeEach(() => {
    printed = []
    globalThis.console = { ...original, error: (error: unknown) => printed.push(error) }
  })
  afterEach(() => {
    globalThis.console = original
  })

  it('may be absent; an error is printed then', () => {
    const hooks = new GuardedHooks({})
    hooks.newLeader('a')
    hooks.error(fault)
    assert.deepEqual(printed, [fault])
  })

  it('that throw or reject are reported to onError', async () => {
    const reported: ElectionError[] = []
    const hooks = new GuardedHooks({
      onNewLeader: (holder) => {
        throw new Error(`at once: ${holder}`)
      },
      onOverrun: () => Promise.reject(new Error('late')),
      onError: (error) => reported.push(error),
    })
    hooks.newLeader('a')
    // The overrun hook is given the term as it is; this one does not look at it.
    hooks.overrun({} as never)
    await Promise.resolve()
    assert.deepEqual(
      reported.map(({ code, message }) => `${code}: ${message}`),
      ['hook: onNewLeader has thrown: Error: at once: a', 'hook: onOverrun has thrown: Error: late'],
    )
    assert.deepEqual(printed, [])
  })

  it('an onError that fails loses neither error', async () => {
    const thrown = new Error('cannot log')
    new GuardedHooks({ onError: () => Promise.reject(thrown) }).error(fault)
    await Promise.resolve()
    assert.deepEqual(printed, [fault, thrown])
  })
})
