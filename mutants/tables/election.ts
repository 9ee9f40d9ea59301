import { mutantsOf, type Mutant } from '../mutant.ts'

/** Mistakes in the rules of the election: `src/election`. */
export const ELECTION: readonly Mutant[] = [
  ...mutantsOf('src/election/observation.ts', 'src/election/safety.test.ts', [
    {
      name: 'the wall clock measures a term',
      find: 'return leadingUntil(o, tenure) - now.monotonic - Math.max(wallGainMillis(tenure, now), 0)',
      replace: 'return tenure.renewedAt.wall + o.timing.renewDeadlineMillis - now.wall',
      rule: 'design 5.1: a term is measured on the monotonic clock',
      killedBy: 'src/election/decide.test.ts',
    },
    {
      name: 'a clock that jumped is trusted',
      find: "if (gain > (leaseDurationMillis - renewDeadlineMillis) / 2) return 'suspended'",
      replace: "if (gain > leaseDurationMillis * 1000) return 'suspended'",
      rule: 'design 5.1: a wall clock that jumped against the monotonic one ends the term',
      killedBy: 'src/election/decide.test.ts',
    },
    {
      name: 'time spent suspended does not count',
      find: ' - now.monotonic - Math.max(wallGainMillis(tenure, now), 0)',
      replace: ' - now.monotonic',
      rule: 'design 5.1: what the wall clock gains counts as time that has passed',
      killedBy: 'src/election/decide.test.ts',
    },
    {
      name: 'a term lasts one tick too long',
      find: "remainingMillis(o, o.tenure, now) <= 0 ? 'deadline'",
      replace: "remainingMillis(o, o.tenure, now) < 0 ? 'deadline'",
      rule: 'I5: at its deadline a term is over',
      killedBy: 'src/election/observe.test.ts',
    },
    {
      name: 'a term lasts as long as the lease',
      find: 'return tenure.renewedAt.monotonic + o.timing.renewDeadlineMillis',
      replace: 'return tenure.renewedAt.monotonic + o.timing.leaseDurationMillis',
      rule: 'I5: a term ends before the lease can expire for anybody else',
    },
  ]),
  ...mutantsOf('src/election/observe.ts', 'src/election/observe.test.ts', [
    {
      name: 'a renewal counts from its response',
      find: 'version: found.version, renewedAt: attempt.startedAt } }',
      replace: 'version: found.version, renewedAt: at } }',
      rule: 'design 5.1: the deadline counts from the start of the last write',
    },
    {
      name: 'a term counts from the response that acquired it',
      find: `    renewedAt: attempt.startedAt,
    limitAt`,
      replace: `    renewedAt: at,
    limitAt`,
      rule: 'design 5.1: the deadline counts from the start of the last write',
    },
    {
      name: 'news revive a term that is over',
      find: 'return fold(expire(before, event.at), event)',
      replace: 'return fold(before, event)',
      rule: 'design 5.1: what was over stays over, whatever news comes late',
    },
    {
      name: 'a late answer begins a term that is over',
      find: 'if (endByTime(begun, at)) return o\n',
      replace: '',
      rule: 'design 5.1: an answer that took longer than the term begins none',
    },
    {
      name: 'a foreign holder ends no term',
      find: 'return o.tenure ? challenged(stranger, o.tenure, found) : stranger',
      replace: 'return stranger',
      rule: 'design 5.2: a foreign holder in any response ends the term at once',
    },
    {
      name: 'a changed version ends no term',
      find: "return lose(o, isTaken ? 'taken' : 'changed')",
      replace: "return isTaken ? lose(o, 'taken') : o",
      rule: 'design 5.2: a changed version that is not ours ends the term at once',
    },
    {
      name: 'a conflict is overlooked',
      find: "return mayBeOurs ? known : lose(known, 'changed')",
      replace: 'return known',
      rule: 'design 5.2: a renewal that conflicts ends the term, unless a write of ours may be the reason',
    },
    {
      name: 'a conflict with a write of its own ends the term',
      find: 'const mayBeOurs = known.attempts.length > 0 ||',
      replace: 'const mayBeOurs =',
      rule: 'design 5.7: a lost write whose response was lost is recognised when re-read',
    },
    {
      name: 'a lost write is not recognised',
      find: 'const attempt = o.attempts.find((candidate) => isSameWrite(candidate.record, found.record))',
      replace: 'const attempt = undefined as Attempt | undefined',
      rule: 'design 5.7: a lost write whose response was lost is recognised as ours',
    },
    {
      name: 'silence counts from the request',
      find: 'return see(settled, event.found, event.at)',
      replace: 'return see(settled, event.found, event.startedAt)',
      rule: 'I9: a holder is silent since its record arrived, not since it was asked for',
    },
    {
      name: 'each look restarts the wait',
      find: "if (o.sight?.kind === 'record' && o.sight.version === found.version) return { ...o, heardAt: at.monotonic }\n",
      replace: '',
      rule: 'L1: a holder that does not renew is outwaited, however often it is looked at',
    },
    {
      name: 'a read that is older than the watch is believed',
      find: 'if (!isNewest && !isNews(event.found, o)) return settled\n',
      replace: '',
      rule: 'I7: an older version never replaces a newer one',
    },
    {
      name: 'a watch that goes back in time is believed',
      find: "if (found !== 'absent') return isNews(found, o) ? see(o, found, at) : { ...o, heardAt: at.monotonic }",
      replace: "if (found !== 'absent') return see(o, found, at)",
      rule: 'I7: an older version never replaces a newer one',
    },
    {
      name: 'a watched deletion of before the term ends it',
      find: 'if (o.tenure || o.attempts.length > 0) return { ...o, doubt: true }\n',
      replace: '',
      rule: 'I7: a deletion carries no version, so only a read tells whether it came after',
    },
    {
      name: 'terms begin anew when the Lease is deleted',
      find: "return { ...lose(o, 'changed'), sight: { kind: 'absent' }, heardAt: at.monotonic }",
      replace:
        "return { ...lose(o, 'changed'), lastNumber: undefined, sight: { kind: 'absent' }, heardAt: at.monotonic }",
      rule: 'I4: a term is not used again after the Lease was deleted',
    },
    {
      name: 'versions begin anew when the Lease is deleted',
      find: "return { ...lose(o, 'changed'), sight: { kind: 'absent' }, heardAt: at.monotonic }",
      replace:
        "return { ...lose(o, 'changed'), newestVersion: undefined, sight: { kind: 'absent' }, heardAt: at.monotonic }",
      rule: 'I7: the newest version ever seen outlives the object',
    },
    {
      name: 'an elector contends once',
      find: 'return { ...o, tenure: undefined, lastEnd: { token: o.tenure.token, reason } }',
      replace: "return { ...o, intent: 'withdrawn', tenure: undefined, lastEnd: { token: o.tenure.token, reason } }",
      rule: 'design 5.8: it contends again after a loss',
      killedBy: 'src/lock/elector.test.ts',
    },
    {
      name: 'conflicts are retried without back-off',
      find: 'if (conflicts <= 1) return 0\n',
      replace: 'if (conflicts > 0) return 0\n',
      rule: 'design 5.4, I14: back-off on conflict',
    },
    {
      name: 'followers retry in step',
      find: 'const period = o.timing.retryPeriodMillis * (o.tenure ? 1 : 1 + o.phase)',
      replace: 'const period = o.timing.retryPeriodMillis',
      rule: 'design 5: jitter 1.2, so that followers spread out',
    },
    {
      name: 'a term outlasts its limit',
      find: "return end(standBack(o, now, standBackMillis(o.timing)), 'limit')",
      replace: 'return o',
      rule: 'a term limit is a wish to end',
    },
    {
      name: 'whoever withdraws still begins a term',
      find: "if (o.intent === 'withdrawn') return end(begun, 'aborted')\n",
      replace: '',
      rule: 'design 5.8: what is not wanted any more begins no work, and is released',
    },
    {
      name: 'a term continues under a coordinator that prefers another',
      find: "return record.preferredHolder ? end(followed, 'preferred') : followed",
      replace: 'return followed',
      rule: 'coordinated election: a holder yields to the one that the coordinator prefers',
    },
  ]),
  ...mutantsOf('src/election/decide.ts', 'src/election/decide.test.ts', [
    {
      name: 'a Lease expires by its renewTime',
      find: 'const { at, reason } = freeAt(o, o.sight)',
      replace: `const free = freeAt(o, o.sight)
  const { reason } = free
  const renewTime = o.sight.kind === 'record' ? Date.parse(o.sight.record.renewTime ?? '') : NaN
  const isTimed = Number.isFinite(free.at) && o.sight.kind === 'record' && !Number.isNaN(renewTime)
  const at = isTimed
    ? now.monotonic - now.wall + renewTime + silenceMillis(o, (o.sight as { record: LeaseRecord }).record)
    : free.at`,
      rule: 'I9: silence is measured on the own clock, never by comparing renewTime with it',
    },
    {
      name: 'a Lease expires one tick early',
      find: 'at: sight.since + silenceMillis(o, sight.record)',
      replace: 'at: sight.since + silenceMillis(o, sight.record) - 1',
      rule: 'I9: taken only after the whole duration',
    },
    {
      name: "a holder is outwaited by one's own duration",
      find: 'record.leaseDurationSeconds > 0 ? record.leaseDurationSeconds * 1000 : o.timing.leaseDurationMillis',
      replace: 'o.timing.leaseDurationMillis',
      rule: 'I9: the duration is the one that the record says',
    },
    {
      name: 'a record without duration is over at once',
      find: 'record.leaseDurationSeconds > 0 ? record.leaseDurationSeconds * 1000 : o.timing.leaseDurationMillis',
      replace: 'record.leaseDurationSeconds * 1000',
      rule: 'I9: a holder that says nothing of its duration gets our own',
    },
    {
      name: 'the second that whole seconds hide is not waited for',
      find: 'return renewTime !== undefined && isWholeSeconds(renewTime) ? 1000 : 0',
      replace: 'return renewTime === undefined ? 1000 : 0',
      rule: 'design 5.5: a time in whole seconds may hide a renewal',
    },
    {
      name: 'a Lease of mode Assign is taken',
      find: 'if (sight.refused !== undefined) return { at: Infinity, reason: sight.refused }\n',
      replace: '',
      rule: 'design 4.2: electors refuse a Lease that a group in mode Assign writes',
    },
    {
      name: 'a coordinated lock is taken when it expires',
      find: 'if (o.rules.coordinated) return namedAt(o, sight.record)\n',
      replace: '',
      rule: 'coordinated election: whoever is named may take the lock, and nobody else',
    },
    {
      name: 'an object that is not ours to create is created',
      find: 'if (!rules.mayCreate)',
      replace: 'if (false)',
      rule: 'I13: an object that is somebody else’s is not created',
    },
    {
      name: 'released while the work runs',
      find: 'if (o.working) return { actions: [], wakeAt: end, reason: `${what}: waiting for its work` }\n',
      replace: '',
      rule: 'design 5.4: released only after the work has returned',
    },
    {
      name: 'released without a look at whose it is',
      find: "if (o.doubt) return request(o, now, { kind: 'read' }, end, `${what}: looking whether there is something to release`)\n",
      replace: '',
      rule: 'design 5.4: released only if the Lease read is still ours in this term',
    },
    {
      name: 'renewed in doubt, without a look',
      find: "if (o.doubt) return request(o, now, { kind: 'read' }, end, `leading in term ${tenure.number}, in doubt`)\n",
      replace: '',
      rule: 'I3: nothing is written on what may not be there any more',
    },
    {
      name: 'a term begins beside the work of the last one',
      find: "if (o.working) return { actions: [], reason: 'waiting for the work of the last term' }\n",
      replace: '',
      rule: 'design 5.2: leading again is a new term, which waits for the work of the old one',
    },
    {
      name: 'requests that fail are repeated at once',
      find: 'if (now.monotonic >= o.retryAt) return { actions: [action], reason }',
      replace: 'if (now.monotonic >= -1) return { actions: [action], reason }',
      rule: 'I14: a failed request waits for the retry period',
    },
    {
      name: 'whoever steps down is the first to come back',
      find: 'const acquireAt = Math.max(at, o.standBackUntil)',
      replace: 'const acquireAt = at',
      rule: 'whoever steps down lets others come first',
    },
    {
      name: 'the lock is polled in step',
      find: 'o.timing.retryPeriodMillis * (JITTER_FACTOR + o.phase)',
      replace: 'o.timing.retryPeriodMillis * JITTER_FACTOR',
      rule: 'design 5: jitter, so that followers spread out',
    },
    {
      name: 'a lock without a watch is not polled',
      find: 'if (now.monotonic >= pollAt) return',
      replace: 'if (now.monotonic >= pollAt + 1e9) return',
      rule: 'design 5.6: polling stays as the fallback of the watch',
    },
    {
      name: 'the lock is not watched',
      find: "if (now.monotonic >= o.watchAgainAt) return { ...next, actions: [{ kind: 'watch' }, ...next.actions] }\n",
      replace: 'if (o.heardAt !== undefined) return next\n',
      rule: 'design 5.6: followers watch the Lease',
    },
    {
      name: 'a release leaves the holder on the Lease',
      find: 'const record = coordinated(o, released(tenure.number, now.wall))',
      replace: 'const record = { ...coordinated(o, released(tenure.number, now.wall)), holderIdentity: o.identity }',
      rule: 'wire format: a release empties the holder',
    },
  ]),
  ...mutantsOf('src/election/record.ts', 'src/election/record.test.ts', [
    {
      name: 'a write is known by its holder alone',
      find: 'return isSameTerm(a, b) && a.leaseDurationSeconds === b.leaseDurationSeconds && a.renewTime === b.renewTime',
      replace: 'return a.holderIdentity === b.holderIdentity',
      rule: 'design 5.2: the same name is another process’s, unless it is this very write',
      killedBy: 'src/election/observe.test.ts',
    },
    {
      name: 'times are compared by their seconds',
      find: 'a.renewTime === b.renewTime\n',
      replace: 'a.renewTime?.slice(0, 19) === b.renewTime?.slice(0, 19)\n',
      rule: 'design 5.5: changes are detected by full-precision times',
    },
    {
      name: 'a term keeps the number of the last one',
      find: 'Math.min(previous + 1, MOST_TRANSITIONS)',
      replace: 'Math.min(previous, MOST_TRANSITIONS)',
      rule: 'I4, I8: a term is never resumed, it gets a number of its own',
    },
    {
      name: 'transitions overflow',
      find: 'Math.min(previous + 1, MOST_TRANSITIONS)',
      replace: 'previous + 1',
      rule: 'leaseTransitions is an int32',
    },
    {
      name: 'a release bears duration 0',
      find: "return { holderIdentity: '', leaseDurationSeconds: 1,",
      replace: "return { holderIdentity: '', leaseDurationSeconds: 0,",
      rule: 'wire format: the API server refuses 0',
    },
  ]),
  ...mutantsOf('src/election/timing.ts', 'src/election/timing.test.ts', [
    {
      name: 'drift is left out of the bound',
      find: 'const least = (1 + clockDrift) * renew',
      replace: 'const least = renew',
      rule: 'design 5.3: leaseDuration ≥ (1 + drift) × renewDeadline',
    },
    {
      name: 'a deadline within one retry is accepted',
      find: 'if (renew <= retry * JITTER_FACTOR + ROUNDING_SECONDS) {',
      replace: 'if (renew <= retry) {',
      rule: 'design 5.3: renewDeadline > 1.2 × retryPeriod',
    },
    {
      name: 'only the first violation is told',
      find: 'return violations\n}\n\nfunction violatedRelations',
      replace: 'return violations.slice(0, 1)\n}\n\nfunction violatedRelations',
      rule: 'design 5.3: all violations at once',
    },
  ]),
  ...mutantsOf('src/election/micro-time.ts', 'src/election/micro-time.test.ts', [
    {
      name: 'times have three digits',
      find: 'pad(ofDay % 1e6, 6)',
      replace: 'pad(Math.floor((ofDay % 1e6) / 1000), 3)',
      rule: 'design 5.5: times are written with exactly 6 fractional digits',
    },
  ]),
  ...mutantsOf('src/election/version.ts', 'src/election/version.test.ts', [
    {
      name: 'versions are compared as text',
      find: 'version.length === than.length ? version > than : version.length > than.length',
      replace: 'version > than',
      rule: 'I7: versions are numbers: 99 is older than 100',
      killedBy: 'src/election/observe.test.ts',
    },
  ]),
  ...mutantsOf('src/election/joint-record.ts', 'src/election/joint-record.test.ts', [
    {
      name: 'of two locks the primary’s holder is believed',
      find: 'holderIdentity: UNKNOWN_HOLDER,\n',
      replace: '',
      rule: 'a lock that is two is held by either while they differ',
    },
    {
      name: 'of two locks the primary’s duration is believed',
      find: 'const leaseDurationSeconds = Math.max(primary.leaseDurationSeconds, secondary.leaseDurationSeconds)',
      replace: 'const { leaseDurationSeconds } = primary',
      rule: 'I9: a lock that is two is outwaited for the longer of both durations',
    },
  ]),
  ...mutantsOf('src/election/lease-candidate.ts', 'src/election/lease-candidate.test.ts', [
    {
      name: 'a ping is answered with the own clock',
      find: 'renewTime: isBehind ? pingTime : time',
      replace: 'renewTime: time',
      rule: 'coordinated election: an answer bears the later of both clocks',
    },
    {
      name: 'a candidate leaves pings unanswered',
      find: "if (isAsked) return { actions: [renewal], reason: 'answering a ping' }\n",
      replace: '',
      rule: 'coordinated election: each ping is answered',
    },
  ]),
]
