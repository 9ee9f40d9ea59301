/** The candidate on the official Python client: its packages as pip installs them, the program beside them. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ToolMissing, built } from './tool.ts'

const DIR = join(import.meta.dirname, 'python')
const PROGRAM = join(DIR, 'candidate.py')
const REQUIREMENTS = join(DIR, 'requirements.txt')

/** Resolves to its command line. */
export async function pythonProgram(): Promise<readonly string[]> {
  const program = await built({
    what: 'the candidate on the Python client',
    name: 'client-python',
    sources: [PROGRAM, REQUIREMENTS],
    async make(run, output) {
      await run('python3', ['-c', 'import ensurepip, venv']).catch((error: unknown) => {
        // Some distributions ship Python in parts.
        throw error instanceof ToolMissing ? error : new ToolMissing('venv of Python')
      })
      // An environment of its own keeps to the Python that it was made with, and bears to be moved.
      await run('python3', ['-m', 'venv', output])
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps']
      await run(join(output, 'bin', 'python'), [...pip, '-r', REQUIREMENTS])
      await copyFile(PROGRAM, join(output, 'candidate.py'))
    },
  })
  return [join(program, 'bin', 'python'), join(program, 'candidate.py')]
}
