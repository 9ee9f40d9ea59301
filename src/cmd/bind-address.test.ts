import { strict as assert } from 'node:assert'
import { parseBindAddress } from './bind-address.ts'

describe('parseBindAddress', () => {
  const rows: readonly [string, ReturnType<typeof parseBindAddress>][] = [
    [':8081', { host: undefined, port: 8081 }],
    ['127.0.0.1:8081', { host: '127.0.0.1', port: 8081 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['0', 'off'],
    ['', 'off'],
    ['8081', undefined],
    [':65536', undefined],
    ['::1:8081', undefined],
    ['[127.0.0.1]:8081', undefined],
    ['[::1]', undefined],
    ['a b:1', undefined],
    ['http://x:1', undefined],
  ]
  for (const [text, address] of rows) {
    it(`${JSON.stringify(text)} is ${JSON.stringify(address) ?? 'refused'}`, () => {
      assert.deepEqual(parseBindAddress(text), address)
    })
  }
})
