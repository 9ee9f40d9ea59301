import assert from 'node:assert/strict'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Output } from './controlplane/controlplane.ts'
import { controlPlane } from './controlplane/shared.ts'

/** Runs the real kubectl as administrator of the shared control plane; a manifest is passed to it with `-f`. */
export async function kubectl(args: readonly string[], manifest?: string): Promise<Output> {
  const plane = await controlPlane()
  if (manifest === undefined) return plane.kubectl(...args)
  const directory = await mkdtemp(join(plane.dir, 'manifest-'))
  const file = join(directory, 'manifest.yaml')
  await writeFile(file, manifest)
  return plane.kubectl(...args, '-f', file)
}

/** What it wrote to standard output; it must end well. */
export async function succeed(args: readonly string[], manifest?: string): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args, manifest)
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** It must be refused, with these words. */
export async function fail(args: readonly string[], message: RegExp, manifest?: string): Promise<void> {
  const { code, stdout, stderr } = await kubectl(args, manifest)
  assert.notEqual(code, 0, `kubectl ${args.join(' ')} was not refused: ${stdout}`)
  assert.match(stderr, message)
}
