import type { Clock } from '../../clock.ts'

/** Calls `act` every `millis` until it is disposed of. */
export function repeat(clock: Clock, millis: number, act: () => void): Disposable {
  let cancel: () => void
  const arm = (): void => {
    cancel = clock.timer(clock.now() + millis, () => {
      arm()
      act()
    })
  }
  arm()
  return { [Symbol.dispose]: () => cancel() }
}
