import { fieldAt, isRecord, type StoredObject } from './stored-object.ts'

type Content = Readonly<Record<string, unknown>>

export interface Defaulting {
  /** What an update replaces; absent for a create. */
  readonly before?: StoredObject
  /** Counts the objects that the server has made: allocates addresses. */
  readonly sequence: number
}

const DEFAULT_GRACE_SECONDS = 30

export function defaultPod(pod: Content, { before }: Defaulting): Content {
  const spec = { restartPolicy: 'Always', terminationGracePeriodSeconds: DEFAULT_GRACE_SECONDS, ...record(pod['spec']) }
  const status = before === undefined ? { phase: 'Pending', qosClass: 'BestEffort' } : pod['status']
  return { ...pod, spec, status: status ?? {} }
}

export function defaultService(service: Content, { before, sequence }: Defaulting): Content {
  const given = record(service['spec'])
  const spec: Record<string, unknown> = {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    ...families(given),
    internalTrafficPolicy: 'Cluster',
    ...clusterAddress(given, fieldAt(before, 'spec.clusterIP') ?? `10.96.${sequence >> 8}.${sequence & 255}`),
    ...given,
  }
  if (Array.isArray(spec['ports'])) spec['ports'] = spec['ports'].map(defaultServicePort)
  return { ...service, spec, status: service['status'] ?? { loadBalancer: {} } }
}

/** A headless Service without selector may get addresses of any family, even where the cluster has one only. */
function families(given: Content): Content {
  const any = given['clusterIP'] === 'None' && !isRecord(given['selector'])
  return any
    ? { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' }
    : { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
}

/** A client that sends no cluster IP with an update keeps the one there is. */
function clusterAddress(given: Content, otherwise: unknown): Content {
  const clusterIP = given['clusterIP'] ?? otherwise
  return given['type'] === 'ExternalName' ? {} : { clusterIP, clusterIPs: [clusterIP] }
}

function defaultServicePort(port: unknown): unknown {
  if (!isRecord(port)) return port
  return { protocol: 'TCP', targetPort: port['port'], ...port }
}

/** Empty lists come back as null: they do not survive the server's protobuf storage. */
export function defaultEndpointSlice(slice: Content): Content {
  const endpoints = list(slice['endpoints']).map((endpoint) =>
    isRecord(endpoint) ? { conditions: {}, ...endpoint } : endpoint,
  )
  const ports = list(slice['ports']).map((port) => (isRecord(port) ? { name: '', protocol: 'TCP', ...port } : port))
  return { ...slice, endpoints: endpoints.length > 0 ? endpoints : null, ports: ports.length > 0 ? ports : null }
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const record = (value: unknown): Content => (isRecord(value) ? value : {})
