/** How many times as often as usual properties are tried: `npm run fuzz` sets it. */
const TIMES = Number(process.env['FUZZ_TIMES'] ?? 1)

/** How often fast-check tries a property: `bounded` in the unit tests, a multiple of it in a long run. */
export function runs(bounded: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(bounded * TIMES) }
}
