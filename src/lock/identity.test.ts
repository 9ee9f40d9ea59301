import { strict as assert } from 'node:assert'
import { hostname } from 'node:os'
import { identityOf, instanceOf } from './identity.ts'

describe('identity', () => {
  it('is that of the pod', () => {
    const env = { POD_NAME: 'operator-7f', POD_UID: '6f0c' }
    assert.equal(identityOf(env), 'operator-7f_6f0c')
    assert.equal(instanceOf(env), 'operator-7f')
  })

  it('is another one for each process where no pod is known', () => {
    const [one, other] = [identityOf({}), identityOf({})]
    assert.notEqual(one, other)
    assert.match(one, /_[0-9a-f-]{36}$/)
    assert(one.startsWith(`${hostname()}_`))
    assert.equal(instanceOf({}), hostname())
  })

  it('does not trust a pod name alone: two clusters may have it', () => {
    assert.match(identityOf({ POD_NAME: 'operator-7f' }), /^operator-7f_[0-9a-f-]{36}$/)
  })
})
