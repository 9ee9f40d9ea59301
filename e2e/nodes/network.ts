/** The wires between host and nodes: a bridge in a namespace of its own, and a pair of virtual links for each. */
import { script } from './run.ts'
import { type NodeSite, POD_CIDR, type Site } from './site.ts'

/** The host gets one link with one address. Its routes, its filters and its settings stay as they are. */
export async function makeNetwork(site: Site): Promise<void> {
  const { switchNamespace, hostLink, address } = site
  const onSwitch = `ip -n ${switchNamespace}`
  await script([
    `ip netns add ${switchNamespace}`,
    `${onSwitch} link set lo up`,
    `${onSwitch} link add bridge type bridge`,
    `${onSwitch} link set bridge up`,
    `ip link add ${hostLink} type veth peer name host netns ${switchNamespace}`,
    `${onSwitch} link set host master bridge up`,
    `ip address add ${address}/24 dev ${hostLink}`,
    `ip link set ${hostLink} up`,
    ...site.nodes.flatMap((node) => nodeNetwork(site, node)),
  ])
}

function nodeNetwork(site: Site, node: NodeSite): string[] {
  const { namespace, switchPort, address, podCidr } = node
  const onNode = `ip -n ${namespace}`
  const others = site.nodes.filter((other) => other !== node)
  const masquerade = `ip saddr ${podCidr} ip daddr != ${POD_CIDR} masquerade`
  return [
    `ip netns add ${namespace}`,
    `ip -n ${site.switchNamespace} link add ${switchPort} type veth peer name eth0 netns ${namespace}`,
    `ip -n ${site.switchNamespace} link set ${switchPort} master bridge up`,
    `${onNode} link set lo up`,
    `${onNode} address add ${address}/24 dev eth0`,
    `${onNode} link set eth0 up`,
    ...others.map((other) => `${onNode} route add ${other.podCidr} via ${other.address}`),
    `nsenter --net=/run/netns/${namespace} sysctl -q -w net.ipv4.ip_forward=1`,
    // To the API server pods speak with their node's address: the host knows no way to a pod.
    `nsenter --net=/run/netns/${namespace} nft 'table ip pods { chain out { type nat hook postrouting priority srcnat; ${masquerade}; }; }'`,
  ]
}

/** As if somebody pulled its cable: nothing reaches it or leaves it. */
export async function setCable(site: Site, node: NodeSite, state: 'up' | 'down'): Promise<void> {
  await script([`ip -n ${site.switchNamespace} link set ${node.switchPort} ${state}`])
}
