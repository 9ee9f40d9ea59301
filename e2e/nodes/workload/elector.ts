/** Becomes the candidate on client-go, with an identity as client-go's users form it: the host's name and a fresh UUID. */
import { randomUUID } from 'node:crypto'

const [name, namespace] = [process.env['POD_NAME']!, process.env['POD_NAMESPACE']!]
const [, , lease, ...flags] = process.argv
const args = ['/app/client-go', '--lease', lease!, '--namespace', namespace, ...flags]
process.execve!('/app/client-go', [...args, '--id', `${name}_${randomUUID()}`], process.env)
