/** docs/mutants.md: its tables are made from the tables of mutants, and from what a run has shown. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Trial } from './run.ts'
import type { Verdict } from './verdict.ts'

export const PAGE_FILE = join(import.meta.dirname, '../docs/mutants.md')

type Section = 'tables' | 'simulator'

/** Of a run in which all of them died. */
export async function record(trials: readonly Trial[]): Promise<void> {
  await replace('tables', tables(trials))
}

/** Of a run in which each was played in the first `worlds` worlds of the simulator. */
export async function recordSimulated(trials: readonly Trial[], worlds: number): Promise<void> {
  const [found, others] = [true, false].map((isFound) =>
    trials.filter(({ verdict }) => (verdict.kind === 'killed') === isFound),
  ) as [Trial[], Trial[]]
  const count = `${trials.length} of the mistakes were played in the first ${worlds} worlds: ${found.length} were found.`
  const rows = found.map(({ mutant, verdict }) => `| ${cells([mutant.name, mutant.file, wordsOf(verdict)])} |`)
  const table = ['| Mistake | In | Found by |', '| --- | --- | --- |', ...rows].join('\n')
  const rest = others.map(({ mutant }) => `- ${mutant.name} (\`${mutant.file}\`)`).join('\n')
  await replace('simulator', `${count}\n\n${table}\n\nNot found there:\n\n${rest}`)
}

async function replace(section: Section, text: string): Promise<void> {
  await writeFile(PAGE_FILE, withSection(await readFile(PAGE_FILE, 'utf8'), section, text))
}

/** The page with one of its sections made anew. */
export function withSection(page: string, section: Section, text: string): string {
  const [begin, end] = marks(section)
  const [before, rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`${PAGE_FILE} lacks its marks: ${begin} … ${end}`)
  return `${before}${begin}\n\n${text}\n\n${end}${after}`
}

function marks(section: Section): readonly [begin: string, end: string] {
  const flags = section === 'tables' ? '--write' : '--simulate N --write'
  return [`<!-- Made by \`npm run mutants -- ${flags}\`, from here … -->`, `<!-- … to here: ${section} -->`]
}

function tables(trials: readonly Trial[]): string {
  const files = [...new Set(trials.map(({ mutant }) => mutant.file))]
  const sections = files.map((file) => {
    const rows = trials.filter(({ mutant }) => mutant.file === file).map(row)
    return `### ${file}\n\n| Mistake | Breaks | Found by |\n| --- | --- | --- |\n${rows.join('\n')}`
  })
  return `${trials.length} mistakes in ${files.length} files; all of them are found.\n\n${sections.join('\n\n')}`
}

/** The mistakes that the tables of the page name. */
export function namesOn(page: string): readonly string[] {
  const [begin, end] = marks('tables')
  const made = page.split(begin)[1]?.split(end)[0] ?? ''
  return [...made.matchAll(/^\| (?!Mistake |---)(.*?) \|/gm)].map(([, name]) => name!)
}

function row({ mutant, verdict }: Trial): string {
  return `| ${cells([mutant.name, mutant.rule, `\`${mutant.killedBy}\`: ${wordsOf(verdict)}`])} |`
}

function wordsOf(verdict: Verdict): string {
  return verdict.kind === 'killed' ? verdict.test : verdict.kind
}

function cells(texts: readonly string[]): string {
  return texts.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')
}
