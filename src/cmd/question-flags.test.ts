import assert from 'node:assert/strict'
import { Command } from 'commander'
import { parseCleanupFlags, parseExplainFlags, type RawCleanupFlags, type RawExplainFlags } from './question-flags.ts'
import { withCleanupOptions, withExplainOptions } from './question-options.ts'

const NOWHERE = { kubeconfig: undefined, context: undefined }

function explainFlags(line: string): ReturnType<typeof parseExplainFlags> {
  const command = withExplainOptions(new Command()).parse(line.split(' '), { from: 'user' })
  return parseExplainFlags(command.args[0]!, command.opts<RawExplainFlags>())
}

function cleanupFlags(line: string): ReturnType<typeof parseCleanupFlags> {
  const command = withCleanupOptions(new Command()).parse(line.split(' ').filter(Boolean), { from: 'user' })
  return parseCleanupFlags(command.opts<RawCleanupFlags>())
}

describe('flags of the questions', () => {
  it('explain', () => {
    assert.deepEqual(explainFlags('db'), { cluster: NOWHERE, name: 'db', namespace: undefined, output: 'text' })
    assert.deepEqual(explainFlags('db -n shop -o json --kubeconfig f --context c'), {
      cluster: { kubeconfig: 'f', context: 'c' },
      name: 'db',
      namespace: 'shop',
      output: 'json',
    })
  })

  for (const name of ['lg/db', 'leadergroup/db', 'leadergroups/db', 'leadergroup.leadergroup.io/db']) {
    it(`explain takes ${name}, as kubectl prints it`, () => assert.equal(explainFlags(name).name, 'db'))
  }

  it('explain says all that is wrong', () => {
    assert.throws(() => explainFlags('D_b -n A_ -o xml'), {
      name: 'UsageError',
      message:
        '--namespace "A_": this is no name of a namespace; --output "xml": write one of text, json, yaml; ' +
        '"D_b": this is no name of a LeaderGroup',
    })
  })

  it('cleanup', () => {
    const scope = { all: false, namespace: undefined }
    assert.deepEqual(cleanupFlags(''), { cluster: NOWHERE, scope, dryRun: false, yes: false })
    assert.deepEqual(cleanupFlags('-A --dry-run'), { cluster: NOWHERE, scope: { all: true }, dryRun: true, yes: false })
    assert.deepEqual(cleanupFlags('-n shop -y').scope, { all: false, namespace: 'shop' })
    assert.equal(cleanupFlags('--yes').yes, true)
  })

  it('cleanup refuses two scopes', () => {
    assert.throws(() => cleanupFlags('-A -n shop'), { message: '--namespace and --all-namespaces: give one of them' })
    assert.throws(() => cleanupFlags('-n A_'), { message: '--namespace "A_": this is no name of a namespace' })
  })
})
