import assert from 'node:assert/strict'
import { Command, CommanderError } from 'commander'
import * as fc from 'fast-check'
import { runs } from '../sim/runs.ts'
import { parseBindAddress } from './bind-address.ts'
import { parseDuration } from './duration.ts'
import { parseElectFlags, parseSidecarFlags, type RawElectFlags, type RawSidecarFlags } from './elect/flags.ts'
import { withElectOptions, withSidecarOptions } from './elect/options.ts'
import { parseOperatorFlags, type RawFlags } from './flags.ts'
import { withOperatorFlags } from './operator-options.ts'
import { parseCleanupFlags, parseExplainFlags, type RawCleanupFlags, type RawExplainFlags } from './question-flags.ts'
import { withCleanupOptions, withExplainOptions } from './question-options.ts'
import { UsageError } from './usage-error.ts'

interface Spoken {
  readonly command: (root: Command) => Command
  readonly read: (command: Command) => unknown
}

const COMMANDS: Readonly<Record<string, Spoken>> = {
  operator: { command: withOperatorFlags, read: (command) => parseOperatorFlags(command.opts<RawFlags>()) },
  elect: { command: withElectOptions, read: (command) => parseElectFlags(command.args, command.opts<RawElectFlags>()) },
  sidecar: { command: withSidecarOptions, read: (command) => parseSidecarFlags(command.opts<RawSidecarFlags>()) },
  explain: {
    command: withExplainOptions,
    read: (command) => parseExplainFlags(command.args[0] ?? '', command.opts<RawExplainFlags>()),
  },
  cleanup: { command: withCleanupOptions, read: (command) => parseCleanupFlags(command.opts<RawCleanupFlags>()) },
}

const number = fc.oneof(fc.nat().map(String), fc.constantFrom('0', '00', '1.5', '.5', '1e9', '9'.repeat(400), '-1', ''))
const duration = fc
  .array(fc.tuple(number, fc.constantFrom('ms', 's', 'm', 'h', 'd', '')), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.flat().join(''))
const address = fc
  .tuple(
    fc.constantFrom('', '127.0.0.1', '[::1]', '::1', '[x]', 'localhost', 'a b'),
    fc.constantFrom(':', '', '::'),
    number,
  )
  .map((parts) => parts.join(''))
const value = fc.oneof(
  duration,
  address,
  fc.constantFrom('true', 'false', 'db', 'A_', 'json', '', 'a,b,', '__proto__'),
  fc.string(),
)

function optionsOf(name: string): readonly string[] {
  const command = COMMANDS[name]!.command(new Command(name))
  return command.options.flatMap(({ long, short }) => [long, short]).filter((flag) => typeof flag === 'string')
}

const line = fc.constantFrom(...Object.keys(COMMANDS)).chain((name) => {
  const flag = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...optionsOf(name)) },
    fc.constantFrom('--', '--nope', '-z'),
  )
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(flag, value).map((parts) => parts.join('=')) },
    { weight: 2, arbitrary: flag },
    { weight: 2, arbitrary: value },
  )
  return fc.record({ name: fc.constant(name), args: fc.array(word, { maxLength: 6 }) })
})

describe('command lines, whatever they are', () => {
  it('are flags, or a sentence about what is wrong', () => {
    let understood = 0
    fc.assert(
      fc.property(line, ({ name, args }) => {
        const { command, read } = COMMANDS[name]!
        const quiet = { writeOut: () => undefined, writeErr: () => undefined }
        const parsed = command(new Command(name)).exitOverride().configureOutput(quiet)
        try {
          const flags = read(parsed.parse(args, { from: 'user' }))
          understood++
          assertFinite(flags)
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error
          assert.ok(error instanceof UsageError || error instanceof CommanderError, String(error))
          assert.ok(error.message.length > 0)
          assert.doesNotMatch(error.message, /undefined|NaN|\[object/)
        }
      }),
      runs(1500),
    )
    assert.ok(understood > 0, 'no line was ever understood, so nothing was shown')
  })

  it('hold durations that are what their parts are, and nothing else', () => {
    const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
    const part = fc.tuple(fc.nat(9999), fc.constantFrom(...(Object.keys(UNITS) as (keyof typeof UNITS)[])))
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const millis = parts.reduce((sum, [amount, unit]) => sum + amount * UNITS[unit], 0)
        assert.equal(Math.round(parseDuration(parts.flat().join(''))! * 1000), millis)
      }),
      runs(500),
    )
    fc.assert(
      fc.property(fc.oneof(duration, fc.string()), (text) => {
        const seconds = parseDuration(text)
        assert.ok(seconds === undefined || (Number.isFinite(seconds) && seconds >= 0), `${text}: ${seconds}`)
      }),
      runs(1000),
    )
  })

  it('hold addresses that one can listen on, and nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(address, fc.string()), (text) => {
        const parsed = parseBindAddress(text)
        if (parsed === undefined || parsed === 'off') return
        assert.ok(Number.isInteger(parsed.port) && parsed.port >= 0 && parsed.port <= 65_535)
        assert.ok(parsed.host === undefined || parsed.host !== '')
      }),
      runs(1000),
    )
  })
})

/** No number of them may be one that a timer, or a comparison, makes nonsense of. */
function assertFinite(value: unknown): void {
  if (typeof value === 'number') assert.ok(Number.isFinite(value), String(value))
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) assertFinite(part)
}
