import { resolveBinaries } from './controlplane/binaries.ts'
import { COMPONENTS } from './controlplane/binary.ts'
import { terminalProgress } from './controlplane/progress.ts'
import { stopControlPlane } from './controlplane/shared.ts'

/** Mocha gives this no time limit, and a first build needs minutes: so it happens here and not in some first test. */
export async function mochaGlobalSetup(): Promise<void> {
  await resolveBinaries({ components: COMPONENTS, progress: terminalProgress() })
}

export async function mochaGlobalTeardown(): Promise<void> {
  await stopControlPlane()
}
