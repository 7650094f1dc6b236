/** The entries of a cache, bounded by count or by weight. The least recently used ones are evicted. */
import { endOf, type Entry } from "./Freshness.ts"
import { type Key, KeyMap, type Range } from "./Key.ts"

/** The maximal number of entries, and their maximal total weight. */
export interface Room {
  readonly entries: number
  readonly weight: number
}

export class Entries {
  /** Entries that were evicted to make room, or were too heavy to keep. */
  evictions = 0
  /** Entries that were removed because they had expired. */
  expired = 0
  /** The weight of all entries. */
  weight = 0
  /** No entry expires before this instant. */
  endsFrom = Infinity
  /** The same, for the entries that the current round has visited and those that were added since it began. */
  private seenEndsFrom = Infinity
  private readonly room: Room
  private readonly byKey = new KeyMap<Entry>((entry) => {
    this.weight = this.size === 0 ? 0 : this.weight - entry.weight
  })

  constructor(room: Room) {
    this.room = room
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

  /** Adds or replaces an entry. One that is heavier than the whole cache is not kept. */
  set(key: Key, entry: Entry): void {
    this.remove(key)
    if (entry.weight > this.room.weight) {
      this.evictions++
      return
    }
    this.byKey.set(key, entry)
    this.weight += entry.weight
    this.note(entry)
    while (this.size > this.room.entries || this.weight > this.room.weight) {
      this.byKey.deleteFirst()
      this.evictions++
    }
  }

  /** Changes the windows of an entry. This does not count as a use. */
  replace(key: Key, entry: Entry): void {
    this.byKey.replace(key, entry)
    this.note(entry)
  }

  remove(key: Key): void {
    this.byKey.delete(key)
  }

  /** Continues a round through the entries by at most `most`, and removes expired ones. Returns whether the round ended. */
  sweep(now: number, most: number): boolean {
    const hasEnded = this.byKey.visit(most, (entry) => {
      const end = endOf(entry)
      if (now < end) this.seenEndsFrom = Math.min(this.seenEndsFrom, end)
      else this.expired++
      return now < end
    })
    if (!hasEnded) return false
    this.endsFrom = this.seenEndsFrom
    this.seenEndsFrom = Infinity
    return true
  }

  forget(range: Range): void {
    this.byKey.deleteIn(range)
  }

  private note(entry: Entry): void {
    const end = endOf(entry)
    this.endsFrom = Math.min(this.endsFrom, end)
    this.seenEndsFrom = Math.min(this.seenEndsFrom, end)
  }
}
