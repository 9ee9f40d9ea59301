/**
 * The workload: answers every request with its pod's name, whether it leads or not. So an answer says where the traffic
 * went. SIGUSR2 makes it not ready; SIGTERM ends it as soon as the requests under way are answered, or after a while.
 */
import { createServer } from 'node:http'

const [pod, lingerMillis] = [process.env['POD_NAME']!, Number(process.env['LINGER_MILLIS'] ?? 0)]
let ready = true
/** Nothing ends before its lock is released. */
let candidacy: Promise<unknown> = Promise.resolve()

const server = createServer((request, response) => {
  if (request.url === '/ready') response.statusCode = ready ? 200 : 503
  response.end(pod)
})
server.listen(Number(process.env['PORT'] ?? 8080))

process.on('SIGUSR2', () => (ready = false))
// Two ways to die by its own doing: an end that looks like success, and one of hunger.
process.on('SIGINT', () => process.exit(0))
process.on('SIGHUP', () => {
  const hoard: Buffer[] = []
  for (;;) hoard.push(Buffer.alloc(16 * 2 ** 20, 1))
})
process.on('SIGTERM', () => {
  setTimeout(() => {
    server.close(() => void candidacy.finally(() => process.exit(0)))
    server.closeIdleConnections()
  }, lingerMillis)
})

if (process.env['ELECT'] !== undefined) {
  // The library, as a program has it that elects for itself. Its work is to answer, so it has nothing else to do here.
  const library = 'leadergroup'
  const { lead } = (await import(library)) as {
    lead: (options: object, work: (term: { readonly signal: AbortSignal }) => Promise<void>) => Promise<unknown>
  }
  const stop = new AbortController()
  process.on('SIGTERM', () => stop.abort())
  candidacy = lead({ lock: { name: process.env['ELECT'] }, signal: stop.signal }, (term) => {
    return new Promise<void>((resolve) => term.signal.addEventListener('abort', () => resolve(), { once: true }))
  })
  await candidacy
}
