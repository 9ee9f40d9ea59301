const LENGTH = 8
/** As Kubernetes draws names: no vowels, so that no words come out. */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** Unique for practical purposes: `master-` and 8 random characters. */
export function masterIdentity(random: () => number): string {
  return `master-${Array.from({ length: LENGTH }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join('')}`
}
