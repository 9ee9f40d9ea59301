/** Candidates on Java's clients: Maven fetches the jars, the JDK compiles the program beside them. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { built } from './tool.ts'

const SHARED_DIR = join(import.meta.dirname, 'java')
const SHARED = ['Flags.java', 'Line.java', 'Work.java']

/** Two of them run beside each other and everything else: small, and soon there. */
const JVM = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']

/** Resolves to its command line. */
export async function javaProgram(client: 'fabric8' | 'client-java'): Promise<readonly string[]> {
  const dir = join(SHARED_DIR, client)
  const java = [...SHARED.map((file) => join(SHARED_DIR, file)), join(dir, 'Candidate.java')]
  const pom = join(dir, 'pom.xml')
  const program = await built({
    what: `the candidate on ${client} (Java)`,
    name: client,
    sources: [...java, pom],
    async make(run, output, work) {
      await copyFile(pom, join(work, 'pom.xml'))
      await run('mvn', ['-B', '-ntp', 'dependency:copy-dependencies', `-DoutputDirectory=${output}`])
      await run('javac', ['-d', output, '-cp', join(output, '*'), ...java])
    },
  })
  return ['java', ...JVM, '-cp', `${program}:${join(program, '*')}`, 'Candidate']
}
