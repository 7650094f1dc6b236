/**
 * A binary heap whose items know their index, so that an item in the middle can be removed. Each operation costs O(log n).
 */

/** An item of a heap. It can be in one heap at a time. */
export interface Placed {
  /** Its index in the heap; -1 outside. */
  place: number
}

export class Heap<T extends Placed> {
  private readonly items: Array<T> = []
  private readonly before: (a: T, b: T) => boolean

  constructor(before: (a: T, b: T) => boolean) {
    this.before = before
  }

  get size(): number {
    return this.items.length
  }

  get first(): T | undefined {
    return this.items[0]
  }

  add(item: T): void {
    this.items.push(item)
    this.rise(item, this.items.length - 1)
  }

  remove(item: T): void {
    const { place } = item
    const last = this.items.pop()!
    item.place = -1
    // The last item nearly always belongs at the bottom again: filling the gap first takes half of the comparisons.
    if (last !== item) this.rise(last, this.fillGap(place))
  }

  /** Keeps the items that fulfil a predicate, and removes the others. */
  keep(isKept: (item: T) => boolean): void {
    for (const item of this.items.splice(0)) {
      item.place = -1
      if (isKept(item)) this.add(item)
    }
  }

  /** Moves an item to its right position, after a change of its order. */
  moved(item: T): void {
    this.rise(item, this.fillGap(item.place))
  }

  private put(item: T, place: number): void {
    this.items[place] = item
    item.place = place
  }

  /** Moves children up into a gap until it is at the bottom, and returns its index there. */
  private fillGap(from: number): number {
    const { items } = this
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= items.length) return place
      if (child + 1 < items.length && this.before(items[child + 1]!, items[child]!)) child++
      this.put(items[child]!, place)
      place = child
    }
  }

  private rise(item: T, from: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!this.before(item, this.items[parent]!)) break
      this.put(this.items[parent]!, place)
      place = parent
    }
    this.put(item, place)
  }
}
