/** The hooks of a suite of mode Observe: one operator and one namespace for all its groups. */
import assert from 'node:assert/strict'
import { type Candidates, openCandidates } from './candidates/candidate.ts'
import { type Audit, openAudit } from './operator-audit.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import { type Scene, openScene } from './operator-scene.ts'

export interface ObserveSuite {
  readonly operator: OperatorProcess
  readonly audit: Audit
  readonly scene: Scene
  readonly candidates: Candidates
}

/** Call it in a `describe`; what it returns is there from the first hook or test after it on. */
export function observeSuite(...operatorArgs: readonly string[]): ObserveSuite {
  const suite = {} as { -readonly [Part in keyof ObserveSuite]: ObserveSuite[Part] }
  before(async () => {
    suite.audit = await openAudit()
    suite.operator = await startOperator({ args: operatorArgs })
    suite.scene = await openScene('observe')
    suite.candidates = await openCandidates(suite.scene.namespace)
  })
  after(async () => {
    await suite.candidates?.[Symbol.asyncDispose]()
    await suite.scene?.[Symbol.asyncDispose]()
    try {
      assert.equal(await suite.operator?.stop(), 0)
    } finally {
      await suite.operator?.end()
    }
  })
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.error(await suite.operator.logTail())
  })
  return suite
}

/** Call it last in the suite, as `behavedWell` of the other suites. */
export function observedWell(suite: ObserveSuite, { writes }: { readonly writes: number }): void {
  describe('in all of that', () => {
    it('wrote to no Lease but to empty it, nothing else that the design forbids, and complained of nothing', async () => {
      const count = await suite.audit.check()
      assert.ok(count >= writes, `${count} writes are in the audit log, of ${writes} at least`)
      const { namespace } = suite.scene
      const complaints = (await suite.operator.log()).filter(({ level, msg, group = namespace }) => {
        // How its own election goes, with a Lease that is shorter than usual and on a busy machine, is not asked here.
        if (msg.startsWith('the election among')) return false
        return (level === 'error' || level === 'warn') && group.startsWith(namespace)
      })
      assert.deepEqual(complaints, [])
    })
  })
}
