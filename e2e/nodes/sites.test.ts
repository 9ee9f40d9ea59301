/** A cluster that crashes in any state leaves nothing on the machine. Needs root, and nothing that takes long. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { eventually } from '../controlplane/eventually.ts'
import { makeGroup, processesOf } from './cgroup.ts'
import { run } from './run.ts'
import { siteOf } from './site.ts'
import { sites, sweepAbandoned } from './sites.ts'

const here = (name: string): string => JSON.stringify(join(import.meta.dirname, name))

/** Makes what a cluster makes outside of its directory, says which one it is, and goes on for ever. */
const OWNER = `
import { claimSite } from ${here('sites.ts')}
import { makeNetwork } from ${here('network.ts')}
import { joinGroup, makeGroup } from ${here('cgroup.ts')}
const { site, scratch } = await claimSite()
await makeNetwork(site)
await makeGroup(site.nodes[0].cgroup + '/daemons')
// Its child leaves the process group, as a container does.
const daemon = (await joinGroup(site.nodes[0].cgroup + '/daemons')) + '; setsid sleep 600 & sleep 600'
scratch.spawn('sh', ['-c', daemon], { stdio: 'ignore' })
console.log(site.number)
setInterval(() => {}, 60_000)
`

describe('a cluster whose process is killed', () => {
  it('is swept by its guard', async () => {
    const owner = await own()
    owner.child.kill('SIGKILL')
    await nothingLeft(owner.number)
  })

  it('is swept by the next one when its guard was killed as well', async () => {
    const { child, number } = await own()
    const { dir } = siteOf(number)
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    for (const pid of await pidsOf(`guard ${dir} `)) process.kill(pid, 'SIGKILL')
    await exited
    await sweepAbandoned()
    await nothingLeft(number)
  })

  it('does not take a living one along', async () => {
    const living = await own()
    try {
      await sweepAbandoned()
      assert.ok((await sites()).some(({ number, alive }) => number === living.number && alive))
      assert.ok((await processesOf(siteOf(living.number).cgroup)).length > 0)
    } finally {
      living.child.kill('SIGTERM')
    }
    await nothingLeft(living.number)
  })

  it('has groups of processes that can be made again', async () => {
    const group = `leadergroup-test-${process.pid}/inner`
    await makeGroup(group)
    await makeGroup(group)
    assert.deepEqual(await processesOf(group), [])
    await run('sh', [
      '-c',
      `rmdir /sys/fs/cgroup/${group} /sys/fs/cgroup/*/${group} 2>/dev/null; cd /sys/fs/cgroup; rmdir */$(dirname ${group}) $(dirname ${group}) 2>/dev/null; true`,
    ])
  })
})

async function own(): Promise<{ readonly child: ReturnType<typeof spawn>; readonly number: number }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', OWNER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const number = Number(line)
  await eventually({ what: 'its processes', millis: 30_000 }, async () => {
    return (await processesOf(siteOf(number).cgroup)).length >= 2 ? true : undefined
  })
  return { child, number }
}

async function nothingLeft(number: number): Promise<void> {
  const { dir, cgroup, hostLink } = siteOf(number)
  await eventually({ what: `nothing left of cluster ${number}`, millis: 60_000 }, async () => {
    const namespaces = await run('ip', ['netns', 'list'])
    const groups = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name))]
    const left = [
      existsSync(dir),
      existsSync(`/sys/class/net/${hostLink}`),
      namespaces.includes(`${cgroup}-`),
      groups.some((top) => existsSync(join(top, cgroup))),
      (await pidsOf(`${dir}/`)).length > 0,
    ]
    return left.includes(true) ? undefined : true
  })
}

/** Of processes with these words in their command line, this one aside. */
async function pidsOf(words: string): Promise<readonly number[]> {
  const lines = (await run('ps', ['-eo', 'pid=,args='])).split('\n')
  return lines.filter((line) => line.includes(words)).map((line) => Number(line.trim().split(' ')[0]))
}
