/** The container that holds a pod's namespaces. Kubernetes' own comes from a registry; all that this one does is wait. */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Archive, archived } from './archive.ts'

export const PAUSE_IMAGE = 'leadergroup.io/pause:1'

/** Of Debian's package busybox-static: one file that needs no other. */
export const BUSYBOX = '/bin/busybox'

export function pauseArchive(): Promise<Archive> {
  return archived({
    name: PAUSE_IMAGE,
    sources: [BUSYBOX],
    config: { Entrypoint: ['/bin/busybox', 'sleep', 'infinity'], User: '65535:65535' },
    async fill(root) {
      await mkdir(join(root, 'bin'))
      await copyFile(BUSYBOX, join(root, 'bin/busybox'))
    },
  })
}
