/** Configuration of what runs on a node. */
import { join } from 'node:path'
import { PAUSE_IMAGE } from './pause.ts'
import { POD_CIDR, type NodeSite } from './site.ts'

/** What the files of a node tell. */
export interface NodeConfig {
  readonly node: NodeSite
  readonly cniPlugins: string
  /** Kubeconfigs, by who uses them. */
  readonly kubeconfigs: Readonly<Record<'kubelet' | 'kube-proxy', string>>
  readonly kubeletClientCa: string
}

export interface NodeFiles {
  /** Text by path. */
  readonly contents: Readonly<Record<string, string>>
  readonly containerdSocket: string
  readonly containerdArgs: readonly string[]
  readonly kubeletArgs: readonly string[]
  readonly proxyArgs: readonly string[]
}

export function nodeFiles(parts: NodeConfig): NodeFiles {
  const { node, kubeconfigs, kubeletClientCa } = parts
  const at = (name: string): string => join(node.dir, name)
  const socket = at('containerd.sock')
  return {
    contents: {
      [at('containerd.toml')]: containerdConfig(parts, socket),
      [at('cni/10-pods.conflist')]: JSON.stringify(podNetwork(parts)),
      [at('kubelet.json')]: JSON.stringify(kubeletConfig(parts, socket)),
      [at('kube-proxy.json')]: JSON.stringify(proxyConfig(parts)),
      [at('kubelet.kubeconfig')]: kubeconfigs.kubelet,
      [at('kube-proxy.kubeconfig')]: kubeconfigs['kube-proxy'],
      [at('kubelet-client-ca.crt')]: kubeletClientCa,
    },
    containerdSocket: socket,
    containerdArgs: [`--config=${at('containerd.toml')}`],
    kubeletArgs: [
      `--config=${at('kubelet.json')}`,
      `--kubeconfig=${at('kubelet.kubeconfig')}`,
      `--hostname-override=${node.name}`,
      `--node-ip=${node.address}`,
      `--root-dir=${at('kubelet')}`,
      `--cert-dir=${at('kubelet-certs')}`,
    ],
    proxyArgs: [`--config=${at('kube-proxy.json')}`],
  }
}

function containerdConfig({ node, cniPlugins }: NodeConfig, socket: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${join(node.dir, 'containerd')}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "${socket}"
[${cri}]
sandbox_image = "${PAUSE_IMAGE}"
restrict_oom_score_adj = true
[${cri}.cni]
bin_dir = "${cniPlugins}"
conf_dir = "${join(node.dir, 'cni')}"
[${cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
`
}

/** Each pod has a link of its own: over a common bridge pods of one node would answer past kube-proxy's translation. */
function podNetwork({ node }: NodeConfig): object {
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: join(node.dir, 'pod-addresses'),
          ranges: [[{ subnet: node.podCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  }
}

function kubeletConfig({ node }: NodeConfig, socket: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: `unix://${socket}`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(node.dir, 'kubelet-client-ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    failCgroupV1: false,
    failSwapOn: false,
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: true,
    cgroupRoot: `/${node.cgroup}`,
    enforceNodeAllocatable: [],
    // Nobody answers there. Without one each sync of a pod writes two events about it, which no real cluster has.
    clusterDNS: ['10.96.0.10'],
    podLogsDir: join(node.dir, 'pod-logs'),
    // Machines of tests are full and small: what a node does when it runs out of something is not the subject.
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    containerLogMaxSize: '100Mi',
    maxPods: 200,
    registryPullQPS: 0,
    serializeImagePulls: false,
  }
}

function proxyConfig({ node }: NodeConfig): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    hostnameOverride: node.name,
    clientConnection: { kubeconfig: join(node.dir, 'kube-proxy.kubeconfig') },
    detectLocalMode: 'ClusterCIDR',
    clusterCIDR: POD_CIDR,
    // These are the machine's, not the node's.
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  }
}
