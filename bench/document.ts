/** The figures in docs: the data as JSON, and a page of which the tables are made from it. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { table } from './figure.ts'
import { type Measurements, SECTIONS } from './section.ts'

const DOCS = join(import.meta.dirname, '../docs')
export const DATA_FILE = join(DOCS, 'figures.json')
export const PAGE_FILE = join(DOCS, 'figures.md')

const BEGIN = '<!-- Made by `npm run bench -- --write` from figures.json, from here … -->'
const END = '<!-- … to here -->'

export async function readMeasurements(): Promise<Measurements> {
  return JSON.parse(await readFile(DATA_FILE, 'utf8')) as Measurements
}

/** Replaces what was measured anew, and leaves the other sections as they are. */
export async function record(anew: Measurements): Promise<void> {
  const measurements = { ...(await readMeasurements()), ...anew }
  const config = { ...(await resolveConfig(DATA_FILE)), parser: 'json' }
  await writeFile(DATA_FILE, await format(JSON.stringify(measurements), config))
  await writeFile(PAGE_FILE, withTables(await readFile(PAGE_FILE, 'utf8'), measurements))
}

/** The page with its tables made anew. */
export function withTables(page: string, measurements: Measurements): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error(`${PAGE_FILE} lacks its marks: ${BEGIN} … ${END}`)
  const sections = SECTIONS.map((section) => {
    const measured = measurements[section]
    if (!measured) return `## ${section}\n\nNot measured.`
    const { at, minutes, machine, load, figures } = measured
    const when = `${at.slice(0, 10)}, ${minutes.toFixed(0)} min, ${machine}, load ${load.map((each) => each.toFixed(1)).join(' → ')}.`
    return `## ${section}\n\n${when}\n\n${table(figures)}`
  })
  return `${before}${BEGIN}\n\n${sections.join('\n\n')}\n\n${END}${after}`
}
