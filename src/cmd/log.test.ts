import { strict as assert } from 'node:assert'
import { Writable } from 'node:stream'
import type { Log } from '../operator/log.ts'
import { VirtualClock } from '../sim/clock.ts'
import { messageChain, winstonLog, type LogFormat } from './log.ts'

/** The lines that `use` writes. */
async function lines(format: LogFormat, level: 'debug' | 'warn', use: (log: Log) => void): Promise<string[]> {
  const written: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk))
      done()
    },
  })
  const clock = new VirtualClock()
  await clock.advance(1234.5678)
  use(winstonLog({ format, level }, clock, stream))
  await clock.settle()
  return written.join('').split('\n').slice(0, -1)
}

const refused = new Error('connect ECONNREFUSED')
const failed = new Error('GET /version: no answer', { cause: refused })

describe('winstonLog', () => {
  it('writes text for people', async () => {
    const written = await lines('text', 'debug', (log) => {
      log.info('db-1 leads in term 4', { group: 'shop/db', term: 4, nothing: undefined })
      log.error('cannot act', { error: failed, pods: ['a', 'b'], why: 'a = b' })
      log.warn('no fields')
    })
    assert.deepEqual(written, [
      '2026-01-01T00:00:01.234Z INFO  db-1 leads in term 4 group=shop/db term=4',
      '2026-01-01T00:00:01.234Z ERROR cannot act error="GET /version: no answer: connect ECONNREFUSED" ' +
        String.raw`pods="[\"a\",\"b\"]" why="a = b"`,
      '2026-01-01T00:00:01.234Z WARN  no fields',
    ])
  })

  it('writes JSON for machines, whatever the fields are called', async () => {
    const [line = '', ...more] = await lines('json', 'debug', (log) => {
      log.error('cannot act', { group: 'shop/db', error: failed, level: 'mine' })
    })
    assert.deepEqual(more, [])
    const { error, ...rest } = JSON.parse(line) as { error: { stack: string; cause: { stack: string } } }
    assert.match(line, /^\{"ts":"2026-01-01T00:00:01.234Z","level":"error","msg":"cannot act",/)
    assert.deepEqual(rest, { ts: '2026-01-01T00:00:01.234Z', level: 'error', msg: 'cannot act', group: 'shop/db' })
    const { stack, cause, ...said } = error
    assert.deepEqual(said, { name: 'Error', message: 'GET /version: no answer' })
    assert.match(stack, /log\.test\.ts/)
    assert.match(cause.stack, /^Error: connect ECONNREFUSED/)
  })

  it('leaves stacks out of what is only warned of', async () => {
    const [line = ''] = await lines('json', 'debug', (log) => log.warn('trying again', { error: failed }))
    assert.deepEqual((JSON.parse(line) as { error: unknown }).error, {
      name: 'Error',
      message: 'GET /version: no answer',
      cause: { name: 'Error', message: 'connect ECONNREFUSED' },
    })
  })

  it('writes nothing below its level', async () => {
    const written = await lines('text', 'warn', (log) => {
      log.debug('hidden')
      log.info('hidden')
      log.warn(
        `shown: ${(['debug', 'info', 'warn', 'error'] as const).filter((level) => log.isEnabled(level)).join(' ')}`,
      )
    })
    assert.deepEqual(written, ['2026-01-01T00:00:01.234Z WARN  shown: warn error'])
  })
})

describe('messageChain', () => {
  const rows: readonly [string, unknown, string][] = [
    ['causes', failed, 'GET /version: no answer: connect ECONNREFUSED'],
    [
      'a cause that is quoted already, once',
      new Error('sent: connect ECONNREFUSED', { cause: refused }),
      'sent: connect ECONNREFUSED',
    ],
    ['an error without words by its name', new TypeError('', { cause: refused }), 'TypeError: connect ECONNREFUSED'],
    ['the first of several', new AggregateError([refused, failed]), 'AggregateError: connect ECONNREFUSED'],
    ['what is no error', 'gone', 'gone'],
  ]
  for (const [what, error, expected] of rows) it(`tells ${what}`, () => assert.equal(messageChain(error), expected))
})
