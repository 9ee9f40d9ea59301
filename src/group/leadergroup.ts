/*
 * Generated from crds/leadergroup.yaml by `npm run generate`: change it there. Bounds and the rules between fields are
 * the CRD's alone; what the API server returns has passed them.
 */
import type { ObjectMeta } from '../kube/objects.ts'

/**
 * LeaderGroup keeps exactly one of the pods that it selects as the leader. The leader's pod carries the label
 * `<group>.leadergroup.io/role: leader`, so a Service that selects this label routes to the leader only.
 */
export interface LeaderGroup {
  /** Version of the resource, `leadergroup.io/v1alpha1`. */
  readonly apiVersion?: string
  /** Always `LeaderGroup`. */
  readonly kind?: string
  readonly metadata: ObjectMeta
  readonly spec: LeaderGroupSpec
  readonly status?: LeaderGroupStatus
}

/** What the user wants. Only the selector is required. */
export interface LeaderGroupSpec {
  readonly selector: LeaderGroupSelector
  /**
   * Who elects. Assign (the default): the operator chooses one of the ready pods, and the pods need no code for it.
   * Observe: the pods elect among themselves on the Lease leaseName, with whatever elector they have, and the operator
   * follows it. It cannot be changed.
   */
  readonly mode?: 'Assign' | 'Observe'
  /**
   * Name of the Lease, in the group's namespace, that records the leader. Default: the name of the group. It cannot be
   * set, changed or removed after creation. In mode Assign the operator creates the Lease and refuses one that it did
   * not create. In mode Observe it is the Lease that the pods elect on, and theirs.
   */
  readonly leaseName?: string
  readonly failover?: LeaderGroupFailover
  /**
   * true: no new leader is chosen. The present leader keeps its label and its traffic; if it goes, the group stays
   * without a leader until paused is false again. Mode Assign only.
   */
  readonly paused?: boolean
  /**
   * true: the selected pods that do not lead carry the label `<group>.leadergroup.io/role: follower`. For your own
   * Services and for routing Selector; a Service with routing Direct needs no label.
   */
  readonly labelFollowers?: boolean
  /**
   * Services that the operator makes and keeps, in the group's namespace, each for the leader or for the followers. A
   * Service that exists already and is not this group's is never written: the condition ServicesReady says so.
   */
  readonly services?: readonly LeaderGroupService[]
}

/**
 * The pods that may lead: those of the group's own namespace that match all of matchLabels and all of matchExpressions.
 * Never empty. It may be changed; a leader that is no longer selected is replaced.
 */
export interface LeaderGroupSelector {
  /** Labels that a pod must carry, each with exactly this value. */
  readonly matchLabels?: Readonly<Record<string, string>>
  /** Conditions on labels that a pod must meet, all of them. */
  readonly matchExpressions?: readonly LeaderGroupSelectorRequirement[]
}

/** One condition on one label. */
export interface LeaderGroupSelectorRequirement {
  /** The key of the label. */
  readonly key: string
  /**
   * How the label is compared. In, NotIn: its value is, or is not, one of the values. Exists, DoesNotExist: the pod
   * carries the key, or does not. A pod without the key passes NotIn.
   */
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  /** Values to compare with. At least one for In and NotIn, none for Exists and DoesNotExist. */
  readonly values?: readonly string[]
}

/** When a leader that still exists is replaced. */
export interface LeaderGroupFailover {
  /**
   * For how many seconds the leader may be not ready before another ready pod takes over. 0, also when absent: at once.
   * At most 3600: no Service routes to a pod that is not ready, so to hold a leader for longer is not a failover
   * policy; set paused for that. A leader that is deleted or terminates is always replaced at once. Mode Assign only.
   */
  readonly notReadySeconds?: number
  /**
   * true: once the holder is proved dead, the operator empties the holder of the Lease, so that the other candidates
   * need not wait out its duration. Read docs/observe.md first: it says what counts as proof, and which electors wait
   * longer with it. Mode Observe only.
   */
  readonly releaseDeadHolder?: boolean
}

/** One Service. */
export interface LeaderGroupService {
  /** Name of the Service. To rename it is to delete it and to make another. */
  readonly name: string
  /**
   * Whom the Service is for. Leader: the pod that leads, and nobody while there is none. Follower: all other pods that
   * the group selects, also those that could not lead.
   */
  readonly role: 'Leader' | 'Follower'
  /**
   * How the Service finds its pods. Direct (the default): the operator writes the EndpointSlices, and a change of
   * leader is one write that no connection notices. Selector: the Service selects the role label, and the standard
   * controller writes the slices; a change of leader then refuses connections for about a second, but `kubectl
   * port-forward svc/...` and readers of Endpoints work. It cannot be changed.
   */
  readonly routing?: 'Direct' | 'Selector'
  /** The ports of the Service. */
  readonly ports: readonly LeaderGroupServicePort[]
  /** Who can reach the Service, as in a Service. */
  readonly type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer'
  /**
   * true: the Service has no address of its own; its name resolves to the addresses of the pods, and clients see a
   * change of leader when they resolve it again. It cannot be changed.
   */
  readonly headless?: boolean
  /** ClientIP: connections of one client go to one pod for as long as it is there. Of use with followers only. */
  readonly sessionAffinity?: 'None' | 'ClientIP'
  /**
   * In how many address families the Service has an address. Default: the cluster's. Removing it leaves the families as
   * they are.
   */
  readonly ipFamilyPolicy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'
  readonly metadata?: LeaderGroupServiceMetadata
}

/** One port. */
export interface LeaderGroupServicePort {
  /** Name of the port. May be absent where there is one only. */
  readonly name?: string
  /** The port that clients connect to. In a headless Service they connect to the target port. */
  readonly port: number
  /**
   * The port of the pods: a number, or the name of a container port, which each pod may resolve to another number.
   * Default: the same number as port. A pod without a container port of that name gets no traffic on it, and the
   * condition ServicesReady says so.
   */
  readonly targetPort?: number | string
  /** The protocol of the port. */
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
  /**
   * What is spoken on the port, as in a Service, for example kubernetes.io/h2c. Some load balancers and meshes read it.
   */
  readonly appProtocol?: string
}

/**
 * Labels and annotations of the Service, for example those that a cloud's load balancer reads. They are added to what
 * others write there; one that is removed here is removed there.
 */
export interface LeaderGroupServiceMetadata {
  /** Labels of the Service. */
  readonly labels?: Readonly<Record<string, string>>
  /** Annotations of the Service. */
  readonly annotations?: Readonly<Record<string, string>>
}

/** What the operator observed and did. Only the operator writes it. */
export interface LeaderGroupStatus {
  /** The metadata.generation of the spec that this status describes. */
  readonly observedGeneration?: number
  /** Name of the pod that leads. Absent while there is no leader. */
  readonly holder?: string
  /**
   * UID of the pod that leads: a recreated pod of the same name is another candidate. Absent while there is no leader.
   */
  readonly holderUID?: string
  /**
   * The holder as written in the Lease: in mode Assign `<pod name>_<pod UID>`, in mode Observe whatever the pods'
   * elector wrote, of which the first 512 characters.
   */
  readonly holderIdentity?: string
  /**
   * When the present leader was chosen, with microseconds, as in the Lease. For people to read: nothing is decided by
   * it.
   */
  readonly acquireTime?: string
  /**
   * How often the leader changed, as in the Lease (leaseTransitions). In mode Assign the operator keeps it equal to
   * term, as far as 32 bits reach; in mode Observe the pods' elector counts.
   */
  readonly transitions?: number
  /**
   * Number of the present or last term. It grows with every change of leader for as long as the group lives, even if
   * the Lease is deleted, and is on the leader's pod as the annotation `<group>.leadergroup.io/term`: a number to fence
   * writes with.
   */
  readonly term?: number
  /** How many pods the group selects. */
  readonly candidates?: number
  /**
   * How many of the candidates could lead now: ready, running, not terminating, and not annotated
   * `leadergroup.io/ineligible: "true"`.
   */
  readonly eligible?: number
  /** Name of the Lease that records the leader. */
  readonly leaseName?: string
  /**
   * Mode Observe: the mark of the operator's last decision about the leader, `<holder or ->/<UID of the group or
   * ->/<term>`, by which the operator tells a status that it wrote itself.
   */
  readonly gate?: string
  /**
   * Mode Observe: the version of the Lease that the last decision about the leader followed, `<UID or
   * ->/<resourceVersion>`. No operator decides on an older one.
   */
  readonly leaseVersion?: string
  /**
   * State of the group. Ready is True while a leader is in charge; its reasons are LeaderElected, NoPods,
   * NoEligiblePod, Paused, LeaseHeldByAnother, LeaseDeleted and Forbidden, and in mode Observe also LeaseMissing,
   * LeaseReleased, LeaseExpired, HolderUnknown, HolderAmbiguous, HolderDead and HolderUnproven. ServicesReady is True
   * while the group's Services are as spec.services says; its reasons are Routed, ServiceNotOurs, ForeignSlices,
   * PortUnresolved, Forbidden and Pending. Both are Unknown until the operator first decides.
   */
  readonly conditions?: readonly LeaderGroupCondition[]
  /** The last ten terms, the newest first. A term that lasts has no endTime. */
  readonly history?: readonly LeaderGroupHistoryEntry[]
}

/** One aspect of the group's state. */
export interface LeaderGroupCondition {
  /** Name of the condition, for example Ready. */
  readonly type: string
  /** Whether the condition holds. Unknown when that cannot be told. */
  readonly status: 'True' | 'False' | 'Unknown'
  /** The metadata.generation that the condition was set upon. */
  readonly observedGeneration?: number
  /** When the status of the condition last changed. */
  readonly lastTransitionTime: string
  /** Why, in one word for programs; events use the same words. */
  readonly reason: string
  /** Why, in a sentence for people. May be empty. */
  readonly message: string
}

/** One term of one leader. */
export interface LeaderGroupHistoryEntry {
  /** Name of the pod that led. */
  readonly holder: string
  /** Number of the term. */
  readonly term: number
  /** When the pod was chosen. */
  readonly acquireTime: string
  /** When the operator saw that the term was over, or ended it. Absent while it lasts. */
  readonly endTime?: string
  /** Why the term ended, in one word, for example PodDeleted or PodNotReady. Absent while it lasts. */
  readonly reason?: string
}
