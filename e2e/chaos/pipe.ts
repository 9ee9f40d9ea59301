/** One direction of a connection. What it holds has no bound: requests and answers of a test are small. */
import type { Socket } from 'node:net'
import { sleepUntil, systemClock } from '../../src/clock.ts'

/** The state of a line that all its connections share. */
export interface Valve {
  /** How late everything is. */
  readonly lagMillis: number
  /** Resolves when something can pass. */
  readonly opened: Promise<void>
}

const NEVER = new AbortController().signal

export class Pipe {
  /** Nothing comes through any more. */
  isDead = false
  /** All that came before has passed. */
  #passed: Promise<void> = Promise.resolve()

  /** `passes`: asked in the moment before a chunk is passed on, whether it is. */
  constructor(from: Socket, to: Socket, valve: Valve, passes: (chunk: Buffer) => boolean) {
    const send = (chunk: Buffer): void => {
      if (!this.isDead && to.writable && passes(chunk)) to.write(chunk)
    }
    from.on('data', (chunk: Buffer) => this.#after(valve, () => send(chunk)))
    from.once('end', () => this.#after(valve, () => void (this.isDead || to.end())))
  }

  /** Calls back when all that came has passed; never when it is dead. */
  finish(done: () => void): void {
    this.#passed = passAfter(this.#passed, 0, Promise.resolve(), () => void (this.isDead || done()))
  }

  #after({ lagMillis, opened }: Valve, pass: () => void): void {
    this.#passed = passAfter(this.#passed, systemClock.now() + lagMillis, opened, pass)
  }
}

async function passAfter(before: Promise<void>, due: number, opened: Promise<void>, pass: () => void): Promise<void> {
  await before
  if (due > systemClock.now()) await sleepUntil(systemClock, due, NEVER)
  await opened
  pass()
}
