import { strict as assert } from 'node:assert'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const ENTRIES = import.meta.dirname
const read = (file: string): string => readFileSync(join(ENTRIES, file), 'utf8')

/** Files that only pass names on: what a user sees of the package. */
const entries = readdirSync(ENTRIES).filter(
  (file) => !file.endsWith('.test.ts') && /^export (type )?{[^}]*} from /m.test(read(file)),
)

interface Exported {
  readonly name: string
  readonly file: string
}

function exportsOf(entry: string): readonly Exported[] {
  return [...read(entry).matchAll(/^export (?:type )?{([^}]*)} from '([^']+)'/gm)].flatMap(
    ([, names = '', file = '']) =>
      names.split(',').map((name) => ({ name: name.replace(/^\s*type\s/, '').trim(), file })),
  )
}

/** The lines of a declaration that need a comment: itself and its public members. */
function undocumented({ name, file }: Exported): readonly string[] {
  const lines = read(file).split('\n')
  const start = lines.findIndex((line) =>
    new RegExp(`^export (async )?(class|interface|type|const|function)\\*? ${name}\\b`).test(line),
  )
  assert.ok(start >= 0, `${file} does not declare ${name}`)
  const isBody = lines[start]!.endsWith('{') && /class|interface/.test(lines[start]!)
  const end = isBody ? lines.indexOf('}', start) : start
  return lines
    .slice(start, end + 1)
    .filter((line, index) => (index === 0 || isMember(line)) && !isDocumented(lines[start + index - 1] ?? ''))
    .map((line) => `${name}: ${line.trim()}`)
}

const isMember = (line: string): boolean =>
  /^  (?!override |constructor|private |#|\[Symbol|static |return |}|\*|\/)(async )?(readonly )?[\w*]+[?]?[(:<]/.test(
    line,
  )

const isDocumented = (before: string): boolean => before.trimEnd().endsWith('*/')

describe('comments on what is exported', () => {
  it('say what the methods of Elector do', () => {
    assert.deepEqual(undocumented({ name: 'Elector', file: '../lock/elector.ts' }), [])
  })

  it('are looked for in every entry of the package', () => assert.ok(entries.includes('index.ts')))

  for (const entry of entries) {
    for (const exported of exportsOf(entry)) {
      it(`${entry} says what ${exported.name} is, and each of its members`, () => {
        assert.deepEqual(undocumented(exported), [])
      })
    }
  }
})
