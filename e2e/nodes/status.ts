import { keptSites } from './kept.ts'
import { run } from './run.ts'
import { sites } from './sites.ts'

export async function status(say: (line: string) => void): Promise<void> {
  const kept = await keptSites()
  for (const { number, alive } of kept) {
    if (alive) await describeCluster(number, say)
    else say(`Cluster ${number}: its process is gone. \`npm run cluster down\` clears up.`)
  }
  const others = (await sites()).filter(({ number }) => kept.every((each) => each.number !== number))
  for (const { number, alive, pid } of others) {
    say(alive ? `Cluster ${number}: of a test that runs (process ${pid})` : `Cluster ${number}: left by a crash`)
  }
  if (kept.length + others.length === 0) say('Nothing runs. `npm run cluster up` starts it.')
}

export async function describeCluster(number: number, say: (line: string) => void): Promise<void> {
  const found = (await keptSites()).find((each) => each.number === number)
  if (!found) throw new Error(`cluster ${number} is gone`)
  const { kubectl, kubeconfig, containerd } = found.kept
  say((await run(kubectl, ['get', 'nodes', '-o', 'wide'])).trimEnd())
  say('')
  say(`  export KUBECONFIG=${kubeconfig}`)
  say(`  kubectl get pods -A            or, without kubectl: ${kubectl} get pods -A`)
  say(`  ctr -n k8s.io -a ${containerd[0]!.socket} images import FILE     on each node`)
}
