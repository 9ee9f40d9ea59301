import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PEERS } from './peers.ts'
import { KINDS } from './programs.ts'

const DOCUMENT = join(import.meta.dirname, '../../docs/interoperability.md')

/** Where the version of each is set for the build. */
const PINS = {
  'client-go': ['client-go/go.mod', (version: string) => `k8s.io/client-go v${version}\n`],
  fabric8: ['java/fabric8/pom.xml', (version: string) => `<version>${version}</version>`],
  'client-java': ['java/client-java/pom.xml', (version: string) => `<version>${version}</version>`],
  'client-python': ['python/requirements.txt', (version: string) => `\nkubernetes==${version}\n`],
  kubert: ['kubert/Cargo.toml', (version: string) => `kubert = { version = "=${version}"`],
} as const

describe('what is known of peers', () => {
  for (const kind of KINDS) {
    if (kind === 'leadergroup') continue
    const { version, language } = PEERS[kind]

    it(`is of the version of ${kind} that is built`, () => {
      const [file, pin] = PINS[kind]
      assert.ok(readFileSync(join(import.meta.dirname, file), 'utf8').includes(pin(version)), file)
    })

    it(`is of the version of ${kind} that docs/interoperability.md is about`, () => {
      const row = new RegExp(`^\\| \`${kind}\`[^|]*\\(${language}\\) +\\| ${version.replaceAll('.', '\\.')} `, 'm')
      assert.match(readFileSync(DOCUMENT, 'utf8'), row)
    })
  }
})
