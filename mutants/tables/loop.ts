import { mutantsOf, type Mutant } from '../mutant.ts'

/** Mistakes in the one place that waits and retries, `src/loop.ts`, and in its clock. */
export const LOOP: readonly Mutant[] = [
  ...mutantsOf('src/loop.ts', 'src/loop.test.ts', [
    {
      name: 'a wake cuts the back-off short',
      find: "if (entry.state !== 'idle') return\n",
      replace: "if (entry.state === 'queued' || entry.state === 'running') return\n",
      rule: 'I14: a busy watch must not turn an outage into a flood',
    },
    {
      name: 'a key runs beside itself',
      find: "if (entry.state !== 'idle') return\n",
      replace: "if (entry.state === 'backoff') return\n",
      rule: 'design 6: serial per key',
    },
    {
      name: 'failures are retried at once',
      find: 'return jittered(FAILED_BACKOFF, failures, random)',
      replace: 'return jittered(FAILED_BACKOFF, failures, random) * 0',
      rule: 'I14: exponential back-off',
    },
    {
      name: 'the back-off does not grow',
      find: 'Math.min(firstMillis * 2 ** (attempt - 1), longestMillis)',
      replace: 'Math.min(firstMillis, longestMillis)',
      rule: 'I14: exponential back-off',
    },
    {
      name: 'keys that failed together come back together',
      find: '(0.5 + random() / 2)',
      replace: '(0.5 + random() * 0)',
      rule: 'I14: jitter',
    },
    {
      name: 'conflicts are retried for ever at once',
      find: 'else if (entry.stale++ > 0) return this.#pause',
      replace: 'else if (entry.stale++ > Infinity) return this.#pause',
      rule: 'F12: bounded retries in a storm of conflicts',
    },
    {
      name: 'a step that succeeds hurries the retries',
      find: "if (acted.kind === 'done') entry.stale = 0",
      replace: "if (acted.kind === 'done') entry.stale = entry.failures = 0",
      rule: 'I14: failures since the key was last at rest',
    },
    {
      name: 'who may not act acts',
      find: 'if (decision.actions.length === 0 || !this.#brain.mayAct()) return',
      replace: 'if (decision.actions.length === 0) return',
      rule: 'design 6: only the elected one acts',
    },
    {
      name: 'the time of the next look is forgotten',
      find: 'if (decision.wakeAt !== undefined) this.#wakeAt(key, entry, decision.wakeAt)\n',
      replace: 'if (decision.wakeAt !== undefined) entry.stale = 0\n',
      rule: 'I11: what changes by time alone is woken by time',
    },
    {
      name: 'chores starve',
      find: 'if (this.#clock.now() - since < CHORES_WAIT_MILLIS || ++this.#turns < CHORES_TURN) return undefined',
      replace: 'if (since < Infinity) return undefined',
      rule: 'L4: no group starves',
    },
    {
      name: 'chores come before what is urgent elsewhere',
      find: 'if (decision.urgent === 0 && !late && this.#queue.length > 0) return this.#putLater(key, entry)\n',
      replace: '',
      rule: 'decisions: what is urgent for any group comes before the chores of all',
    },
    {
      name: 'what the server asks for is cut short by the loop',
      find: 'const millis = Math.max(retryAfterMillis, failedBackoffMillis(entry.failures, this.#random))',
      replace: 'const millis = Math.min(retryAfterMillis, failedBackoffMillis(entry.failures, this.#random))',
      rule: 'F13: 429 says when to come back',
    },
    {
      name: 'a decision that contradicts itself spins',
      find: 'for (let pass = 0; pass < MAX_PASSES; pass++) {',
      replace: 'for (let pass = 0; pass < MAX_PASSES * 100; pass++) {',
      rule: 'L1: no livelock: it is reported instead',
    },
    {
      name: 'a loop that was stopped goes on',
      find: '      if (this.#stopped) return\n      if (acted',
      replace: '      if (acted',
      rule: 'design 6: when it is stopped it starts nothing more',
    },
    {
      name: 'as many keys act as there are',
      find: 'while (this.#running < this.#concurrency) {',
      replace: 'while (this.#running < Infinity) {',
      rule: 'I13: a flood of groups is worked off with bounded concurrency',
    },
  ]),
  ...mutantsOf('src/clock.ts', 'src/clock.test.ts', [
    {
      name: 'a long timer fires at once',
      find: 'return Math.min(Math.max(Math.ceil(millis), 0), LONGEST_TIMEOUT_MILLIS)',
      replace: 'return Math.max(Math.ceil(millis), 0)',
      rule: 'design 4.2: setTimeout beyond 2^31−1 ms fires at once',
    },
  ]),
]
