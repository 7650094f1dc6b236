/** The entries of a cache: as many, or as heavy ones, as it has room for. Those that were used last stay. */
import { endOf, type Entry } from "./Freshness.ts"
import { type Key, KeyMap, type Range } from "./Key.ts"

/** How many entries there may be, and how much they may weigh together. */
export interface Room {
  readonly entries: number
  readonly weight: number
}

export class Entries {
  /** How many had to go to make room, or found none. */
  evictions = 0
  /** How many were removed because they were over. */
  expired = 0
  /** What all of them weigh. */
  weight = 0
  /** No entry is over before this. */
  endsFrom = Infinity
  /** The same for what the present round has seen, and what came since it began. */
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

  /** Puts an entry in the place of the one that there was. One that is too heavy for the whole cache is not kept. */
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

  /** Changes when an entry ends, without using it. */
  replace(key: Key, entry: Entry): void {
    this.byKey.replace(key, entry)
    this.note(entry)
  }

  remove(key: Key): void {
    this.byKey.delete(key)
  }

  /** Goes on with a round through the entries, by so many at most, and removes what is over. Says whether the round ended. */
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
