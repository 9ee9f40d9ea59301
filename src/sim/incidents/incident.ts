import { strict as assert } from 'node:assert'
import type { Rule } from '../invariants/violation.ts'
import { assertGolden } from './golden.ts'
import { Scene } from './scene.ts'

export interface Incident {
  /** Names the golden file. */
  readonly name: string
  /** What happened, in a sentence. */
  readonly what: string
  /** The rule that was missing, or was another one. */
  readonly asItWas: string
  /** What of the invariants breaks without it. */
  readonly breaks: Rule | RegExp
  /** The same events for both. With the rule that was missing, or with ours. */
  readonly play: (scene: Scene, isOurs: boolean) => Promise<void>
  /** For what no invariant of histories can see: says what is wrong in the end. */
  readonly judge?: (scene: Scene) => string | undefined
}

interface Played {
  readonly lines: readonly string[]
  readonly objections: readonly string[]
}

/** Plays an incident with the rule that was broken, which must be seen, and with ours, to which nothing is objected. */
export function incident(given: Incident): void {
  describe(`incident: ${given.what}`, () => {
    let before: Played
    let after: Played

    it(`breaks ${String(given.breaks)} where ${given.asItWas}`, async () => {
      before = await play(given, false)
      const isSeen = before.objections.some((each) =>
        given.breaks instanceof RegExp ? given.breaks.test(each) : each.startsWith(given.breaks),
      )
      assert.ok(
        isSeen,
        `only this was objected to: ${before.objections.join('; ') || 'nothing'}\n${before.lines.join('\n')}`,
      )
    })

    it('holds with our rule', async () => {
      after = await play(given, true)
      assert.deepEqual(after.objections, [], after.lines.join('\n'))
    })

    it('is the story that is told', () => {
      const story = [`Where ${given.asItWas}`, '', ...before.lines, '', 'With our rule', '', ...after.lines, '']
      assertGolden(new URL(`${given.name}.golden.txt`, import.meta.url), story.join('\n'))
    })
  })
}

async function play({ play: enact, judge, breaks }: Incident, isOurs: boolean): Promise<Played> {
  const scene = new Scene(/^\/?(I\d+)/.exec(String(breaks))?.[1])
  await enact(scene, isOurs)
  scene.look()
  const objections = scene.judge.violations.map(({ rule, text }) => `${rule}: ${text}`)
  const last = judge?.(scene)
  if (last !== undefined) {
    scene.say('judge', last)
    objections.push(last)
  }
  return { lines: scene.lines, objections }
}
