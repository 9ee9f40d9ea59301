/** What a client saw: the lines of `workload/client.ts`. */
export interface Answer {
  readonly kind: 'new' | 'kept' | 'follower'
  readonly from: number
  readonly to: number
  /** Who answered; undefined: nobody. */
  readonly pod: string | undefined
  readonly error: string | undefined
}

export function parseAnswers(log: string): readonly Answer[] {
  return log
    .split('\n')
    .filter((line) => /^(new|kept|follower) \S+ \S+ \S/.test(line))
    .map((line) => {
      const [kind, from, to, what] = line.split(' ') as [Answer['kind'], string, string, string]
      const failed = what.startsWith('!')
      return {
        kind,
        from: Number(from),
        to: Number(to),
        pod: failed ? undefined : what,
        error: failed ? what.slice(1) : undefined,
      }
    })
}
