/**
 * What the bundle has in place of `@kubernetes/client-node` and `gaxios` where `@dot-i/k8s-operator` imports them. None
 * of that library's input and output is used (see `src/cmd/leader-group-operator.ts`), and the real ones are two thirds
 * of the bundle and a fifth of the operator's memory. Whatever is more than making the object throws.
 */
export class KubeConfig {
  loadFromDefault(): never {
    return refuse('KubeConfig.loadFromDefault')
  }

  loadFromClusterAndUser(): void {}

  makeApiClient(): undefined {}
}

/** Called with `new`. */
export function Watch(): never {
  return refuse('Watch')
}

export function loadYaml(): never {
  return refuse('loadYaml')
}

/** Of gaxios. */
export const instance = {
  request: (): never => refuse('gaxios.request'),
}

/** Of client-node's generated clients. */
export function createConfiguration(): never {
  return refuse('KubeConfig.makeApiClient')
}

/** Called with `new`. */
export function ServerConfiguration(): never {
  return refuse('KubeConfig.makeApiClient')
}

function refuse(what: string): never {
  throw new Error(`${what} is not in the bundle: requests go through src/kube`)
}
