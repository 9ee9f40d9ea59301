import { describeDeletes } from './contract/deletes.ts'
import { describeLists } from './contract/lists.ts'
import { describeJsonPatches } from './contract/json-patches.ts'
import { describeReplaces } from './contract/replaces.ts'
import { describeStatus } from './contract/status.ts'
import { Subject, type ContractSetting } from './contract/subject.ts'
import { describeWatches } from './contract/watches.ts'
import { describeWrites } from './contract/writes.ts'

export type { ContractSetting }

/**
 * What this program takes for granted about the Kubernetes API, as a suite that both the in-memory server and a real
 * one must pass: if the simulator is wrong about a rule, what runs in it proves nothing.
 */
export function describeApiContract(name: string, setUp: () => Promise<ContractSetting>): void {
  describe(`API contract: ${name}`, () => {
    let subject: Subject | undefined
    const get = (): Subject => {
      if (subject === undefined) throw new Error('the server under test is not set up yet')
      return subject
    }
    before(async () => {
      subject = new Subject(await setUp())
    })
    after(() => subject?.setting.tearDown())

    describeWrites(get)
    describeReplaces(get)
    describeJsonPatches(get)
    describeStatus(get)
    describeDeletes(get)
    describeLists(get)
    describeWatches(get)
  })
}
