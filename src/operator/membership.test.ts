import assert from 'node:assert/strict'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { Lease, Pod } from '../kube/objects.ts'
import { Membership, markedHolder } from './membership.ts'

const meta = (name: string, uid = `uid-${name}`) => ({ name, namespace: 'shop', uid, resourceVersion: '1' })

function pod(name: string, app: string, annotations: Readonly<Record<string, string>> = {}, uid?: string): Pod {
  return { metadata: { ...meta(name, uid), labels: { app }, annotations } }
}

function group(name: string, app: string, { generation = 1, uid = `uid-${name}`, leaseName = '' } = {}): LeaderGroup {
  return {
    metadata: { ...meta(name, uid), generation },
    spec: { selector: { matchLabels: { app } }, ...(leaseName ? { leaseName } : {}) },
  }
}

function lease(name: string, mark?: string): Lease {
  return { metadata: { ...meta(name), annotations: mark === undefined ? {} : { 'leadergroup.io/gate': mark } } }
}

/** Membership over a set of pods, as the cache keeps them. */
class Rig {
  readonly membership = new Membership()
  readonly pods = new Map<string, Pod>()

  set(after: Pod): string {
    const before = this.pods.get(after.metadata.name)
    this.pods.set(after.metadata.name, after)
    return words(this.membership.setPod(after, before))
  }

  remove(name: string): string {
    const before = this.pods.get(name)!
    this.pods.delete(name)
    return words(this.membership.setPod(undefined, before))
  }

  setGroup(after: LeaderGroup | undefined, before?: LeaderGroup): void {
    this.membership.setGroup(after, before, () => this.pods.values())
  }

  podsOf(name: string): string {
    return words(this.membership.podsOf(name))
  }
}

const words = (names: Iterable<string>): string => [...names].toSorted().join(' ')

describe('membership', () => {
  let rig: Rig
  beforeEach(() => {
    rig = new Rig()
  })

  describe('of a pod', () => {
    it('concerns the groups that select it', () => {
      rig.setGroup(group('db', 'db'))
      rig.setGroup(group('web', 'web'))
      assert.equal(rig.set(pod('p', 'db')), 'db')
      assert.deepEqual([rig.podsOf('db'), rig.podsOf('web')], ['p', ''])
    })

    it('concerns the groups whose keys it bears, whether they exist or not', () => {
      rig.setGroup(group('db', 'db'))
      assert.equal(rig.set(pod('p', 'db', { 'old.leadergroup.io/sealed': '' })), 'db old')
      assert.equal(rig.podsOf('old'), 'p')
      assert.deepEqual([...rig.membership.groupsWithPods()], ['db', 'old'])
    })

    it('that changes concerns the groups before and after', () => {
      rig.setGroup(group('db', 'db'))
      rig.setGroup(group('web', 'web'))
      rig.set(pod('p', 'db'))
      assert.equal(rig.set(pod('p', 'web')), 'db web')
      assert.deepEqual([rig.podsOf('db'), rig.podsOf('web')], ['', 'p'])
    })

    it('that goes concerns the groups that had it, and is forgotten', () => {
      rig.setGroup(group('db', 'db'))
      rig.set(pod('p', 'db', { 'old.leadergroup.io/term': '4' }))
      assert.equal(rig.remove('p'), 'db old')
      assert.deepEqual([...rig.membership.groupsWithPods()], [])
    })

    it('that nothing else ties to a group concerns the one whose Lease names it', () => {
      rig.setGroup(group('db', 'db'))
      rig.setGroup(group('other', 'other'))
      rig.membership.setLease(lease('db', 'p_uid-p/gate/4'), undefined)
      assert.equal(rig.set(pod('p', 'none')), 'db')
      assert.equal(rig.set(pod('q', 'none')), '')
      assert.equal(rig.remove('p'), 'db')
    })

    it('that was never kept concerns that group too, when it is proved gone', () => {
      rig.setGroup(group('db', 'db'))
      rig.membership.setLease(lease('db', 'p_uid-p/gate/4'), undefined)
      assert.equal(words(rig.membership.setPod(undefined, pod('p', ''))), 'db')
    })

    it('that was recreated concerns the group whose Lease names the old one', () => {
      rig.setGroup(group('db', 'db'))
      rig.membership.setLease(lease('db', 'p_uid-p/gate/4'), undefined)
      rig.set(pod('p', 'none'))
      assert.equal(rig.set(pod('p', 'none', {}, 'new')), 'db')
      assert.equal(rig.set(pod('p', 'none', {}, 'new')), '')
      // A DELETED of the old one that comes late.
      assert.equal(words(rig.membership.setPod(rig.pods.get('p'), pod('p', 'none'))), 'db')
    })
  })

  describe('of a Lease', () => {
    it('concerns each group that uses it', () => {
      rig.setGroup(group('db', 'db'))
      rig.setGroup(group('also', 'x', { leaseName: 'db' }))
      assert.equal(words(rig.membership.setLease(lease('db'), undefined)), 'also db')
      assert.equal(words(rig.membership.setLease(undefined, lease('db'))), 'also db')
      assert.equal(words(rig.membership.setLease(lease('web'), undefined)), '')
    })

    it('that names another wakes no more for the one before', () => {
      rig.setGroup(group('db', 'db'))
      const [first, second] = [lease('db', 'p_uid-p/gate/4'), lease('db', 'q_uid-q/gate/5')]
      rig.membership.setLease(first, undefined)
      rig.membership.setLease(second, first)
      assert.deepEqual([rig.set(pod('p', 'none')), rig.set(pod('q', 'none'))], ['', 'db'])
      rig.membership.setLease(undefined, second)
      assert.equal(rig.set(pod('q', 'none')), '')
    })

    it('may name nobody, or be malformed', () => {
      for (const mark of [undefined, '', '-/-/4', 'x', 'uid-p/'])
        assert.equal(markedHolder(lease('db', mark)), undefined)
      assert.deepEqual(markedHolder(lease('db', 'constructor_u/g/4')), { name: 'constructor', uid: 'u' })
    })

    it('of a group with another name for it', () => {
      const before = group('db', 'db', { leaseName: 'one' })
      rig.setGroup(before)
      rig.setGroup(undefined, before)
      assert.equal(words(rig.membership.usersOf('one')), '')
    })
  })

  describe('of a group', () => {
    it('takes in the pods that are there already', () => {
      rig.set(pod('p', 'db'))
      rig.set(pod('q', 'web'))
      rig.setGroup(group('db', 'db'))
      assert.equal(rig.podsOf('db'), 'p')
      assert.equal(rig.remove('p'), 'db')
    })

    it('that selects others lets go of those it selected, but for those that bear its keys', () => {
      rig.set(pod('p', 'db'))
      rig.set(pod('q', 'db', { 'db.leadergroup.io/sealed': '' }))
      rig.set(pod('r', 'web'))
      const before = group('db', 'db')
      rig.setGroup(before)
      rig.setGroup(group('db', 'web', { generation: 2 }), before)
      assert.equal(rig.podsOf('db'), 'q r')
      assert.deepEqual([rig.set(pod('p', 'db')), rig.set(pod('r', 'web'))], ['', 'db'])
    })

    it('that was recreated under its name selects anew, though the generation is the same', () => {
      rig.set(pod('p', 'db'))
      const before = group('db', 'db')
      rig.setGroup(before)
      rig.setGroup(group('db', 'web', { uid: 'new' }), before)
      assert.equal(rig.podsOf('db'), '')
    })

    it('whose status alone changed does not look at the pods', () => {
      const before = group('db', 'db')
      rig.setGroup(before)
      rig.membership.setGroup(group('db', 'db'), before, () => assert.fail('pods were asked for'))
    })

    it('that is gone keeps the pods that bear its keys, until they do no more', () => {
      rig.set(pod('p', 'db', { 'db.leadergroup.io/sealed': '' }))
      rig.set(pod('q', 'db'))
      const before = group('db', 'db')
      rig.setGroup(before)
      rig.setGroup(undefined, before)
      assert.equal(rig.podsOf('db'), 'p')
      assert.equal(rig.set(pod('p', 'db')), 'db')
      assert.equal(rig.podsOf('db'), '')
    })
  })
})
