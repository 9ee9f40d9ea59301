/**
 * Preloaded (`--import`) into a process that is to run with one mistake: the source of that one file is replaced as it is
 * loaded. Nothing is written to the tree.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MUTANTS } from './tables.ts'
import { mutated } from './mutant.ts'
import { LOADED } from './verdict.ts'

const name = process.env['LEADERGROUP_MUTANT']
const mutant = MUTANTS.find((each) => each.name === name)
if (!mutant) throw new Error(`LEADERGROUP_MUTANT: there is no mutant ${JSON.stringify(name)}`)
const target = pathToFileURL(join(import.meta.dirname, '..', mutant.file)).href

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (url !== target) return loaded
    const source = mutated(mutant, readFileSync(new URL(url), 'utf8'))
    if (source === undefined) throw new Error(`the mutant "${mutant.name}" does not apply to ${mutant.file} any more`)
    // For whoever judges the run: a check that never loads the file shows nothing.
    Object.assign(globalThis, { [LOADED]: true })
    return { ...loaded, source }
  },
})
