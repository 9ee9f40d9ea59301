import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Kept } from './kept.ts'
import { nextSteps } from './status.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('what is said of a cluster that runs', () => {
  const kept = (installed: boolean): Kept => ({
    kubeconfig: '/run/0/admin.kubeconfig',
    kubectl: '/run/0/kubectl',
    server: 'https://198.18.0.1:6443',
    installed,
    containerd: [{ node: 'a', socket: '/run/0/a/containerd.sock' }],
  })

  it('begins with how to reach it and ends with how to end it', () => {
    const steps = nextSteps(kept(false))
    assert.equal(steps[0], 'export KUBECONFIG=/run/0/admin.kubeconfig')
    assert.equal(steps.at(-1), 'npm run cluster down')
    assert.doesNotMatch(steps.join('\n'), /leadergroup/)
  })

  it('leads to a first group where the operator is installed, by files that are there', () => {
    const text = nextSteps(kept(true)).join('\n')
    const files = [...text.matchAll(/ -f (\S+)/g)].map(([, file]) => file!).filter((file) => file.includes('/'))
    assert.deepEqual(files, ['config/samples/assign.yaml'])
    assert.ok(existsSync(join(ROOT, files[0]!)))
    assert.match(text, /create deployment db .*\n.*assign\.yaml\n.*get leadergroups/)
  })
})
