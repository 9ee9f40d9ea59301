/** What a user asks first, of all that the report has. */
import type { Row } from './report-data.ts'
import { middle, table } from './table.ts'

const PLANNED = { planned: '', 'planned-by-hand': '', 'planned-alone': ", one kube-proxy, the client's" }

/** Empty where none of it was measured. */
export function summary(rows: readonly Row[]): readonly string[] {
  const planned = Object.entries(PLANNED).flatMap(([scenario, where]) =>
    of(rows, scenario).map(({ setting, costs }) => [
      `both pods live: from the Lease to the new leader's first answer, ${setting}${where}`,
      ...times(costs.map(({ lease, answer }) => difference(lease, answer))),
      String(costs.reduce((sum, { failed }) => sum + (failed['ECONNREFUSED'] ?? 0), 0)),
    ]),
  )
  const crashed = of(rows, 'kill')
    .filter(({ setting }) => setting.includes('client-go'))
    .map(({ setting, costs }) => [
      `an unmodified client-go program is killed: until the next leader answers, ${setting}`,
      ...times(costs.map(({ answer }) => answer)),
      '',
    ])
  const lines = [...planned, ...crashed]
  return lines.length === 0 ? [] : [`### In short\n\n${table(['', 'n', 'median / largest, ms', 'refused'], lines)}`]
}

function of(rows: readonly Row[], scenario: string): readonly Row[] {
  return rows.filter((row) => row.scenario === scenario)
}

function times(values: readonly (number | undefined)[]): readonly string[] {
  return [String(values.length), middle(values)]
}

function difference(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Math.max(0, to - from)
}
