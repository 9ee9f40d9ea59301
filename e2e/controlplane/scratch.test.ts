import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { eventually } from './eventually.ts'
import { ended, openScratch } from './scratch.ts'

/** Opens a scratch directory with a process and its child in it, tells where they are, and goes on for ever. */
const OWNER = `
import { openScratch } from ${JSON.stringify(join(import.meta.dirname, 'scratch.ts'))}
const scratch = await openScratch()
const child = scratch.spawn('sh', ['-c', 'sleep 600 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] })
child.stdout.once('data', (pid) => console.log(JSON.stringify({ dir: scratch.dir, pids: [child.pid, Number(pid)] })))
process.on('SIGUSR2', () => { throw new Error('on purpose') })
`

describe('a scratch directory', () => {
  it('ends its processes and goes when it is closed', async () => {
    const scratch = await openScratch()
    const child = scratch.spawn('sh', ['-c', 'echo up; exec sleep 600'])
    const end = ended(child)
    await once(child.stdout!, 'data')
    await scratch.close()
    assert.deepEqual(await end, { code: null, signal: 'SIGKILL' })
    assert.equal(await exists(scratch.dir), false)
  })

  it('stays when it is to be kept, without what was needed to keep watch', async () => {
    const dir = join(tmpdir(), `leadergroup-kept-${process.pid}`)
    const scratch = await openScratch({ dir, keep: true })
    await writeFile(join(dir, 'data'), 'kept')
    await scratch.close()
    assert.equal(await readFile(join(dir, 'data'), 'utf8'), 'kept')
    assert.equal(await exists(join(dir, 'pids')), false)
    await rm(dir, { recursive: true })
  })

  it('has something done afterwards, when its processes have ended', async () => {
    await using place = await openScratch()
    const pidFile = join(place.dir, 'pid')
    const saw = join(place.dir, 'saw')
    const look = `kill -0 $(cat ${pidFile}) 2>/dev/null && echo alive >${saw} || echo gone >${saw}`
    const scratch = await openScratch({ afterwards: ['sh', '-c', look] })
    await writeFile(pidFile, String(scratch.spawn('sleep', ['600']).pid))
    await scratch.close()
    assert.equal(await readFile(saw, 'utf8'), 'gone\n')
  })

  it('is not one that is there already', async () => {
    await using scratch = await openScratch()
    await assert.rejects(openScratch({ dir: scratch.dir }), { code: 'EEXIST' })
  })

  it('starts nothing once its owner is gone', async () => {
    await using scratch = await openScratch()
    await writeFile(join(scratch.dir, 'closed'), '')
    assert.deepEqual(await ended(scratch.spawn('sleep', ['600'])), { code: 125, signal: null })
  })

  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`goes with its processes when its owner ends by ${signal}`, async () => {
      const owner = own()
      const left = await whereabouts(owner)
      const end = once(owner, 'exit')
      owner.kill(signal)
      assert.deepEqual(await end, [null, signal])
      await gone(left)
    })
  }

  it('goes with its processes when its owner ends by an exception', async () => {
    const owner = own()
    const left = await whereabouts(owner)
    const end = once(owner, 'exit')
    owner.kill('SIGUSR2')
    assert.deepEqual(await end, [1, null])
    await gone(left)
  })
})

interface Whereabouts {
  readonly dir: string
  readonly pids: readonly number[]
}

function own(): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '--eval', OWNER], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

async function whereabouts(owner: ChildProcess): Promise<Whereabouts> {
  const [line] = (await once(createInterface({ input: owner.stdout! }), 'line')) as [string]
  const left = JSON.parse(line) as Whereabouts
  assert.equal(await exists(left.dir), true)
  assert.deepEqual(await Promise.all(left.pids.map(runs)), [true, true])
  return left
}

async function gone({ dir, pids }: Whereabouts): Promise<void> {
  await eventually({ what: 'the end of what was left' }, async () => {
    const still = await Promise.all([exists(dir), ...pids.map(runs)])
    return still.includes(true) ? undefined : true
  })
}

/** A zombie, which only waits to be reaped by process 1, does not run any more. */
async function runs(pid: number): Promise<boolean> {
  const ps = spawn('ps', ['-o', 'stat=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] })
  let state = ''
  ps.stdout.on('data', (data) => (state += String(data)))
  await ended(ps)
  return state.trim() !== '' && !state.startsWith('Z')
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOENT')
    return false
  }
}
