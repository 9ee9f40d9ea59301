/** How an installation starts the operator: Node's flags and the environment, from the image and the manifest. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'

const ROOT = join(import.meta.dirname, '..')

export interface Shipped {
  /** Of Node itself. */
  readonly nodeArgs: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

interface Deployment {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [Container] } } }
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[]
}

export async function readShipped(): Promise<Shipped> {
  const image = readImage(await readFile(join(ROOT, 'Dockerfile'), 'utf8'))
  const manifest = parse(await readFile(join(ROOT, 'config/manager/manager.yaml'), 'utf8')) as Deployment
  const [{ env }] = manifest.spec.template.spec.containers
  const given = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]))
  return { nodeArgs: image.nodeArgs, env: { ...image.env, ...Object.fromEntries(given) } }
}

/** What the last stage of a Dockerfile says of them. Its PATH is the image's own. */
export function readImage(dockerfile: string): Shipped {
  const stage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM ')).replaceAll(/\\\n/g, ' ')
  const [, entry] = /^ENTRYPOINT (\[.*\])$/m.exec(stage) ?? []
  if (entry === undefined) throw new Error('the Dockerfile has no ENTRYPOINT in JSON')
  const [, ...args] = JSON.parse(entry) as string[]
  const settings = [...stage.matchAll(/^ENV (.*)$/gm)].flatMap(([, line]) => line!.trim().split(/\s+/))
  const env = settings.map((setting) => setting.split(/=(.*)/s).slice(0, 2) as [string, string])
  return {
    nodeArgs: args.filter((arg) => arg.startsWith('--')),
    env: Object.fromEntries(env.filter(([name]) => name !== 'PATH')),
  }
}
