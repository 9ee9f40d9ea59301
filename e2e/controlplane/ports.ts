import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/**
 * TCP ports on the loopback interface that nobody listens on. All are held until the last is found, so they differ.
 * Somebody else may still take one before it is used: whoever starts a server on it has to be ready for that.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
