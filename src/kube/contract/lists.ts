import { strict as assert } from 'node:assert'
import type { ListOptions } from '../api.ts'
import { Leases, Pods, type KubeObject, type Resource } from '../objects.ts'
import { Groups, keyOf, ok, refused, type Subject } from './subject.ts'

/** Of the objects below: `a` {app: x, tier: 1}, `b` {app: y}, `c` {app: x}, `d` {}. */
const LABEL_SELECTORS: readonly (readonly [string, string])[] = [
  ['app=x', 'ac'],
  ['app==x', 'ac'],
  ['app!=x', 'bd'],
  ['app', 'abc'],
  ['!app', 'd'],
  ['app in (x,y)', 'abc'],
  ['app in (x, z),tier', 'a'],
  ['app notin (x)', 'bd'],
  ['app=x,tier!=1', 'c'],
  ['app=', ''],
]

export function describeLists(get: () => Subject): void {
  const names = async (resource: Resource<KubeObject>, options: ListOptions): Promise<string[]> =>
    ok(await get().api.list(resource, { namespace: get().namespace, ...options })).items.map(
      ({ metadata }) => metadata.name,
    )

  describe('list', () => {
    before(async () => {
      await get().lease({ name: 'sel-c', labels: { run: 'sel', app: 'x' } })
      await get().lease({ name: 'sel-a', labels: { run: 'sel', app: 'x', tier: '1' } })
      await get().lease({ name: 'sel-d', labels: { run: 'sel' } })
      await get().lease({ name: 'sel-b', labels: { run: 'sel', app: 'y' } })
    })

    for (const [labelSelector, expected] of LABEL_SELECTORS) {
      it(`selects by ${JSON.stringify(labelSelector)}, in the order of names`, async () => {
        const found = await names(Leases, { labelSelector: `run=sel,${labelSelector}` })
        assert.deepEqual(
          found,
          expected.split('').map((letter) => `sel-${letter}`),
        )
      })
    }

    it('selects by fields', async () => {
      const labelSelector = 'run=sel'
      assert.deepEqual(await names(Leases, { fieldSelector: 'metadata.name=sel-b' }), ['sel-b'])
      assert.deepEqual(await names(Leases, { labelSelector, fieldSelector: 'metadata.name!=sel-b' }), [
        'sel-a',
        'sel-c',
        'sel-d',
      ])
      assert.deepEqual(await names(Leases, { fieldSelector: 'metadata.namespace=other' }), [])
      const pod = await get().pod({}, { nodeName: 'by-field' })
      assert.deepEqual(await names(Pods, { fieldSelector: 'spec.nodeName=by-field' }), [pod.metadata.name])
      assert.ok(!(await names(Pods, { fieldSelector: 'spec.nodeName!=by-field' })).includes(pod.metadata.name))
    })

    it('refuses selectors that it cannot read or does not know', async () => {
      refused(await get().api.list(Leases, { labelSelector: 'a b' }), 'invalid')
      refused(await get().api.list(Leases, { fieldSelector: 'spec.holderIdentity=x' }), 'invalid')
    })

    it('without a namespace sees all of them', async () => {
      const all = ok(await get().api.list(Leases, { labelSelector: 'run=sel' }))
      assert.ok(all.items.some(({ metadata }) => metadata.namespace === get().namespace))
    })

    it('of a namespace that has none is empty, and has a version', async () => {
      const { items, resourceVersion } = ok(await get().api.list(Leases, { namespace: 'no-such-namespace' }))
      assert.deepEqual(items, [])
      assert.match(resourceVersion, /^[1-9]\d*$/)
    })

    it('has a version that is not before that of any write seen', async () => {
      const lease = await get().lease()
      const { resourceVersion } = ok(await get().api.list(Leases, { namespace: get().namespace }))
      assert.ok(BigInt(resourceVersion) >= BigInt(lease.metadata.resourceVersion))
    })
  })

  describe('paging', () => {
    it('shows one consistent state over all pages', async () => {
      for (const name of ['page-a', 'page-b', 'page-c', 'page-e']) await get().lease({ name, labels: { run: 'page' } })
      const options = { namespace: get().namespace, labelSelector: 'run=page', limit: 2 }
      const first = ok(await get().api.list(Leases, options))
      assert.deepEqual(
        first.items.map(({ metadata }) => metadata.name),
        ['page-a', 'page-b'],
      )
      await get().lease({ name: 'page-d', labels: { run: 'page' } })
      ok(await get().api.delete(Leases, { namespace: get().namespace, name: 'page-e' }))
      const rest: string[] = []
      let { continueToken } = first
      // The last page may be empty: the server counts what it has still to look at, selected or not.
      while (continueToken !== undefined) {
        const page = ok(await get().api.list(Leases, { ...options, continueToken }))
        assert.equal(page.resourceVersion, first.resourceVersion)
        assert.ok(page.items.length <= 2)
        rest.push(...page.items.map(({ metadata }) => metadata.name))
        continueToken = page.continueToken
      }
      assert.deepEqual(rest, ['page-c', 'page-e'])
    })

    it('refuses a token that is none', async () => {
      const options = { namespace: get().namespace, limit: 2, continueToken: 'abc' }
      refused(await get().api.list(Leases, options), 'invalid')
    })

    it('with a token of a forgotten version is expired', async function () {
      const { setting } = get()
      if (setting.compact === undefined) return this.skip()
      const groups = [await get().group(), await get().group()]
      const options = { namespace: get().namespace, limit: 1 }
      const { continueToken = '' } = ok(await get().api.list(Groups, options))
      await setting.compact()
      refused(await get().api.list(Groups, { ...options, continueToken: aged(continueToken) }), 'expired')
      for (const group of groups) ok(await get().api.delete(Groups, keyOf(group)))
    })
  })
}

/**
 * The same token for the oldest version of all: a real server's cache goes on answering for recent ones after the
 * store has forgotten them.
 */
function aged(continueToken: string): string {
  const token = JSON.parse(Buffer.from(continueToken, 'base64url').toString()) as object
  return Buffer.from(JSON.stringify({ ...token, rv: 1 })).toString('base64url')
}
