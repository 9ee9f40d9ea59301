import type { LeaderElectionConfig } from '../client-go/config.ts'
import { LeaderElector as ClientGoElector, type RunOptions } from '../client-go/leader-elector.ts'
import { surroundings } from './surroundings.ts'

/**
 * A candidate with client-go's callbacks, on the election of this library.
 *
 * @example
 * const elector = new LeaderElector(config)
 * while (!shutdown.aborted) await elector.run({ signal: shutdown })
 */
export class LeaderElector extends ClientGoElector {
  /** @throws InvalidOptionsError in the words of client-go, which names the first violation only; else with all others */
  constructor(config: LeaderElectionConfig) {
    super(config, surroundings)
  }
}

/**
 * `new LeaderElector(config).run(options)`, whose health the configuration's `watchDog` shows.
 *
 * @throws InvalidOptionsError where client-go panics; else as `run` does
 */
export async function runOrDie(config: LeaderElectionConfig, options: RunOptions = {}): Promise<void> {
  const elector = new LeaderElector(config)
  config.watchDog?.setLeaderElection(elector)
  await elector.run(options)
}
