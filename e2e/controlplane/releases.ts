/** The releases of Kubernetes that the end-to-end tests have run on, oldest first: docs/install.md says what came of it. */
export const TRIED = ['1.33.13', '1.34.4', '1.35.4', '1.36.3'] as const

/** The release that is meant: `1.34` is the one of that minor which was tried; nothing is the newest. */
export function releaseOf(wanted: string | undefined): string {
  if (!wanted) return TRIED.at(-1)!
  const tried = TRIED.find((release) => minorOf(release) === wanted)
  if (tried) return tried
  if (/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(wanted)) return wanted
  throw new RangeError(
    `${wanted} is no release of Kubernetes: write one as 1.34.4, or ${TRIED.map(minorOf).join(', ')} for what was tried of it`,
  )
}

function minorOf(release: string): string {
  return release.slice(0, release.lastIndexOf('.'))
}
