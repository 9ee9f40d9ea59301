import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Answer } from '../src/cmd/elect/answer.ts'
import { eventually } from './controlplane/eventually.ts'
import { sharedCluster } from './controlplane/shared.ts'
import { freePorts } from './controlplane/ports.ts'
import { type Scratch, openScratch } from './controlplane/scratch.ts'
import { type Contender, openContest, type Contest } from './contenders.ts'

/** 2.5 s from the last renewal to the deadline, 5 s until a command is killed. */
const TIMING = ['--lease-duration=6s', '--renew-deadline=2500ms', '--retry-period=500ms']
/** Says that it runs and whether it was asked to end, and ends then. */
const POLITE = [
  'sh',
  '-c',
  'echo "runs $LEADERGROUP_TERM $LEADERGROUP_IDENTITY $$"; trap "echo told; exit 7" TERM INT; while :; do sleep 0.1; done',
]
/** Does not end when it is asked to. */
const STUBBORN = [
  'sh',
  '-c',
  'echo "runs $LEADERGROUP_TERM $LEADERGROUP_IDENTITY $$"; trap "echo told" TERM INT; while :; do sleep 0.1; done',
]

describe('leadergroup elect, on a real API server', function () {
  this.timeout(120_000)
  let contest: Contest
  let scratch: Scratch
  beforeEach(async () => {
    scratch = await openScratch()
    contest = await openContest(scratch)
  })
  // Every command is in a session of its own, out of the scratch's reach: that each ends with its elector is tested here.
  afterEach(() => scratch.close())

  const elect = (id: string, command: readonly string[], ...flags: readonly string[]): Contender =>
    contest.start('elect', [...TIMING, `--id=${id}`, ...flags, '--', ...command])

  it('runs the command while it leads, with term and identity, and passes SIGTERM and the exit code on', async () => {
    const a = elect('a', POLITE)
    const pid = await a.runs()
    assert.match(a.stdout, /^runs 0 a \d+\n$/)
    const b = elect('b', POLITE)
    await b.logs(/new leader elected leader=a/)
    a.signal('SIGTERM')
    assert.deepEqual(await a.end(), { code: 7, signal: null })
    assert.match(a.stdout, /told\n$/)
    assert.equal(isAlive(pid), false)
    await b.runs()
    assert.match(b.stdout, /^runs 1 b /)
    b.signal('SIGINT')
    assert.deepEqual(await b.end(), { code: 7, signal: null })
    assert.equal((await contest.lease()).holderIdentity, '')
  })

  const ends: readonly [string, number][] = [
    ['exit 3', 3],
    ['exit 0', 0],
    ['kill -9 $$', 137],
  ]
  for (const [script, code] of ends) {
    it(`passes on how the command has ended by itself (${script}), and releases`, async () => {
      const a = elect('a', ['sh', '-c', script])
      assert.deepEqual(await a.end(), { code, signal: null })
      assert.equal((await contest.lease()).holderIdentity, '')
    })
  }

  it('says when the command does not exist', async () => {
    const a = elect('a', ['/nonexistent/command'])
    assert.deepEqual(await a.end(), { code: 127, signal: null })
    assert.match(a.stderr, /the command was not run .*ENOENT/)
  })

  it('kills what the command leaves behind', async () => {
    const a = elect('a', ['sh', '-c', 'sleep 100 & echo "runs 0 a $!"'])
    const pid = await a.runs()
    assert.deepEqual(await a.end(), { code: 0, signal: null })
    await gone(pid)
  })

  it('is replaced when it is killed, and its command is killed with it', async () => {
    const a = elect('a', STUBBORN)
    const pid = await a.runs()
    const b = elect('b', POLITE)
    await b.logs(/new leader elected leader=a/)
    a.signal('SIGKILL')
    await gone(pid)
    assert.doesNotMatch(a.stdout, /told/)
    await b.runs()
    b.signal('SIGTERM')
    await b.end()
  })

  it('ends at once on the second signal, and its command with it', async () => {
    const a = elect('a', STUBBORN)
    const pid = await a.runs()
    a.signal('SIGINT')
    await eventually({ what: 'a command that was told' }, () => Promise.resolve(/told/.test(a.stdout) || undefined))
    assert.equal(isAlive(pid), true)
    a.signal('SIGINT')
    assert.deepEqual(await a.end(), { code: 130, signal: null })
    await gone(pid)
  })

  it('kills its command when its guard is killed', async () => {
    const a = elect('a', STUBBORN)
    const pid = await a.runs()
    process.kill(await guardOf(a, pid), 'SIGKILL')
    assert.deepEqual(await a.end(), { code: 137, signal: null })
    assert.match(a.stderr, /its guard has died/)
    await gone(pid)
  })

  it('does not let a command run on while it is stopped: it is told at the deadline, and killed before another leads', async () => {
    const a = elect('a', STUBBORN)
    const pid = await a.runs()
    // It notes whether the other's command lives at the moment when it is started.
    const b = elect('b', ['sh', '-c', `kill -0 ${pid} && echo both; echo "runs 1 b $$"; sleep 100`])
    await b.logs(/new leader elected leader=a/)
    a.signal('SIGSTOP')
    await b.runs()
    assert.doesNotMatch(b.stdout, /both/)
    assert.match(a.stdout, /told\n/)
    await gone(pid)
    a.signal('SIGCONT')
    await a.logs(/the term has ended .*why=/)
    b.signal('SIGTERM')
    await b.end()
    await a.runs(2)
    a.signal('SIGTERM')
    assert.deepEqual(await a.end(), { code: 137, signal: null })
  })

  it('kills its command itself when the guard is stopped', async () => {
    const a = elect('a', POLITE)
    const pid = await a.runs()
    process.kill(await guardOf(a, pid), 'SIGSTOP')
    await contest.take('somebody')
    await a.logs(/the term has ended term=0 why=taken/)
    assert.doesNotMatch(a.stdout, /told/)
    await gone(pid)
    await a.runs(2)
    a.signal('SIGTERM')
    assert.deepEqual(await a.end(), { code: 7, signal: null })
  })

  it('tells its command at the renew deadline when it is cut off, and another leads', async () => {
    const line = await contest.openLine()
    const a = contest.start('elect', [...TIMING, '--id=a', '--', ...POLITE], line.kubeconfig)
    await a.runs()
    const b = elect('b', POLITE)
    await b.logs(/new leader elected leader=a/)
    line.cut()
    await a.logs(/the term has ended term=0 why=deadline/)
    assert.match(a.stdout, /told\n/)
    await b.runs()
    a.signal('SIGTERM')
    assert.deepEqual(await a.end(), { code: 0, signal: null })
    b.signal('SIGTERM')
    await b.end()
  })

  it('tells its command when the Lease is taken, and runs it again in a new term', async () => {
    const a = elect('a', POLITE)
    await a.runs()
    await contest.take('somebody')
    await a.logs(/the term has ended term=0 why=taken/)
    assert.match(a.stdout, /told\n/)
    await a.runs(2)
    a.signal('SIGTERM')
    await a.end()
  })

  it('exits on loss if told so', async () => {
    const a = elect('a', POLITE, '--on-lost=exit')
    await a.runs()
    await contest.take('somebody')
    assert.deepEqual(await a.end(), { code: 1, signal: null })
    assert.match(a.stdout, /told\n/)
  })

  it('lets another lead after its term limit', async () => {
    const a = elect('a', POLITE, '--term-limit=2s')
    await a.runs()
    const b = elect('b', POLITE)
    await a.logs(/the term has ended term=0 why=limit/)
    await b.runs()
    for (const each of [a, b]) {
      each.signal('SIGTERM')
      await each.end()
    }
  })

  it("only logs without a command, under the flags of client-go's example", async () => {
    const names = [`--lease-lock-name=${contest.key.name}`, `--lease-lock-namespace=${contest.key.namespace}`]
    const start = (id: string) => contest.start('elect', [...TIMING, ...names, `--id=${id}`])
    const a = start('a')
    await a.logs(/leading term=0/)
    const b = start('b')
    await b.logs(/new leader elected leader=a/)
    a.signal('SIGKILL')
    await b.logs(/leading term=1/)
    b.signal('SIGTERM')
    assert.deepEqual(await b.end(), { code: 0, signal: null })
  })
})

describe('leadergroup sidecar, on a real API server', function () {
  this.timeout(120_000)
  let contest: Contest
  let scratch: Scratch
  beforeEach(async () => {
    scratch = await openScratch()
    contest = await openContest(scratch)
  })
  afterEach(() => scratch.close())

  const ask = async (port: number): Promise<Answer> =>
    (await (await fetch(`http://127.0.0.1:${port}/leader`)).json()) as Answer
  const status = async (port: number, path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).status

  it('says who leads, while it leads and after it', async () => {
    const [portA, portB] = (await freePorts(2)) as [number, number]
    const file = join(scratch.dir, 'leader')
    const log = join(scratch.dir, 'hooks')
    // As a process that was killed has left it.
    await writeFile(file, '2020-01-01T00:00:00.000Z')
    const hooks = [
      '--on-start',
      `echo start $LEADERGROUP_TERM >>${log}`,
      '--on-stop',
      `echo stop $LEADERGROUP_TERM >>${log}`,
    ]
    const a = contest.start('sidecar', [
      ...TIMING,
      '--id=a',
      `--bind-address=127.0.0.1:${portA}`,
      `--file=${file}`,
      ...hooks,
    ])
    await a.logs(/on-start is done/)
    const b = contest.start('sidecar', [...TIMING, '--id=b', `--bind-address=127.0.0.1:${portB}`])
    await b.logs(/new leader elected leader=a/)
    const { deadline, ...rest } = await ask(portA)
    assert.deepEqual(rest, { leader: 'a', me: 'a', isLeader: true, term: 0 })
    assert.ok(Date.parse(deadline!) > Date.now())
    assert.deepEqual(await ask(portB), { leader: 'a', me: 'b', isLeader: false, term: 0, deadline: null })
    assert.deepEqual(
      await Promise.all([status(portA, '/readyz?leader'), status(portB, '/readyz?leader'), status(portB, '/readyz')]),
      [200, 503, 200],
    )
    const before = await readFile(file, 'utf8')
    assert.ok(Date.parse(before) > Date.now())
    await eventually({ what: 'a later deadline in the file' }, async () =>
      (await readFile(file, 'utf8')) > before ? true : undefined,
    )
    const events = eventsOf(portB)
    await eventually({ what: 'the first event' }, () => Promise.resolve(events.seen[0]))
    a.signal('SIGTERM')
    assert.deepEqual(await a.end(), { code: 0, signal: null })
    assert.equal(existsSync(file), false)
    assert.equal(await readFile(log, 'utf8'), 'start 0\nstop 0\n')
    await eventually({ what: 'the event of the new leader' }, () =>
      Promise.resolve(events.seen.find(({ isLeader }) => isLeader)),
    )
    assert.deepEqual([events.seen[0]!.leader, events.seen.at(-1)!.leader], ['a', 'b'])
    b.signal('SIGTERM')
    assert.deepEqual(await b.end(), { code: 0, signal: null })
    await events.ended
  })

  it('is deployed as docs/elect.md says', async () => {
    const docs = await readFile(join(import.meta.dirname, '..', 'docs', 'elect.md'), 'utf8')
    const [, manifest] = /```yaml\n([^]*?)```/.exec(docs)!
    const { plane } = await sharedCluster()
    const said = await plane.apply(manifest!, '--dry-run=server', '--validate=strict', `-n=${contest.key.namespace}`)
    assert.equal(said.trim(), 'deployment.apps/db created (server dry run)')
  })

  it('ends a start command with the term, and bounds a stop command by it', async () => {
    const script = 'echo runs; trap "echo told; exit 0" TERM; while :; do sleep 0.1; done'
    const hooks = ['--on-start', script, '--on-stop', 'echo stops; sleep 100']
    const a = contest.start('sidecar', [...TIMING, '--id=a', '--bind-address=0', ...hooks])
    await a.logs(/leading term=0/)
    await eventually({ what: 'the start command' }, () => Promise.resolve(a.stdout === 'runs\n' || undefined))
    a.signal('SIGTERM')
    assert.deepEqual(await a.end(), { code: 0, signal: null })
    assert.equal(a.stdout, 'runs\ntold\nstops\n')
    assert.match(a.stderr, /--on-start was ended with its term exitCode=0\n[^]*--on-stop was out of time\n/)
  })

  it('says that it does not lead as soon as it is asked after a stop beyond its deadline', async () => {
    const [port] = (await freePorts(1)) as [number]
    const file = join(scratch.dir, 'leader')
    const a = contest.start('sidecar', [...TIMING, '--id=a', `--bind-address=127.0.0.1:${port}`, `--file=${file}`])
    await a.logs(/leading term=0/)
    await eventually({ what: 'the file' }, () => Promise.resolve(existsSync(file) || undefined))
    a.signal('SIGSTOP')
    const deadline = Date.parse(await readFile(file, 'utf8'))
    const b = contest.start('elect', [...TIMING, '--id=b'])
    await b.logs(/leading term=1/)
    // The file says it by itself, for nobody could remove it.
    assert.ok(Date.now() > deadline)
    const asked = ask(port)
    a.signal('SIGCONT')
    const { isLeader, leader } = await asked
    assert.equal(isLeader, false)
    assert.notEqual(leader, 'a')
    await eventually({ what: 'the file is gone' }, () => Promise.resolve(existsSync(file) ? undefined : true))
    for (const each of [a, b]) {
      each.signal('SIGTERM')
      await each.end()
    }
  })
})

interface Events {
  readonly seen: Answer[]
  readonly ended: Promise<void>
}

function eventsOf(port: number): Events {
  const seen: Answer[] = []
  const read = async (): Promise<void> => {
    const { body } = await fetch(`http://127.0.0.1:${port}/events`)
    let text = ''
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const parts = text.split('\n\n')
      text = parts.pop()!
      for (const part of parts) seen.push(JSON.parse(part.split('data: ')[1]!) as Answer)
    }
  }
  return { seen, ended: read() }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A killed process whose parent is gone may be a zombie for as long as nobody reaps it: it runs no more. */
async function gone(pid: number): Promise<void> {
  await eventually({ what: `the end of process ${pid}` }, async () =>
    !isAlive(pid) || (await stateOf(pid)) === 'Z' ? true : undefined,
  )
}

async function stat(pid: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z 0')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

const stateOf = async (pid: number): Promise<string> => (await stat(pid))[0]!
/** Once the elector knows of the command: what it does not know of, it cannot end. */
async function guardOf(elector: Contender, pid: number): Promise<number> {
  await elector.logs(new RegExp(`the command has started pid=${pid}`))
  return parentOf(pid)
}

const parentOf = async (pid: number): Promise<number> => Number((await stat(pid))[1])
