import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { generateReference, REFERENCE_FILE } from '../scripts/generate-reference.ts'
import { withElectOptions, withSidecarOptions } from './cmd/elect/options.ts'
import { Metrics } from './operator/metrics.ts'
import { VirtualClock } from './sim/clock.ts'

const ROOT = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** What the first column of the table under a heading names. */
function named(path: string, heading: string): readonly string[] {
  const text = read(path)
  const at = text.search(new RegExp(`^#+ ${heading}$`, 'm'))
  assert.ok(at >= 0, `${path} has no heading ${heading}`)
  const [section = ''] = /^#[^]*?(?=\n#|$(?![^]))/.exec(text.slice(at)) ?? []
  const rows = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name!)
  assert.ok(rows.length > 0, `${path}: no table under ${heading}`)
  return [...new Set(rows)].toSorted()
}

/** The words between the quotes of a piece of source. */
function words(path: string, piece: RegExp): readonly string[] {
  const [, text = ''] = piece.exec(read(path)) ?? []
  const found = [...text.matchAll(/'([A-Z]\w+)'/g)].map(([, word]) => word!)
  assert.ok(found.length > 1, `${path}: ${String(piece)} finds nothing`)
  return [...new Set(found)].toSorted()
}

describe('docs/operations.md', () => {
  const OPERATIONS = 'docs/operations.md'
  const followed = words('src/group/follow/follow.ts', /export type NobodyReason =([^]*?)\n\n/)
  const readyReasons = [...words('src/group/verdict.ts', /export type ReadyReason =([^]*?)\n\n/), ...followed]

  it('explains every metric, and none that does not exist', () => {
    const metrics = new Metrics(new VirtualClock()).registry.getMetricsAsArray().map(({ name }) => name)
    assert.ok(metrics.length > 10)
    assert.deepEqual(named(OPERATIONS, 'Metrics'), metrics.toSorted())
  })

  it('explains, together with docs/observe.md, every reason of the condition Ready', () => {
    const explained = new Set([...named(OPERATIONS, 'Ready'), ...named('docs/observe.md', 'Conditions')])
    assert.deepEqual(
      readyReasons.filter((reason) => !explained.has(reason)),
      [],
    )
  })

  it('explains no reason of the condition Ready that does not exist', () => {
    assert.deepEqual(
      named(OPERATIONS, 'Ready').filter((reason) => !readyReasons.includes(reason)),
      [],
    )
  })

  it('leaves to docs/observe.md the reasons of mode Observe, and those that both modes have', () => {
    const common = ['LeaderElected', 'NoPods', 'Forbidden']
    assert.deepEqual(named('docs/observe.md', 'Conditions'), [...common, ...followed].toSorted())
  })

  it('explains every reason of the condition ServicesReady, and none that does not exist', () => {
    const reasons = words('src/group/routing/services-condition.ts', /interface ServicesCondition [^]*?reason:(.*)\n/)
    assert.deepEqual(named(OPERATIONS, 'ServicesReady'), reasons)
  })

  it('explains every action of events, and none that does not exist', () => {
    const ofReady = words('src/group/events.ts', /const ACTIONS[^=]*= ({[^]*?})/)
    const others = [...read('src/group/events.ts').matchAll(/action: '(\w+)'/g)].map(([, action]) => action!)
    assert.deepEqual(named(OPERATIONS, 'Events'), [...new Set([...ofReady, ...others])].toSorted())
  })

  it('explains every reason why a term ended, and none that does not exist', () => {
    const reasons = words('src/group/status.ts', /(function endReason[^]*?\n}\n)/)
    assert.deepEqual(named(OPERATIONS, 'Why a term ended'), reasons)
  })
})

describe('docs/library.md', () => {
  const LIBRARY = 'docs/library.md'
  /** The strings of a union type. */
  const union = (path: string, name: string): readonly string[] => {
    const [, text = ''] = new RegExp(`^export type ${name} =([^]*?)\\n\\n`, 'm').exec(`${read(path)}\n\n`) ?? []
    const found = [...text.matchAll(/'(\w+)'/g)].map(([, word]) => word!)
    assert.ok(found.length > 1, `${path}: there is no ${name}`)
    return found.toSorted()
  }

  it('explains every reason why a term ends, and none that does not exist', () => {
    assert.deepEqual(named(LIBRARY, 'Why a term ends'), union('src/election/observation.ts', 'EndReason'))
  })

  it('explains every code of an error, and none that does not exist', () => {
    assert.deepEqual(named(LIBRARY, 'Errors'), union('src/lock/errors.ts', 'ElectionErrorCode'))
  })

  it('has every option', () => {
    const [, table = ''] = /^## Options$([^]*?)^## /m.exec(read(LIBRARY)) ?? []
    const interfaces = [
      ['src/lock/options.ts', /export interface ElectorOptions [^]*?\n}/],
      ['src/lock/hooks.ts', /export interface Hooks [^]*?\n}/],
      ['src/election/timing.ts', /export interface TimingSeconds [^]*?\n}/],
    ] as const
    const options = interfaces.flatMap(([path, piece]) =>
      [...(piece.exec(read(path))?.[0] ?? '').matchAll(/^  readonly (\w+)\??:/gm)].map(([, name]) => name!),
    )
    assert.ok(options.length > 10)
    assert.deepEqual(
      options.filter((name) => !table.includes(`\`${name}`)),
      [],
    )
  })
})

describe('docs/from-client-go.md', () => {
  it('names everything that leadergroup/client-go has of client-go', () => {
    const exported = [...read('src/exports/client-go.ts').matchAll(/{([^}]*)}/g)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.trim()),
    )
    // What Go has no word for.
    const beyond = ['RunOptions', 'Task', 'Checked', 'EventObject', 'LeaseLockOptions']
    const text = read('docs/from-client-go.md')
    assert.ok(exported.length > 15)
    assert.deepEqual(
      exported.filter((name) => !beyond.includes(name) && !text.toLowerCase().includes(name.toLowerCase())),
      [],
    )
  })
})

describe('docs/elect.md', () => {
  const text = read('docs/elect.md')
  const flags = [withElectOptions(new Command('elect')), withSidecarOptions(new Command('sidecar'))].flatMap(
    ({ options }) => options.map(({ long }) => long!),
  )

  it('has every flag, and none that does not exist', () => {
    assert.ok(flags.length > 20)
    const named = [...text.matchAll(/`(--[a-z-]+)/g)].map(([, flag]) => flag!)
    assert.deepEqual([...new Set(named)].toSorted(), [...new Set(flags)].toSorted())
  })

  it('has every variable that a command finds', () => {
    const variables = [...read('src/cmd/elect/of-term.ts').matchAll(/LEADERGROUP_\w+/g)].map(([name]) => name)
    assert.deepEqual(
      named('docs/elect.md', 'elect').filter((name) => name.startsWith('LEADER')),
      variables.toSorted(),
    )
  })
})

describe('docs/reference.md', () => {
  it('is that of the CRD', async () => {
    const generated = await generateReference(read('crds/leadergroup.yaml'))
    const committed = readFileSync(REFERENCE_FILE, 'utf8')
    assert.equal(committed, generated, 'docs/reference.md is not what the CRD says. Run: npm run generate')
  })

  it('changes with the CRD: fields, bounds and messages', async () => {
    const crd = read('crds/leadergroup.yaml')
    const changed = crd.replace(/^( +)notReadySeconds:$/m, '$1graceSeconds:').replace('maxItems: 8', 'maxItems: 9')
    assert.notEqual(changed, crd)
    const reference = await generateReference(changed)
    assert.match(reference, /^- \*\*`graceSeconds`\*\* \(integer; 0 to 3600\): /m)
    assert.match(reference, /^- \*\*`services`\*\* \(list of objects; at most 9 items\): /m)
    assert.match(reference, /^- two ports have the same name\. Rename one of them$/m)
    assert.match(reference, /^- operator … needs values\./m)
  })
})

describe('the documentation', () => {
  const files = [
    ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
    ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
    'examples/README.md',
  ]

  for (const file of files) {
    it(`${file} links to files and headings that exist`, () => {
      const links = [...proseOf(file).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      for (const [, path = '', heading] of links) {
        const target = path === '' ? file : join(dirname(file), path)
        assert.ok(existsSync(join(ROOT, target)), `there is no ${target}`)
        if (heading === undefined) continue
        const slugs = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, title]) => slugOf(title!))
        assert.ok(slugs.includes(heading), `${target} has no heading #${heading}`)
      }
    })
  }

  it('of links by name has a target for each', () => {
    for (const file of files) {
      const text = proseOf(file)
      const targets = [...text.matchAll(/^\[([^\]]+)\]: /gm)].map(([, name]) => name!)
      const used = [...text.matchAll(/\]\[([^\]]+)\]/g)].map(([, name]) => name!)
      assert.deepEqual(targets.toSorted(), [...new Set(used)].toSorted(), file)
    }
  })
})

/** Without its code, which has brackets of its own. */
function proseOf(file: string): string {
  return read(file).replaceAll(/```[^]*?```|`[^`\n]*`/g, '')
}

/** As GitHub makes an anchor of a heading. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}

describe('CHANGELOG.md', () => {
  it('begins with the version of package.json', () => {
    const [, version] = /^## \[([^\]]+)\]/m.exec(read('CHANGELOG.md')) ?? []
    assert.equal(version, (JSON.parse(read('package.json')) as { version: string }).version)
  })
})
