/** The candidate on kubert, as Cargo builds it. */
import { cp, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { built } from './tool.ts'

const DIR = join(import.meta.dirname, 'kubert')
const SOURCES = ['Cargo.toml', 'Cargo.lock', 'src/main.rs'].map((file) => join(DIR, file))

/** Resolves to its command line. The first build takes some minutes. */
export async function kubertProgram(): Promise<readonly string[]> {
  const program = await built({
    what: 'the candidate on kubert (Rust)',
    name: 'kubert',
    sources: SOURCES,
    async make(run, output, work) {
      const cwd = join(work, 'crate')
      await cp(DIR, cwd, { recursive: true })
      const target = join(work, 'target')
      await run('cargo', ['build', '--release', '--locked'], { cwd, env: { CARGO_TARGET_DIR: target } })
      await rename(join(target, 'release', 'candidate'), output)
    },
  })
  return [program]
}
