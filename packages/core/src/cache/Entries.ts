/** The entries of a cache: so many at most, those that were used last. */
import { MutableHashMap, Option } from "effect"
import type { Entry } from "./Freshness.ts"
import { isIn, type Key, type Range, type Structure } from "./Key.ts"

export class Entries {
  /** How many had to go to make room. */
  evictions = 0
  private readonly capacity: number
  /** From the one that was used longest ago. Of equal structures, the first stands for all. */
  private readonly map = new Map<Key, Entry>()
  private readonly structures = MutableHashMap.empty<Structure, Structure>()

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get size(): number {
    return this.map.size
  }

  peek(key: Key): Entry | undefined {
    return this.map.get(this.own(key))
  }

  /** Notes that an entry was used. */
  touch(key: Key, entry: Entry): void {
    const own = this.own(key)
    this.map.delete(own)
    this.map.set(own, entry)
  }

  set(key: Key, entry: Entry): void {
    const own = this.own(key)
    if (typeof own !== "string") MutableHashMap.set(this.structures, own, own)
    this.touch(own, entry)
    while (this.size > this.capacity) {
      const [oldest] = this.map.keys()
      this.remove(oldest!)
      this.evictions++
    }
  }

  /** Changes an entry without using it. */
  replace(key: Key, entry: Entry): void {
    this.map.set(this.own(key), entry)
  }

  remove(key: Key): void {
    const own = this.own(key)
    this.map.delete(own)
    if (typeof own !== "string") MutableHashMap.remove(this.structures, own)
  }

  forget(range: Range): void {
    for (const key of Array.from(this.map.keys())) if (isIn(key, range)) this.remove(key)
  }

  /** The key that stands for this one here. */
  private own(key: Key): Key {
    return typeof key === "string" ? key : Option.getOrElse(MutableHashMap.get(this.structures, key), () => key)
  }
}
