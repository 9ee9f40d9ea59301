/** Stories that wait for leases and clocks more than they work: told at one time, a few beside each other. */

type Story = () => Promise<void>

/** The machine is shared, and what a story waits for may be late when too many others work. */
const AT_ONCE = 6

/**
 * The whole body of a `describe` within the one whose hooks the stories need: one test for each story. All are told, also
 * where only some are asked for.
 */
export function together(stories: Readonly<Record<string, Story>>, atOnce = AT_ONCE): void {
  const told = new Map<string, PromiseWithResolvers<void>>()
  let telling: Promise<unknown> = Promise.resolve()
  before(() => {
    for (const name of Object.keys(stories)) told.set(name, Promise.withResolvers<void>())
    // Whose test comes later is not unhandled.
    for (const { promise } of told.values()) promise.catch(() => undefined)
    const waiting = Object.entries(stories)
    const tell = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [name, story] = next
        const { promise, resolve } = told.get(name)!
        resolve(story())
        await promise.catch(() => undefined)
      }
    }
    telling = Promise.all(Array.from({ length: atOnce }, tell))
  })
  for (const name of Object.keys(stories)) it(name, () => told.get(name)!.promise)
  after(() => telling)
}
