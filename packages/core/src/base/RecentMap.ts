/**
 * A map with a bounded number of keys, which drops the least recently used ones.
 *
 * It has two generations. A key that is used moves to the younger one. When that has half of the keys, it becomes the older
 * one, and those of the older one that were not used meanwhile are removed. So a use costs one look-up, less than a list in
 * the order of use would, and the most recently used half of the keys is always there.
 */
export class RecentMap<V extends {}> {
  private young = new Map<string, V>()
  private old = new Map<string, V>()
  private readonly half: number

  /** `most` is the maximal number of keys, at least 2. */
  constructor(most: number) {
    this.half = Math.floor(most / 2)
  }

  /** An upper bound of the number of values now. */
  get size(): number {
    return this.young.size + this.old.size
  }

  /** The value of a key, which counts as used. */
  get(key: string): V | undefined {
    const found = this.young.get(key)
    if (found !== undefined) return found
    const older = this.old.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  /** The value of a key, which does not count as used. */
  peek(key: string): V | undefined {
    return this.young.get(key) ?? this.old.get(key)
  }

  set(key: string, value: V): void {
    this.old.delete(key)
    if (this.young.size >= this.half && !this.young.has(key)) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(key, value)
  }
}
