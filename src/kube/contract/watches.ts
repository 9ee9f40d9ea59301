import { strict as assert } from 'node:assert'
import { Api } from '../api.ts'
import { Leases, Pods, type KubeObject } from '../objects.ts'
import type { Transport, TransportRequest, TransportResponse } from '../transport.ts'
import { watch, type Change } from '../watch.ts'
import type { WatchEvent } from '../watch-event.ts'
import { Groups, keyOf, ok, type AnyObject, type Subject } from './subject.ts'

export function describeWatches(get: () => Subject): void {
  const versionNow = async (): Promise<string> =>
    ok(await get().api.list(Leases, { namespace: get().namespace })).resourceVersion

  describe('watch', () => {
    it('tells every change since a version, once and in order, whether before or after it was opened', async () => {
      const resourceVersion = await versionNow()
      const lease = await get().lease({}, { leaseTransitions: 0 })
      const bump = async (leaseTransitions: number): Promise<string> => {
        const patched = await get().api.mergePatch(Leases, keyOf(lease), { spec: { leaseTransitions } })
        return ok(patched).metadata.resourceVersion
      }
      const versions = [lease.metadata.resourceVersion, await bump(1), await bump(2)]
      const events = await get().events(Leases, {
        resourceVersion,
        fieldSelector: `metadata.name=${lease.metadata.name}`,
      })
      for (let n = 3; n <= 20; n++) versions.push(await bump(n))
      const seen = await events.upTo(versions.at(-1))
      assert.deepEqual(
        seen.map(describeEvent),
        versions.map((version, n) => `${n === 0 ? 'ADDED' : 'MODIFIED'} ${lease.metadata.name} ${version}`),
      )
      await events.stop()
      assert.ok(events.ended instanceof Error, 'an abort ends the body with an error, not as if it were complete')

      const resumed = await get().events(Leases, {
        resourceVersion: versions[9] ?? '',
        fieldSelector: `metadata.name=${lease.metadata.name}`,
      })
      const rest = await resumed.upTo(versions.at(-1))
      assert.deepEqual(rest.map(describeEvent), seen.slice(10).map(describeEvent))
      await resumed.stop()
    })

    it('DELETED carries the last state, under the version of the deletion', async () => {
      const lease = await get().lease({ labels: { a: '1' } }, { holderIdentity: 'h' })
      const events = await get().events(Leases, { resourceVersion: lease.metadata.resourceVersion })
      ok(await get().api.delete(Leases, keyOf(lease)))
      const anew = await get().lease({ name: lease.metadata.name })
      const [deleted, added] = await events.upTo(anew.metadata.resourceVersion)
      assert.ok(deleted?.type === 'DELETED' && added?.type === 'ADDED')
      assert.deepEqual(
        { ...deleted.object, metadata: { ...deleted.object.metadata, resourceVersion: '' } },
        { ...lease, metadata: { ...lease.metadata, resourceVersion: '' } },
      )
      assert.ok(BigInt(deleted.object.metadata.resourceVersion) > BigInt(lease.metadata.resourceVersion))
      assert.ok(BigInt(deleted.object.metadata.resourceVersion) < BigInt(anew.metadata.resourceVersion))
      assert.notEqual(added.object.metadata.uid, deleted.object.metadata.uid)
      await events.stop()
    })

    it('tells what enters a selection as ADDED and what leaves it as DELETED, as it was while selected', async () => {
      const resourceVersion = await versionNow()
      const events = await get().events(Leases, { resourceVersion, labelSelector: 'role=leader' })
      const key = keyOf(await get().lease({ labels: { role: 'follower' } }))
      for (const labels of [{ role: 'leader' }, { n: '1' }, { role: 'follower' }, { n: '2' }, { role: 'leader' }]) {
        ok(await get().api.mergePatch(Leases, key, { metadata: { labels } }))
      }
      ok(await get().api.delete(Leases, key))
      const seen = await events.until(() => events.seen.filter(({ type }) => type === 'DELETED').length === 2)
      const roles = seen.map((event) => `${event.type} ${rolesOf(event)}`)
      assert.deepEqual(roles, [
        'ADDED leader -',
        'MODIFIED leader 1',
        'DELETED leader 1',
        'ADDED leader 2',
        'DELETED leader 2',
      ])
      await events.stop()
    })

    it('tells both steps of a pod that is deleted: marked, then gone', async () => {
      const homeless = await get().pod({}, {})
      const held = await get().pod({ finalizers: ['x.io/a'] })
      const events = await get().events(Pods, { resourceVersion: held.metadata.resourceVersion })
      ok(await get().api.delete(Pods, keyOf(homeless)))
      ok(await get().api.delete(Pods, keyOf(held), { gracePeriodSeconds: 0 }))
      ok(await get().api.mergePatch(Pods, keyOf(held), { metadata: { finalizers: null } }))
      const seen = await events.until(() => events.seen.filter(({ type }) => type === 'DELETED').length === 2)
      const steps = seen.map((event) => {
        const { deletionTimestamp, finalizers } = metaOf(event)
        return `${event.type} ${deletionTimestamp ? 'marked' : ''} ${finalizers?.join() ?? ''}`.trim()
      })
      // The state without the finalizer is never seen: taking it off is the deletion.
      assert.deepEqual(steps, ['MODIFIED marked', 'DELETED marked', 'MODIFIED marked x.io/a', 'DELETED marked x.io/a'])
      await events.stop()
    })

    it('sends a bookmark before it ends, so that a resumed one starts young', async () => {
      const lease = await get().lease()
      const { resourceVersion } = lease.metadata
      const fieldSelector = 'metadata.name=none'
      const events = await get().events(Leases, { resourceVersion, fieldSelector, timeoutSeconds: 5 })
      const other = await get().lease()
      const bookmark = await get().eventually('a bookmark', () => events.seen.find(({ type }) => type === 'BOOKMARK'))
      assert.ok(bookmark.type === 'BOOKMARK')
      assert.ok(BigInt(bookmark.object.metadata.resourceVersion) >= BigInt(other.metadata.resourceVersion))
      await events.stop()
    })

    it('ends cleanly after timeoutSeconds', async () => {
      const events = await get().events(Leases, { resourceVersion: await versionNow(), timeoutSeconds: 1 })
      await get().eventually('the server ends the watch', () => events.ended)
      assert.equal(events.ended, 'cleanly')
    })

    it('from a forgotten version is answered with status 200 and an ERROR event of code 410, then ends', async () => {
      await get().group()
      await get().setting.compact?.()
      const events = await get().events(Groups, { resourceVersion: '1' })
      await get().eventually('the server ends the watch', () => events.ended)
      assert.equal(events.ended, 'cleanly')
      const [first, ...more] = events.seen
      assert.ok(first?.type === 'ERROR' && more.length === 0)
      assert.deepEqual([first.status.code, first.status.reason], [410, 'Expired'])
    })
  })

  describe('list and watch', () => {
    it('begins with a reset and follows; lists anew when its version has expired', async () => {
      const { setting } = get()
      const { clock } = setting
      const transport = new ForgetfulTransport(setting.transport)
      const group = await get().group({ labels: { run: 'stream' } })
      const controller = new AbortController()
      const changes: Change<AnyObject>[] = []
      const following = (async () => {
        const source = { resource: Groups, namespace: get().namespace, labelSelector: 'run=stream' }
        const surroundings = { clock, random: () => 0.5, signal: controller.signal }
        const stream = watch(new Api(transport, clock), { ...source, trim: (object) => object }, surroundings)
        for await (const change of stream) changes.push(change)
      })()
      await get().eventually('the first list', () => changes.length === 1 || undefined)
      const patched = ok(await get().api.mergePatch(Groups, keyOf(group), { spec: { paused: true } }))
      await get().eventually('the change', () => changes.length === 2 || undefined)
      await setting.compact?.()
      transport.forget()
      await get().eventually('a second list', () => changes.length === 3 || undefined)
      ok(await get().api.delete(Groups, keyOf(group)))
      await get().eventually('the deletion', () => changes.length === 4 || undefined)
      const version = patched.metadata.resourceVersion
      assert.deepEqual(changes.map(describeChange), [
        `reset ${group.metadata.resourceVersion}`,
        `apply ${version}`,
        `reset ${version}`,
        `delete`,
      ])
      controller.abort()
      await following
    })
  })
}

const metaOf = (event: WatchEvent<KubeObject>): Partial<AnyObject['metadata']> =>
  event.type === 'ERROR' ? {} : event.object.metadata

const rolesOf = (event: WatchEvent<KubeObject>): string => {
  const { role = '', n = '-' } = metaOf(event).labels ?? {}
  return `${role} ${n}`
}

function describeEvent(event: WatchEvent<KubeObject>): string {
  const { name, resourceVersion } = metaOf(event)
  return `${event.type} ${name} ${resourceVersion}`
}

function describeChange(change: Change<AnyObject>): string {
  switch (change.kind) {
    case 'reset':
      return `reset ${change.objects.map(({ metadata }) => metadata.resourceVersion).join()}`
    case 'apply':
      return `apply ${change.object.metadata.resourceVersion}`
    case 'delete':
      return 'delete'
  }
}

/** Breaks the open watches on demand; the next one asks for the oldest version of all, as after a long outage. */
class ForgetfulTransport implements Transport {
  readonly #transport: Transport
  readonly #open = new Set<AbortController>()
  #forgets = false

  constructor(transport: Transport) {
    this.#transport = transport
  }

  forget(): void {
    this.#forgets = true
    for (const watch of this.#open) watch.abort(new Error('the connection was reset'))
    this.#open.clear()
  }

  send(request: TransportRequest): Promise<TransportResponse> {
    if (!request.path.includes('watch=true')) return this.#transport.send(request)
    const watch = new AbortController()
    this.#open.add(watch)
    const path = this.#forgets ? request.path.replace(/resourceVersion=\d+/, 'resourceVersion=1') : request.path
    this.#forgets = false
    return this.#transport.send({ ...request, path, signal: AbortSignal.any([request.signal, watch.signal]) })
  }
}
