/**
 * Electors of other languages and ours on one Lease. `INTEROP_TERMS` sets how many of their terms are ended (30 at least; some
 * hundreds take a quarter of an hour), `INTEROP_SEED` repeats a choice of who, when and how.
 */
import assert from 'node:assert/strict'
import { type Lease, Leases } from '../src/kube/objects.ts'
import { type Candidates, openCandidates } from './candidates/candidate.ts'
import { type Overlap, overlaps } from './candidates/overlaps.ts'
import { EVERYBODYS_TIMING, PEERS } from './candidates/peers.ts'
import { KINDS, type Kind, missingFor } from './candidates/programs.ts'
import { BUILD_MILLIS } from './candidates/tool.ts'
import { must } from './controlplane/must.ts'
import { adminApi, createNamespace, leaderGroupCrd, sharedCluster } from './controlplane/shared.ts'
import { checkLeaseHistory } from './lease-history.ts'
import { type Observer, observe } from './observer.ts'
import { ENDINGS, type Rotation, rotate } from './rotation.ts'
import { Dice } from './dice.ts'

const TERMS = Number(process.env['INTEROP_TERMS'] ?? 40)
const SEED = Number(process.env['INTEROP_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
/** A term takes 4 s, and twice as long where the machine is busy. */
const TERM_MILLIS = 20_000

/** For a process that was stopped to be run again and to say what it sees, on a machine that is busy. */
const WAKING_MILLIS = 500

const METADATA = {
  name: 'db',
  labels: { team: 'storage' },
  annotations: { 'example.com/note': 'ours', 'example.com/empty': '' },
}
/** As client-go leaves a Lease behind: all of them can take it. */
const RELEASED = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: METADATA,
  spec: {
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  },
}

describe('electors of other languages', () => {
  const missing = new Map<Kind, string>()
  let candidates: Candidates
  let observer: Observer
  let rotation: Rotation

  before(async function () {
    this.timeout(KINDS.length * BUILD_MILLIS)
    for (const kind of KINDS) {
      const tool = await missingFor(kind)
      if (tool !== undefined) missing.set(kind, tool)
    }
  })
  before(async function () {
    this.timeout(TERMS * TERM_MILLIS)
    await leaderGroupCrd()
    const namespace = await createNamespace('interop')
    must(await (await adminApi()).create<Lease>(Leases, namespace, RELEASED))
    observer = await observe(await sharedCluster(), namespace)
    candidates = await openCandidates(namespace)
    const kinds = KINDS.filter((kind) => !missing.has(kind))
    const { name: lease } = METADATA
    rotation = await rotate({ candidates, kinds, lease, timing: EVERYBODYS_TIMING, terms: TERMS, dice: new Dice(SEED) })
  })
  after(async () => {
    await observer?.[Symbol.asyncDispose]()
    await candidates?.[Symbol.asyncDispose]()
    console.log(`    INTEROP_SEED=${SEED}`)
    if (rotation) console.log(report(rotation, overlaps(candidates.all)))
    else for (const { identity, lines } of candidates?.all ?? []) console.error(identity, JSON.stringify(lines))
  })

  for (const kind of KINDS) {
    it(`lead in their turn, and are followed: ${kind}`, function () {
      const tool = missing.get(kind)
      if (tool !== undefined) {
        console.log(`      skipped: ${tool}`)
        this.skip()
      }
      const endings = rotation.handOvers.filter((each) => each.kind === kind).map(({ ending }) => ending)
      assert.deepEqual([...new Set(endings)].toSorted(), ENDINGS.toSorted())
    })
  }

  it('believe to lead at one time only where that is known of one of them', () => {
    const surprising = overlaps(candidates.all).filter((overlap) => millisOf(overlap) > allowedMillis(overlap))
    assert.deepEqual(surprising, [])
  })

  it('count their terms, leave what else is on the Lease, and ours takes it when it may be taken', async () => {
    const leases = (await observer.history()).flatMap((change) => (change.kind === 'lease' ? [change.object] : []))
    for (const said of checkLeaseHistory(leases, METADATA)) console.log(`      ${said}`)
  })
})

function millisOf({ fromMillis, toMillis }: Overlap): number {
  return toMillis - fromMillis
}

function allowedMillis({ kind, wasPaused }: Overlap): number {
  return wasPaused ? WAKING_MILLIS + (PEERS[kind].afterPause?.value(EVERYBODYS_TIMING) ?? 0) : 0
}

/** One line for each kind and ending of a term, and one for each kind and the ending that it followed. */
function report({ handOvers, broken, lost }: Rotation, found: readonly Overlap[]): string {
  const ended = cells('kind', handOvers).map(([kind, ending, millis]) => {
    const theirs = found.filter((each) => each.kind === kind && each.wasPaused === (ending === 'paused'))
    const longest = Math.round(Math.max(0, ...theirs.map(millisOf)))
    return [kind, ending, ...summary(millis), theirs.length, longest]
  })
  const followed = cells('next', handOvers).map(([kind, ending, millis]) => [kind, ending, ...summary(millis)])
  return [
    ...table(['leader', 'was', 'terms', 'hand-over p50 ms', 'max', 'overlaps', 'longest ms'], ended),
    ...table(['next leader', 'after one', 'terms', 'hand-over p50 ms', 'max'], followed),
    ...broken.map(({ kind, by }) => `    ${kind} ended at the release of ${by}, as is known of it`),
    ...(lost.length > 0 ? [`    terms lost before they were to end: ${lost.join(', ')}`] : []),
  ].join('\n')
}

function cells(by: 'kind' | 'next', handOvers: Rotation['handOvers']): readonly (readonly [Kind, string, number[]])[] {
  return KINDS.flatMap((kind) =>
    ENDINGS.flatMap((ending) => {
      const those = handOvers.filter((each) => each[by] === kind && each.ending === ending)
      return those.length === 0 ? [] : [[kind, ending, those.map(({ millis }) => Math.round(millis))] as const]
    }),
  )
}

/** Count, median and maximum. */
function summary(millis: readonly number[]): readonly number[] {
  const sorted = millis.toSorted((a, b) => a - b)
  return [sorted.length, sorted[Math.floor((sorted.length - 1) / 2)]!, sorted.at(-1)!]
}

function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): readonly string[] {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => String(row[column]).length)))
  return [heads, ...rows].map(
    (row) =>
      `    ${row.map((cell, column) => String(cell)[column < 2 ? 'padEnd' : 'padStart'](widths[column]!)).join('  ')}`,
  )
}
