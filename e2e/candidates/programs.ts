import { join } from 'node:path'
import { GoMissing } from '../controlplane/go.ts'
import { clientGoProgram } from './client-go.ts'
import { javaProgram } from './java.ts'
import { kubertProgram } from './kubert.ts'
import { pythonProgram } from './python.ts'
import { ToolMissing } from './tool.ts'

const NODE = join(import.meta.dirname, '../../node_modules/.bin/node')
const ELECTOR = join(import.meta.dirname, 'elector.ts')

/** The command line of each program, built if need be. */
const PROGRAMS = {
  /** This project's elector. */
  leadergroup: () => Promise.resolve([NODE, ELECTOR]),
  /** All others are unmodified electors of other projects. */
  'client-go': async () => [await clientGoProgram()],
  fabric8: () => javaProgram('fabric8'),
  'client-java': () => javaProgram('client-java'),
  'client-python': () => pythonProgram(),
  kubert: () => kubertProgram(),
} satisfies Readonly<Record<string, () => Promise<readonly string[]>>>

export type Kind = keyof typeof PROGRAMS

export const KINDS = Object.keys(PROGRAMS) as readonly Kind[]

export function commandOf(kind: Kind): Promise<readonly string[]> {
  return PROGRAMS[kind]()
}

/** Undefined when the program is there now; else which tool of its language is missing here. Rejects when a build fails. */
export async function missingFor(kind: Kind): Promise<string | undefined> {
  try {
    await commandOf(kind)
    return undefined
  } catch (error) {
    if (error instanceof GoMissing || error instanceof ToolMissing) return error.message
    throw error
  }
}
