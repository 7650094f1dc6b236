/** The entries of a cache: so many at most, those that were used last. */
import { MutableHashMap, Option } from "effect"
import type { Entry } from "./Freshness.ts"
import { isIn, type Key, type Range } from "./Key.ts"

export class Entries {
  /** How many had to go to make room. */
  evictions = 0
  private readonly capacity: number
  /** From the one that was used longest ago. */
  private readonly map = MutableHashMap.empty<Key, Entry>()

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get size(): number {
    return MutableHashMap.size(this.map)
  }

  peek(key: Key): Entry | undefined {
    return Option.getOrUndefined(MutableHashMap.get(this.map, key))
  }

  /** Notes that an entry was used. */
  touch(key: Key, entry: Entry): void {
    MutableHashMap.remove(this.map, key)
    MutableHashMap.set(this.map, key, entry)
  }

  set(key: Key, entry: Entry): void {
    this.touch(key, entry)
    while (this.size > this.capacity) {
      const [oldest] = MutableHashMap.keys(this.map)
      MutableHashMap.remove(this.map, oldest!)
      this.evictions++
    }
  }

  remove(key: Key): void {
    MutableHashMap.remove(this.map, key)
  }

  forget(range: Range): void {
    for (const key of Array.from(MutableHashMap.keys(this.map))) if (isIn(key, range)) this.remove(key)
  }
}
