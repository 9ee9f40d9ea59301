/** What kube-proxy writes into a node's kernel, as the kernel tells it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { NodeSite } from './site.ts'

export interface Rules extends AsyncDisposable {}

/** Calls `leads` with the address of a pod each time when the node's rules begin to lead the Service to it. */
export function watchRules(node: NodeSite, service: string, leads: (address: string) => void): Rules {
  const child = spawn('nsenter', [`--net=/run/netns/${node.namespace}`, 'nft', 'monitor', 'rules'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  // A leader's Service has one endpoint: … dnat ip to numgen random mod 1 map { 0 : 10.244.1.31 . 8080 }
  const rule = new RegExp(`^add rule .* service-\\w+-${service}/.* \\{ 0 : ([0-9a-f.:]+) \\. `)
  createInterface({ input: child.stdout }).on('line', (line) => {
    const address = rule.exec(line)?.[1]
    if (address !== undefined) leads(address)
  })
  child.once('error', () => undefined)
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}
