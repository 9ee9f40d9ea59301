/** The hooks of a suite: one operator for all its tests, and a scene for each. */
import assert from 'node:assert/strict'
import { sharedCluster } from './controlplane/shared.ts'
import { type Audit, openAudit } from './operator-audit.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import { type Scene, openScene } from './operator-scene.ts'
import { type Tap, openTap } from './tap.ts'

/** How the names of their namespaces begin. */
const SCENES = 'operator-'

export interface Suite {
  readonly operator: OperatorProcess
  readonly scene: Scene
  readonly audit: Audit
}

/** All that the operator asks for goes through the tap. */
export interface TappedSuite extends Suite {
  readonly tap: Tap
}

/** Call it in a `describe`; what it returns is there from the first `beforeEach` on. */
export function operatorSuite(): Suite {
  return hooksOf({} as Suite, () => startOperator())
}

export function tappedSuite(): TappedSuite {
  const suite = {} as { -readonly [Part in keyof TappedSuite]: TappedSuite[Part] }
  hooksOf(suite, async () => {
    suite.tap = await openTap(await sharedCluster())
    return startOperator({ kubeconfig: await suite.tap.kubeconfig() })
  })
  after(() => suite.tap[Symbol.asyncDispose]())
  afterEach(() => void (suite.tap.onWrite = () => Promise.resolve()))
  return suite
}

function hooksOf(
  suite: { -readonly [Part in keyof Suite]: Suite[Part] },
  start: () => Promise<OperatorProcess>,
): Suite {
  before(async () => {
    suite.audit = await openAudit()
    suite.operator = await start()
  })
  after(async () => {
    // Gracefully: else the next suite's operator would wait for the end of this one's Lease.
    try {
      assert.equal(await suite.operator.stop(), 0)
    } finally {
      await suite.operator.end()
    }
  })
  beforeEach(async () => {
    suite.scene = await openScene(SCENES.slice(0, -1))
  })
  afterEach(async function () {
    await suite.scene[Symbol.asyncDispose]()
    if (this.currentTest?.state === 'failed') console.error(await suite.operator.logTail())
  })
  return suite
}

/**
 * Call it last in the suite. In a `describe` of its own, for mocha runs the tests of a suite before nested suites.
 * `deserved`: what the operator has to complain of, since a test brought it about.
 */
export function behavedWell(
  suite: Suite,
  { writes, deserved }: { readonly writes: number; readonly deserved?: RegExp },
): void {
  describe('in all of that', () => {
    it('wrote only what the design allows, with an RBAC that is enough, and complained of nothing', async () => {
      const count = await suite.audit.check()
      assert.ok(count >= writes, `${count} writes are in the audit log, of ${writes} at least`)
      const complaints = (await suite.operator.log()).filter(({ level, error, group = SCENES }) => {
        if (deserved && error !== undefined && deserved.test(JSON.stringify(error))) return false
        // It serves the groups of other suites as well, and some of those are in namespaces that are being deleted.
        return (level === 'error' || level === 'warn') && group.startsWith(SCENES)
      })
      assert.deepEqual(complaints, [])
    })
  })
}
