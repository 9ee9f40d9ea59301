import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { describeLockContract } from './contract.ts'

describeLockContract('the in-memory API server', async () => {
  const clock = new VirtualClock()
  return {
    transport: new ApiServer(clock).transport(),
    clock,
    namespace: 'default',
    advance: (millis) => clock.advance(millis),
    tearDown: () => Promise.resolve(),
  }
})
