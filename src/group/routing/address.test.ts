import assert from 'node:assert/strict'
import { addressFamily } from './address.ts'

const ROWS: readonly (readonly [string, 'IPv4' | 'IPv6' | undefined])[] = [
  ['10.0.0.1', 'IPv4'],
  ['255.255.255.255', 'IPv4'],
  ['0.0.0.1', 'IPv4'],
  ['224.0.1.1', 'IPv4'],
  ['0.0.0.0', undefined],
  ['127.8.0.1', undefined],
  ['169.254.169.254', undefined],
  ['224.0.0.1', undefined],
  ['256.0.0.1', undefined],
  ['010.0.0.1', undefined],
  ['10.0.0', undefined],
  ['10.0.0.1.2', undefined],
  ['fd00::1', 'IPv6'],
  ['2001:db8:0:0:0:0:0:1', 'IPv6'],
  ['2001:DB8::', 'IPv6'],
  ['::2', 'IPv6'],
  ['ff0e::1', 'IPv6'],
  ['::', undefined],
  ['::1', undefined],
  ['0:0:0:0:0:0:0:1', undefined],
  ['fe80::1', undefined],
  ['febf::1', undefined],
  ['fec0::1', 'IPv6'],
  ['ff02::1', undefined],
  ['::ffff:10.0.0.1', undefined],
  ['::ffff:a00:1', undefined],
  ['1::2::3', undefined],
  ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4:5:6:7::8', undefined],
  ['fd00::12345', undefined],
  ['fd00::1%eth0', undefined],
  ['', undefined],
  ['db-0', undefined],
]

describe('addressFamily', () => {
  for (const [text, family] of ROWS) {
    it(`'${text}' is ${family ?? 'no address of an endpoint'}`, () => assert.equal(addressFamily(text), family))
  }
})
