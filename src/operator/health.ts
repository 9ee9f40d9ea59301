/** One thing that must be well for this process to be of use, by a name that can be asked for in a URL. */
export interface Check {
  readonly name: string
  /** What is wrong, in words; undefined while all is well. Must answer at once. */
  check(): string | undefined
}

export interface Report {
  readonly status: 200 | 404 | 500
  readonly body: string
}

/**
 * Answers `/<endpoint>` and `/<endpoint>/<check>` as the API server and controller-runtime answer theirs: `ok`, or 500
 * and the list of the checks; with `?verbose` the list in any case; `?exclude=<check>` leaves one out. Unlike theirs the
 * list says why: a probe's output is all that `kubectl describe pod` shows, and no reason here holds a secret.
 */
export function report(endpoint: string, checks: readonly Check[], name: string, query: URLSearchParams): Report {
  if (name !== '') return single(checks, name)
  const excluded = query.getAll('exclude').flatMap((names) => names.split(','))
  const results = checks.map((check) => result(check, excluded))
  const unknown = excluded.filter((name) => name !== '' && !checks.some((check) => check.name === name))
  const passed = results.every(({ fault }) => fault === undefined)
  if (passed && !query.has('verbose')) return { status: 200, body: 'ok' }
  const lines = [
    ...results.map(({ line }) => line),
    ...(unknown.length > 0 ? [`warn: some checks cannot be excluded, there are none named ${unknown.join(', ')}`] : []),
    `${endpoint} check ${passed ? 'passed' : 'failed'}`,
  ]
  return { status: passed ? 200 : 500, body: `${lines.join('\n')}\n` }
}

function single(checks: readonly Check[], name: string): Report {
  const check = checks.find((candidate) => candidate.name === name)
  if (!check) {
    const names = checks.map((candidate) => candidate.name).join(', ')
    return { status: 404, body: `no check is named ${name}; there are: ${names}\n` }
  }
  const fault = check.check()
  return fault === undefined ? { status: 200, body: 'ok' } : { status: 500, body: `${name} failed: ${fault}\n` }
}

function result(check: Check, excluded: readonly string[]): { fault: string | undefined; line: string } {
  const { name } = check
  if (excluded.includes(name)) return { fault: undefined, line: `[+]${name} excluded: ok` }
  const fault = check.check()
  return { fault, line: fault === undefined ? `[+]${name} ok` : `[-]${name} failed: ${fault}` }
}
