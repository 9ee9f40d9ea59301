/** `docs/nodes.md` and its picture, from what a whole run has measured. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format } from 'prettier'
import type { Crowd } from './crowd.ts'
import type { ImageFacts } from './image-facts.ts'
import type { Cost, Late } from './measure.ts'
import type { Death, Report, Row } from './report-data.ts'
import { summary } from './summary.ts'
import { middle, millis, table } from './table.ts'
import { timelines } from './timelines.ts'

const DOCS = join(import.meta.dirname, '../../docs')
export const DATA_FILE = join(DOCS, 'nodes.json')
export const PAGE_FILE = join(DOCS, 'nodes.md')
export const PICTURE_FILE = join(DOCS, 'nodes.svg')

const BEGIN = '<!-- Made by `NODES_WRITE=1 npm run e2e:nodes` from nodes.json, from here … -->'
const END = '<!-- … to here. -->'

/** What was measured now, and what an earlier run has measured of the rest. */
export async function writeReport(now: Report): Promise<void> {
  const report = merged(
    await readFile(DATA_FILE, 'utf8').then((text) => JSON.parse(text) as Report, ignoreMissing),
    now,
  )
  await writeFile(DATA_FILE, await format(JSON.stringify(report), { parser: 'json', printWidth: 120 }))
  await writeFile(PICTURE_FILE, timelines(report.rows))
  await writeFile(PAGE_FILE, withTables(await readFile(PAGE_FILE, 'utf8'), report))
}

export function merged(before: Report | undefined, now: Report): Report {
  if (before === undefined) return now
  const rowKey = ({ scenario, setting }: Row): string => `${scenario}: ${setting}`
  return {
    ...now,
    image: now.image ?? before.image,
    rows: replaced(before.rows, now.rows, rowKey),
    crowd: now.crowd ?? before.crowd,
    deaths: replaced(before.deaths, now.deaths, ({ title }) => title),
  }
}

/** In the old order; what is new comes last. */
function replaced<T>(before: readonly T[], now: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const all = new Map([...before, ...now].map((item) => [keyOf(item), item]))
  return [...all.values()]
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** The page with its tables made anew. */
export function withTables(page: string, report: Report): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error(`${PAGE_FILE} has lost the marks of its tables`)
  return `${before}${BEGIN}\n\n${tables(report)}\n\n${END}${after}`
}

export function tables({ at, machine, kubernetes, image, rows, crowd, deaths }: Report): string {
  const when = `${at.slice(0, 10)}, Kubernetes ${kubernetes}, ${machine}.`
  const scenarios = [...new Set(rows.map(({ title }) => title))]
  return [
    when,
    ...summary(rows),
    ...(image ? [imageTable(image)] : []),
    ...scenarios.map((title) =>
      scenarioTable(
        title,
        rows.filter((row) => row.title === title),
      ),
    ),
    ...(crowd ? [crowdTable(crowd)] : []),
    ...(deaths.length > 0 ? [deathTable(deaths)] : []),
  ].join('\n\n')
}

function imageTable(image: ImageFacts): string {
  return table(
    ['The image', ''],
    [
      ['size, unpacked', `${megabytes(image.bytes)} MB`],
      [
        'from the start of its process to ready',
        `${image.startMillis.map((millis) => millis.toFixed(0)).join(', ')} ms`,
      ],
      [
        'memory of the replica that acts, and of the other',
        image.anonBytes.map((bytes) => `${megabytes(bytes)} MB`).join(', '),
      ],
      ['runs as', image.runsAs],
    ],
  )
}

function scenarioTable(title: string, rows: readonly Row[]): string {
  const head = [
    '',
    'n',
    'Lease',
    'label',
    'slice',
    'rule',
    'first answer',
    'gap',
    'unanswered',
    'late',
    'kept open, late',
    'follower, late',
    'changes',
    'load',
  ]
  const lines = rows.map(({ setting, costs, load }) => [
    setting,
    String(costs.length),
    middle(costs.map(({ lease }) => lease)),
    middle(costs.map(({ label }) => label)),
    middle(costs.map(({ slice }) => slice)),
    middle(costs.map(({ rule }) => rule)),
    middle(costs.map(({ answer }) => answer)),
    middle(costs.map(({ gap }) => gap)),
    failures(costs),
    lateness(costs.map(({ late }) => late)),
    lateness(costs.map(({ keptLate }) => keptLate)),
    lateness(costs.map(({ followerLate }) => followerLate)),
    [...new Set(costs.map(({ changes }) => changes))].toSorted((a, b) => a - b).join('–'),
    load.toFixed(0),
  ])
  return `### ${capital(title)}\n\n${table(head, lines)}`
}

function crowdTable({ groups, noticedMillis, labelMillis }: Crowd): string {
  const at = (share: number): string => millis(labelMillis[Math.ceil(share * labelMillis.length) - 1]!)
  const lines = [
    [
      'the first of its pods is shown not ready, or deleted, after the power went',
      `${(noticedMillis / 1_000).toFixed(1)} s`,
    ],
    ['after that: label of the next leader, half of the groups', `${at(0.5)} ms`],
    ['of 99 %', `${at(0.99)} ms`],
    ['of all', `${at(1)} ms`],
  ]
  return `### ${groups} groups fail over with their node\n\n${table(['', ''], lines)}`
}

function deathTable(deaths: readonly Death[]): string {
  const lines = deaths.map(({ title, released, takeoverMillis, load }) => [
    title,
    released ? 'yes' : 'no',
    `${(takeoverMillis / 1_000).toFixed(1)} s`,
    load.toFixed(0),
  ])
  return `### Proof of death\n\n${table(['', 'released', 'next leader answers after', 'load'], lines)}`
}

function failures(costs: readonly Cost[]): string {
  const sums = new Map<string, number>()
  for (const { failed } of costs)
    for (const [error, count] of Object.entries(failed)) sums.set(error, (sums.get(error) ?? 0) + count)
  return sums.size === 0 ? '0' : [...sums].map(([error, count]) => `${count} ${error}`).join(', ')
}

function lateness(all: readonly Late[]): string {
  const count = all.reduce((sum, late) => sum + late.count, 0)
  return count === 0 ? '0' : `${count}, until ${millis(Math.max(...all.map(({ last }) => last)))}`
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1)
}
