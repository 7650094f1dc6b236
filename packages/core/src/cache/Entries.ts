/** The entries of a cache: so many at most, those that were used last. */
import type { Entry } from "./Freshness.ts"
import { type Key, KeyMap, type Range } from "./Key.ts"

export class Entries {
  /** How many had to go to make room. */
  evictions = 0
  private readonly capacity: number
  private readonly byKey = new KeyMap<Entry>()

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get size(): number {
    return this.byKey.size
  }

  peek(key: Key): Entry | undefined {
    return this.byKey.get(key)
  }

  /** Notes that an entry was used. */
  touch(key: Key, entry: Entry): void {
    this.byKey.set(key, entry)
  }

  set(key: Key, entry: Entry): void {
    this.touch(key, entry)
    while (this.size > this.capacity) {
      this.byKey.deleteFirst()
      this.evictions++
    }
  }

  /** Changes an entry without using it. */
  replace(key: Key, entry: Entry): void {
    this.byKey.replace(key, entry)
  }

  remove(key: Key): void {
    this.byKey.delete(key)
  }

  forget(range: Range): void {
    this.byKey.deleteIn(range)
  }
}
