import { describeApiContract } from '../kube/contract.ts'
import { ApiServer } from './apiserver.ts'
import { VirtualClock } from './clock.ts'

describeApiContract('the in-memory server', () => {
  const clock = new VirtualClock()
  const server = new ApiServer(clock)
  return Promise.resolve({
    transport: server.transport(),
    clock,
    namespace: 'contract',
    advance: (millis) => clock.advance(millis),
    compact: () => Promise.resolve(server.compact()),
    tearDown: () => Promise.resolve(server.closeWatches()),
  })
})
