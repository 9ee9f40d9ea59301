import assert from 'node:assert/strict'
import { type Clock } from '../../src/clock.ts'
import { minutes, terminalProgress } from './progress.ts'

describe('progress', () => {
  it('is one line that is written over on a terminal, never wider than it', () => {
    const screen = new Screen(true, 12)
    const progress = terminalProgress(screen)
    progress.update('1 of 3')
    progress.update('2 of 3, which takes long')
    progress.say('done')
    assert.deepEqual(screen.written, ['\r\u001B[2K1 of 3', '\r\u001B[2K2 of 3, whi', '\r\u001B[2Kdone\n'])
  })

  it('is a line each 15 s at most in a log', () => {
    const screen = new Screen(false)
    let now = 0
    const clock: Clock = { now: () => now, wallNow: () => now, timer: () => assert.fail('it needs no timer') }
    const progress = terminalProgress(screen, clock)
    progress.say('building')
    for (now = 0; now <= 40_000; now += 1_000) progress.update(`at ${minutes(now)}`)
    progress.say('built')
    assert.deepEqual(screen.written, ['building\n', 'at 0:15\n', 'at 0:30\n', 'built\n'])
  })
})

class Screen {
  readonly isTTY: boolean
  readonly columns: number
  readonly written: string[] = []
  constructor(isTTY: boolean, columns = 80) {
    this.isTTY = isTTY
    this.columns = columns
  }
  write(text: string): void {
    this.written.push(text)
  }
}
