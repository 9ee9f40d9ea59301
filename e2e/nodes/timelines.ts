/** The time lines of all scenarios as one picture: from the event to the first answer of the new leader. */
import type { Cost } from './measure.ts'
import type { Row } from './report-data.ts'

const ROW = 26
const LEFT = 420
const WIDTH = 640
const TOP = 54
/** Of the axis, which is logarithmic: a swapped slice takes milliseconds, a lost node a minute. */
const [FROM, TO] = [1, 200_000]

const STEPS = [
  { name: 'Lease', colour: '#4269d0', of: ({ lease }: Cost) => lease },
  { name: 'label', colour: '#efb118', of: ({ label }: Cost) => label },
  { name: 'slice', colour: '#6cc5b0', of: ({ slice }: Cost) => slice },
  { name: 'rule', colour: '#9c6b4e', of: ({ rule }: Cost) => rule },
  { name: 'first answer', colour: '#ff725c', of: ({ answer }: Cost) => answer },
] as const

export function timelines(rows: readonly Row[]): string {
  const shown = rows.filter(({ costs }) => costs.length > 0)
  const height = TOP + shown.length * ROW + 20
  const grid = [1, 10, 100, 1_000, 10_000, 100_000].map((millis) => {
    const label = millis < 1_000 ? `${millis} ms` : `${millis / 1_000} s`
    return `<line x1="${x(millis)}" x2="${x(millis)}" y1="${TOP - 8}" y2="${height - 16}" stroke="#ddd"/>${text(x(millis), TOP - 14, label, 'middle')}`
  })
  const legend = STEPS.map(
    ({ name, colour }, index) => dot(LEFT + 10 + index * 110, 16, colour) + text(LEFT + 20 + index * 110, 20, name),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 30}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...legend,
    ...grid,
    ...shown.map((row, index) => line(row, TOP + index * ROW + ROW / 2)),
    '</svg>',
    '',
  ].join('\n')
}

/** The change with the middle gap stands for the row. */
function line({ title, setting, costs }: Row, y: number): string {
  const cost = costs.toSorted((a, b) => a.gap - b.gap)[Math.floor((costs.length - 1) / 2)]!
  const marks = STEPS.flatMap(({ colour, of }) => {
    const at = of(cost)
    return at === undefined ? [] : [dot(x(at), y, colour)]
  })
  const last = Math.max(FROM, ...STEPS.map(({ of }) => of(cost) ?? 0))
  const bar = `<line x1="${x(FROM)}" x2="${x(last)}" y1="${y}" y2="${y}" stroke="#999" stroke-width="2"/>`
  return text(LEFT - 12, y + 4, `${title}: ${setting}`, 'end') + bar + marks.join('')
}

function x(millis: number): number {
  const clamped = Math.min(Math.max(millis, FROM), TO)
  return Math.round((LEFT + (Math.log(clamped / FROM) / Math.log(TO / FROM)) * WIDTH) * 10) / 10
}

function dot(cx: number, cy: number, colour: string): string {
  return `<circle cx="${cx}" cy="${cy}" r="5" fill="${colour}"/>`
}

function text(at: number, y: number, words: string, anchor: 'start' | 'middle' | 'end' = 'start'): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${at}" y="${y}" text-anchor="${anchor}">${escaped}</text>`
}
