import { type Kept, keptSites } from './kept.ts'
import { PAUSE_IMAGE } from './pause.ts'
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
  say((await run(found.kept.kubectl, ['get', 'nodes', '-o', 'wide'])).trimEnd())
  say('')
  for (const line of nextSteps(found.kept)) say(`  ${line}`)
}

/** What a person may want to type, in this order. */
export function nextSteps({ kubectl, kubeconfig, installed, containerd }: Kept): readonly string[] {
  const group = [
    `kubectl create deployment db --image=${PAUSE_IMAGE} --replicas=3`,
    'kubectl apply -f config/samples/assign.yaml',
    'kubectl get leadergroups --watch                      its leader; then delete that pod',
    'kubectl logs -n leadergroup-system -l app.kubernetes.io/name=leadergroup --prefix -f',
  ]
  return [
    `export KUBECONFIG=${kubeconfig}`,
    `kubectl get pods -A                                    or, without kubectl: ${kubectl} get pods -A`,
    ...(installed ? group : []),
    `ctr -n k8s.io -a ${containerd[0]!.socket} images import FILE     on each node`,
    'npm run cluster down',
  ]
}
