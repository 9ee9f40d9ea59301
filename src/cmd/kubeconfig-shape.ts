/** What stands under a name, and of its fields those that are read, with what they have to be. */
const LISTS = {
  contexts: ['context', { cluster: 'string', user: 'string', namespace: 'string' }],
  clusters: [
    'cluster',
    {
      server: 'string',
      'certificate-authority': 'string',
      'certificate-authority-data': 'string',
      'insecure-skip-tls-verify': 'boolean',
      'proxy-url': 'string',
      'tls-server-name': 'string',
    },
  ],
  users: [
    'user',
    {
      token: 'string',
      tokenFile: 'string',
      username: 'string',
      password: 'string',
      'client-certificate': 'string',
      'client-certificate-data': 'string',
      'client-key': 'string',
      'client-key-data': 'string',
      'auth-provider': 'object',
      exec: 'object',
    },
  ],
} as const

/**
 * Says what in a kubeconfig is not as it should be: client-node, which reads it, trips over that, or over half of it later.
 *
 * @throws with the place and what is there
 */
export function checkShape(config: unknown): void {
  const fields = objectAt('it', config)
  expect('string', 'current-context', fields['current-context'])
  for (const [list, [key, types]] of Object.entries(LISTS)) {
    const entries = fields[list] ?? []
    if (!Array.isArray(entries)) throw wrong(list, 'a list', entries)
    entries.forEach((entry: unknown, index) => checkEntry(`${list}[${index}]`, entry, key, types))
  }
}

function checkEntry(place: string, entry: unknown, key: string, types: Readonly<Record<string, string>>): void {
  const { name, [key]: named } = objectAt(place, entry)
  if (typeof name !== 'string') throw wrong(`${place}.name`, 'a string', name)
  const fields = objectAt(`${place}.${key}`, named ?? {})
  for (const [field, type] of Object.entries(types)) expect(type, `${place}.${key}.${field}`, fields[field])
  const provider = fields['auth-provider']
  if (provider) checkProvider(`${place}.${key}.auth-provider`, provider as Readonly<Record<string, unknown>>)
}

function checkProvider(place: string, { name, config }: Readonly<Record<string, unknown>>): void {
  if (typeof name !== 'string') throw wrong(`${place}.name`, 'a string', name)
  expect('object', `${place}.config`, config)
}

function objectAt(place: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw wrong(place, 'an object', value)
}

/** Whatever may be absent may be null: YAML writes nothing so. */
function expect(type: string, place: string, value: unknown): void {
  if (value === undefined || value === null) return
  if (type === 'object') objectAt(place, value)
  else if (typeof value !== type) throw wrong(place, `a ${type}`, value)
}

function wrong(place: string, wanted: string, value: unknown): Error {
  return new Error(`${place} is to be ${wanted}, and is ${(JSON.stringify(value) ?? 'absent').slice(0, 60)}`)
}
