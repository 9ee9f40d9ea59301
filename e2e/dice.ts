/** Choices that a seed decides. */
export class Dice {
  /** Uniform in [0, 1). */
  readonly random: () => number

  constructor(seed: number) {
    this.random = randomFrom(seed)
  }

  /** Uniform in [from, to). */
  between(from: number, to: number): number {
    return from + this.random() * (to - from)
  }

  /** In [from, to), each order of magnitude as often as the next. */
  acrossScales(from: number, to: number): number {
    return from * (to / from) ** this.random()
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!
  }

  /** One of the keys, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K {
    const entries = Object.entries(weights) as [K, number][]
    let left = this.random() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    return (entries.find(([, weight]) => (left -= weight) < 0) ?? entries.at(-1)!)[0]
  }

  shuffled<T>(items: readonly T[]): readonly T[] {
    return items
      .map((item) => ({ item, at: this.random() }))
      .toSorted((x, y) => x.at - y.at)
      .map(({ item }) => item)
  }

  /** Dice of their own, which go on alike however often these are thrown. */
  fork(): Dice {
    return new Dice(Math.trunc(this.random() * 2 ** 32))
  }
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
