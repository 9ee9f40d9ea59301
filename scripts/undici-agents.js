/**
 * What the bundle has in place of undici's index, which loads fetch, WebSocket, caches and mocks as well: several
 * megabytes of an operator's memory, of which nothing is used.
 */
import api from 'undici/lib/api/index.js'
import buildConnector from 'undici/lib/core/connect.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
import Pool from 'undici/lib/dispatcher/pool.js'
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js'

// As the index does.
Object.assign(Dispatcher.prototype, api)

export { Agent, buildConnector, Pool, ProxyAgent }

/** client-node imports it for requests that are not made through it. */
export function fetch() {
  throw new Error("undici's fetch is not in the bundle: requests go through src/kube")
}
