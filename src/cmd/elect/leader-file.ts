import { renameSync, rmSync, writeFileSync } from 'node:fs'

/**
 * A file that exists only while this process leads, and holds the deadline: a process that is killed cannot remove it.
 * Written whole or not at all, and synchronously: it must be gone before anything else happens at the end of a term.
 */
export class LeaderFile {
  readonly #path: string

  /** Removes what a process has left that was killed. @throws when that cannot be done */
  constructor(path: string) {
    this.#path = path
    this.remove()
  }

  write(deadline: string): void {
    const next = `${this.#path}.tmp`
    writeFileSync(next, deadline)
    renameSync(next, this.#path)
  }

  remove(): void {
    rmSync(this.#path, { force: true })
  }
}
