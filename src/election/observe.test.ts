import { strict as assert } from 'node:assert'
import {
  firstObservation,
  isAtRest,
  type Attempt,
  type Instant,
  type Observation,
  type Purpose,
} from './observation.ts'
import { observe, type Event } from './observe.ts'
import { acquired, released, renewed, type LeaseRecord, type Versioned } from './record.ts'
import { DEFAULT_TIMING, inMillis } from './timing.ts'

const WALL = Date.UTC(2026, 0, 1)
const at = (seconds: number): Instant => ({ monotonic: seconds * 1000, wall: WALL + seconds * 1000 })

/** Candidate `a`, told one thing after the other; times are in seconds. */
class Story {
  o: Observation = firstObservation({ identity: 'a', timing: inMillis(DEFAULT_TIMING), phase: 0.5, canWatch: true })

  tell(event: Event): this {
    this.o = observe(this.o, event)
    return this
  }

  /** Sends a write; the returned attempt is for its answer. */
  send(purpose: Purpose, record: LeaseRecord, seconds: number): Attempt {
    const attempt = { purpose, record, startedAt: at(seconds) }
    this.tell({ kind: 'sent', at: at(seconds), attempt })
    return attempt
  }

  acquire(start: number, answer: number, version = '10'): this {
    const attempt = this.send('acquire', acquired('a', 15, 3, at(start).wall), start)
    return this.tell({ kind: 'wrote', at: at(answer), attempt, found: { record: attempt.record, version } })
  }

  renewal(seconds: number): LeaseRecord {
    return renewed(
      { holderIdentity: 'a', acquireTime: this.o.tenure?.acquireTime ?? '', leaseTransitions: 4 },
      15,
      at(seconds).wall,
    )
  }

  watch(found: Versioned | 'absent', seconds: number): this {
    return this.tell({ kind: 'watched', at: at(seconds), found })
  }

  read(found: Versioned | 'absent', start: number, answer: number): this {
    return this.tell({ kind: 'read', startedAt: at(start), at: at(answer), found })
  }

  get end(): string | undefined {
    return this.o.tenure ? undefined : this.o.lastEnd?.reason
  }

  get since(): number | undefined {
    return this.o.sight?.kind === 'record' ? this.o.sight.since / 1000 : undefined
  }

  get renewedAtSeconds(): number | undefined {
    return this.o.tenure && this.o.tenure.renewedAt.monotonic / 1000
  }
}

const version = (number: number, record: LeaseRecord): Versioned => ({ version: String(number), record })
const stranger = (number: number, holderIdentity = 'b'): Versioned =>
  version(number, { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 9 })

describe('observe', () => {
  let story: Story
  beforeEach(() => {
    story = new Story()
  })

  describe('a term', () => {
    it('begins with the answer of a write and is counted from its start', () => {
      story.acquire(1, 3)
      assert.deepEqual([story.renewedAtSeconds, story.o.tenure?.token, story.o.working], [1, '10', true])
      assert.equal(story.tell({ kind: 'tick', at: at(10.999) }).end, undefined)
      assert.equal(story.tell({ kind: 'tick', at: at(11) }).end, 'deadline')
    })

    it('does not begin when the answer took as long as the term would have', () => {
      story.acquire(1, 11)
      assert.deepEqual([story.o.tenure, story.o.working, story.o.sight?.kind], [undefined, false, 'record'])
    })

    it('is not prolonged by an answer that comes after its end', () => {
      story.acquire(0, 0)
      const attempt = story.send('renew', story.renewal(8), 8)
      story.tell({ kind: 'wrote', at: at(10), attempt, found: version(11, attempt.record) })
      assert.equal(story.end, 'deadline')
    })

    it('is prolonged from the start of a renewal', () => {
      story.acquire(0, 0)
      const attempt = story.send('renew', story.renewal(2), 2)
      story.tell({ kind: 'wrote', at: at(6), attempt, found: version(11, attempt.record) })
      assert.deepEqual([story.renewedAtSeconds, story.o.tenure?.version, story.o.tenure?.token], [2, '11', '10'])
    })

    for (const [what, found, reason] of [
      ['another holder', stranger(11), 'taken'],
      ['nobody', stranger(11, ''), 'changed'],
      ['itself, in another term', stranger(11, 'a'), 'changed'],
    ] as const) {
      it(`ends when ${what} is seen, by watch or read`, () => {
        assert.equal(story.acquire(0, 0).watch(found, 1).end, reason)
        assert.equal(new Story().acquire(0, 0).read(found, 1, 2).end, reason)
      })
    }

    it('ends when the same record is seen at another version', () => {
      story.acquire(0, 0)
      const { record } = story.o.sight as Extract<Observation['sight'], { kind: 'record' }>
      assert.equal(story.watch(version(11, record), 1).end, 'changed')
    })

    it('does not end by news that is older than what it wrote', () => {
      assert.equal(story.acquire(0, 0).watch(stranger(9), 1).watch(stranger(10), 1).end, undefined)
    })

    it('does not end by a deletion in the watch, but by one that a read confirms', () => {
      story.acquire(0, 0).watch('absent', 1)
      assert.deepEqual([story.end, story.o.doubt], [undefined, true])
      assert.equal(story.read('absent', 1.1, 1.2).end, 'changed')
    })

    it('ends by a conflict of a renewal though its end was asked for', () => {
      story.acquire(0, 0)
      const attempt = story.send('renew', story.renewal(2), 2)
      story.tell({ kind: 'end', at: at(2), reason: 'stepDown' })
      assert.equal(story.tell({ kind: 'conflict', at: at(3), attempt }).end, 'changed')
    })

    it('ends by a conflict that no lost write of its own explains', () => {
      story.acquire(0, 0)
      const attempt = story.send('renew', story.renewal(2), 2)
      assert.equal(story.tell({ kind: 'conflict', at: at(2), attempt }).end, 'changed')
    })
  })

  describe('a write whose answer was lost', () => {
    it('is recognised by what it wrote, as of its start', () => {
      const { record } = story.send('acquire', acquired('a', 15, 3, at(1).wall), 1)
      story.tell({ kind: 'failed', at: at(6), startedAt: at(1) }).read(version(10, record), 6, 7)
      assert.deepEqual([story.renewedAtSeconds, story.o.tenure?.number, story.o.attempts], [1, 4, []])
    })

    it('is recognised after a conflict that it caused', () => {
      story.acquire(0, 0)
      const { record } = story.send('renew', story.renewal(2), 2)
      story.tell({ kind: 'failed', at: at(4), startedAt: at(2) })
      const second = story.send('renew', story.renewal(4), 4)
      story.tell({ kind: 'conflict', at: at(5), attempt: second })
      assert.deepEqual([story.end, story.o.doubt], [undefined, true])
      story.read(version(11, record), 5, 6)
      assert.deepEqual([story.renewedAtSeconds, story.o.tenure?.version], [2, '11'])
    })

    it('is recognised by the watch before its answer comes, which then changes nothing', () => {
      const attempt = story.send('acquire', acquired('a', 15, 3, at(1).wall), 1)
      story.watch(version(10, attempt.record), 2)
      const { tenure } = story.o
      assert.equal(tenure?.token, '10')
      story.tell({ kind: 'wrote', at: at(3), attempt, found: version(10, attempt.record) })
      assert.deepEqual([story.o.tenure, story.o.attempts], [tenure, []])
    })

    it('begins no term when it has been overwritten by the time its answer comes', () => {
      const attempt = story.send('acquire', acquired('a', 15, 3, at(1).wall), 1)
      story.watch(stranger(11), 2).tell({ kind: 'wrote', at: at(3), attempt, found: version(10, attempt.record) })
      assert.deepEqual([story.o.tenure, story.o.working], [undefined, false])
    })

    it('is not mistaken for another one of the same millisecond', () => {
      const { record } = story.send('acquire', acquired('a', 15, 3, at(1).wall + 0.25), 1)
      assert.equal(
        story.read(version(10, { ...record, renewTime: '2026-01-01T00:00:01.000750Z' }), 2, 3).o.tenure,
        undefined,
      )
    })

    it('is forgotten once the lock has moved on in another way', () => {
      story.send('acquire', acquired('a', 15, 3, at(1).wall), 1)
      assert.deepEqual(story.read(stranger(10), 2, 3).o.attempts, [])
    })

    it('is forgotten once it could not begin a term any more', () => {
      story.send('acquire', acquired('a', 15, 3, at(1).wall), 1)
      assert.equal(story.tell({ kind: 'tick', at: at(10.999) }).o.attempts.length, 1)
      assert.deepEqual(story.tell({ kind: 'tick', at: at(11) }).o.attempts, [])
    })
  })

  describe('an end that was asked for', () => {
    it('keeps the term for its work, and counts until the release is written', () => {
      story.acquire(0, 0).tell({ kind: 'end', at: at(1), reason: 'stepDown' })
      assert.deepEqual([story.o.tenure?.ending, story.o.working], ['stepDown', true])
      story.tell({ kind: 'returned', at: at(2) })
      const attempt = story.send('release', released(4, at(2).wall), 2)
      story.tell({ kind: 'wrote', at: at(3), attempt, found: version(11, attempt.record) })
      assert.deepEqual([story.end, story.o.working], ['stepDown', false])
    })

    it('releases over changed metadata, but not over another holder', () => {
      story.acquire(0, 0).tell({ kind: 'returned', at: at(1) })
      const { record } = story.o.sight as Extract<Observation['sight'], { kind: 'record' }>
      const attempt = story.send('release', released(4, at(1).wall), 1)
      story.tell({ kind: 'conflict', at: at(1), attempt }).read(version(12, record), 1.1, 1.2)
      assert.deepEqual([story.o.tenure?.version, story.o.tenure?.ending], ['12', 'done'])
      assert.equal(story.watch(stranger(13), 2).end, 'taken')
    })

    it('is over by its deadline before the release is answered', () => {
      story.acquire(0, 0).tell({ kind: 'returned', at: at(1) })
      const attempt = story.send('release', released(4, at(9).wall), 9)
      story.tell({ kind: 'wrote', at: at(11), attempt, found: version(11, attempt.record) })
      assert.equal(story.end, 'deadline')
    })

    it('takes a lost release for done when it is read', () => {
      story.acquire(0, 0).tell({ kind: 'returned', at: at(1) })
      const { record } = story.send('release', released(4, at(1).wall), 1)
      story.tell({ kind: 'failed', at: at(3), startedAt: at(1) }).read(version(11, record), 3, 4)
      assert.equal(story.end, 'done')
    })

    it('is asked for by a limit, once it has lasted so long', () => {
      const limited = firstObservation({
        identity: 'a',
        timing: inMillis(DEFAULT_TIMING),
        phase: 0.5,
        canWatch: true,
        termLimitMillis: 4_000,
      })
      story.o = limited
      story.acquire(1, 3)
      assert.equal(story.tell({ kind: 'tick', at: at(6.999) }).o.tenure?.ending, undefined)
      assert.equal(story.tell({ kind: 'tick', at: at(7) }).o.tenure?.ending, 'limit')
      assert.equal(story.tell({ kind: 'tick', at: at(10.999) }).end, undefined, 'its work has time until the deadline')
      assert.equal(story.tell({ kind: 'tick', at: at(11) }).end, 'deadline')
    })

    it('is a step-down when it is paused, an abort when it is withdrawn, and none when it goes on', () => {
      for (const [intent, ending] of [
        ['paused', 'stepDown'],
        ['withdrawn', 'aborted'],
        ['contend', undefined],
      ] as const) {
        story = new Story().acquire(0, 0).tell({ kind: 'intent', at: at(1), intent })
        assert.deepEqual([story.o.intent, story.o.tenure?.ending, story.o.working], [intent, ending, true])
      }
    })

    it('leaves it at rest once nothing is led or under way', () => {
      assert.equal(isAtRest(story.o), true)
      const attempt = story.send('acquire', acquired('a', 15, 3, at(0).wall), 0)
      assert.equal(isAtRest(story.o), false)
      story.tell({ kind: 'wrote', at: at(1), attempt, found: version(10, attempt.record) })
      assert.equal(isAtRest(story.o), false)
      assert.equal(isAtRest(story.watch(stranger(11), 2).o), true)
    })

    it('lets others come first from when its work has returned', () => {
      story.acquire(1, 1).tell({ kind: 'standBack', at: at(2), millis: 3_000 })
      story.tell({ kind: 'end', at: at(2), reason: 'stepDown' }).tell({ kind: 'returned', at: at(7) })
      assert.equal(story.o.standBackUntil, 10_000)
      story = new Story()
      story.tell({ kind: 'standBack', at: at(2), millis: 3_000 })
      assert.equal(story.o.standBackUntil, 5_000, 'with no work to wait for, from now')
    })

    it('starts no work when it comes before the acquisition is answered', () => {
      for (const [event, ending] of [
        [{ kind: 'intent', at: at(1), intent: 'withdrawn' }, 'aborted'],
        [{ kind: 'intent', at: at(1), intent: 'paused' }, 'stepDown'],
        [{ kind: 'standBack', at: at(1), millis: 4_000 }, 'stepDown'],
      ] as const) {
        story = new Story()
        const attempt = story.send('acquire', acquired('a', 15, 3, at(0).wall), 0)
        story.tell(event).tell({ kind: 'wrote', at: at(2), attempt, found: version(10, attempt.record) })
        assert.deepEqual([story.o.tenure?.ending, story.o.working], [ending, false])
      }
    })

    it('lets work start that is answered when it has stood back for long enough', () => {
      const attempt = story.send('acquire', acquired('a', 15, 3, at(0).wall), 0)
      story.tell({ kind: 'standBack', at: at(1), millis: 4_000 })
      story.tell({ kind: 'wrote', at: at(5), attempt, found: version(10, attempt.record) })
      assert.deepEqual([story.o.tenure?.ending, story.o.working], [undefined, true])
    })
  })

  describe('a holder’s silence', () => {
    it('counts from when its last version was first seen: the answer of a read, not its start', () => {
      assert.equal(story.read(stranger(10), 1, 4).since, 4)
      assert.equal(story.read(stranger(10), 5, 6).watch(stranger(10), 7).since, 4)
      assert.equal(story.watch(stranger(11), 8).since, 8)
    })

    it('is not moved by news older than the newest', () => {
      story.read(stranger(10), 1, 2).watch(stranger(9), 3)
      assert.equal(story.since, 2)
      story.watch(stranger(12), 4).read(stranger(11), 3, 5).read(stranger(11), 4, 6)
      assert.equal(story.since, 4)
    })

    it('starts anew with a version that a later read finds, even a lower one: the store was restored', () => {
      story.read(stranger(10), 1, 2).read(stranger(7), 3, 4)
      assert.deepEqual([story.since, story.o.newestVersion], [4, '7'])
    })

    it('compares versions as numbers', () => {
      story.read(stranger(99), 1, 2).watch(stranger(100), 3)
      assert.equal(story.since, 3)
    })
  })

  describe('a lock object that is gone', () => {
    it('leaves behind the newest version and the number of the last term', () => {
      story.watch(stranger(10), 1).watch('absent', 2)
      const { sight, newestVersion, lastNumber } = story.o
      assert.deepEqual([sight, newestVersion, lastNumber], [{ kind: 'absent' }, '10', 9])
      assert.deepEqual(story.watch(stranger(9), 3).o.sight, { kind: 'absent' }, 'what is older does not bring it back')
    })

    it('is believed of the first look, and not of one that began before something was heard', () => {
      assert.deepEqual(story.read('absent', 1, 2).o.sight, { kind: 'absent' })
      assert.equal(new Story().watch(stranger(10), 2).read('absent', 1, 3).o.sight?.kind, 'record')
    })

    it('is not believed of a watch while a write is under way: it may be of before that', () => {
      story.read(stranger(10), 1, 1).send('acquire', acquired('a', 15, 3, at(2).wall), 2)
      story.watch('absent', 3)
      assert.deepEqual([story.o.sight?.kind, story.o.doubt], ['record', true])
    })
  })

  describe('a coordinator’s edit', () => {
    const rules = { mayCreate: false, coordinated: true }
    beforeEach(() => {
      story.o = { ...story.o, rules }
      story.acquire(1, 1)
    })
    const edited = (number: number, change: Partial<LeaseRecord>): Versioned =>
      version(number, { ...story.renewal(1), ...change })

    it('of the strategy does not end a term, which goes on from there', () => {
      story.watch(edited(11, { strategy: 'OldestEmulationVersion' }), 2)
      assert.deepEqual([story.o.tenure?.version, story.o.tenure?.ending], ['11', undefined])
    })

    it('that prefers another asks for the end, which keeps the lock until the work has returned', () => {
      story.watch(edited(11, { preferredHolder: 'b' }), 2)
      assert.deepEqual([story.o.tenure?.version, story.o.tenure?.ending], ['11', 'preferred'])
      story.watch(edited(12, {}), 3)
      assert.deepEqual([story.o.tenure?.version, story.o.tenure?.ending], ['12', 'preferred'], 'once asked for')
      assert.equal(story.tell({ kind: 'tick', at: at(11) }).end, 'deadline')
    })

    it('in the way of a renewal is read before anything is ended', () => {
      const attempt = story.send('renew', story.renewal(3), 3)
      story.tell({ kind: 'conflict', at: at(3), attempt })
      assert.deepEqual([story.o.doubt, story.end], [true, undefined])
      story.read(edited(11, { preferredHolder: 'b' }), 3, 4)
      assert.deepEqual([story.o.doubt, story.o.tenure?.ending], [false, 'preferred'])
    })

    it('that names another ends the term at once', () => {
      assert.equal(story.watch(stranger(11), 2).end, 'taken')
    })

    it('is none on a lock without a coordinator', () => {
      story = new Story().acquire(1, 1)
      assert.equal(story.watch(edited(11, { preferredHolder: 'b' }), 2).end, 'changed')
    })
  })

  it('spreads followers that failed, and does not keep a leader waiting', () => {
    assert.equal(story.tell({ kind: 'failed', at: at(1), startedAt: at(0) }).o.retryAt, 3_000)
    story = new Story().acquire(0, 0).tell({ kind: 'failed', at: at(2), startedAt: at(1) })
    assert.deepEqual([story.o.retryAt, story.o.doubt], [3_000, false])
    assert.equal(story.tell({ kind: 'failed', at: at(9), startedAt: at(4) }).o.retryAt, 9_000)
  })

  describe('a server that asks to be left alone for a while', () => {
    const failed = (seconds: number, retryAfterSeconds: number): Event => ({
      kind: 'failed',
      at: at(seconds),
      startedAt: at(seconds),
      retryAfterMillis: retryAfterSeconds * 1000,
    })

    it('is left alone by a follower, for a lease duration at most', () => {
      assert.equal(story.tell(failed(1, 5)).o.retryAt, 6_000)
      assert.equal(story.tell(failed(10, 3_600)).o.retryAt, 25_000)
    })

    it('is left alone by a leader for half of what is left of its term at most', () => {
      story = new Story().acquire(0, 0)
      assert.equal(story.tell(failed(2, 3)).o.retryAt, 5_000)
      assert.equal(story.tell(failed(4, 3_600)).o.retryAt, 7_000)
    })

    it('is not asked earlier than any other', () => {
      assert.equal(story.tell(failed(1, 0.5)).o.retryAt, 4_000)
    })
  })

  it('backs off further with every conflict in a row, up to the retry period', () => {
    const delays = Array.from({ length: 12 }, (_, index) => {
      const attempt = story.send('acquire', acquired('a', 15, 3, at(index).wall), index)
      return story.tell({ kind: 'conflict', at: at(index), attempt }).o.retryAt - index * 1000
    })
    assert.deepEqual(delays, [0, 30, 60, 120, 240, 480, 960, 1500, 1500, 1500, 1500, 1500])
    for (const [number, holder] of [
      [10, ''],
      [11, 'a'],
    ] as const) {
      assert.equal(story.read(stranger(number, holder), 20, 21).o.conflicts, 12, 'nobody else has won')
    }
    assert.equal(story.read(stranger(12), 22, 23).o.conflicts, 0)
  })

  it('remembers when a watch may be opened again', () => {
    assert.equal(story.tell({ kind: 'watching', at: at(0), open: true }).o.watch, 'open')
    const { watch, watchAgainAt } = story.tell({ kind: 'watching', at: at(5), open: false }).o
    assert.deepEqual([watch, watchAgainAt], ['closed', 8_000])
  })
})
