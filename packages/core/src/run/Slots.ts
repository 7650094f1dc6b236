/**
 * The places that a run's `concurrency` gives to attempts, and who waits for one.
 *
 * The most urgent goes first; of one step's, whoever asked first. Asking and taking cost O(log n) in the number of
 * those who wait.
 */

/** Somebody who waits: a step that has yet to begin, or an attempt in the middle of its step. */
export interface Waiter {
  readonly index: number
  readonly order: number
  /** What to do when its turn comes; a step that has yet to begin is begun by whoever takes it. */
  readonly resume: (() => void) | undefined
  waits: boolean
}

export class Slots {
  private free: number
  private asked = 0
  private readonly urgency: Int32Array
  /** A binary heap, the most urgent first. Who no longer waits is dropped when their turn comes. */
  private readonly heap: Array<Waiter> = []

  constructor(limit: number, urgency: Int32Array) {
    this.free = limit
    this.urgency = urgency
  }

  request(index: number, resume?: () => void): Waiter {
    const waiter = { index, order: this.asked++, resume, waits: true }
    this.push(waiter)
    return waiter
  }

  release(): void {
    this.free++
  }

  /** Takes a slot for the most urgent of those who wait, and says who that is. */
  take(): Waiter | undefined {
    while (this.free > 0 && this.heap.length > 0) {
      const waiter = this.pop()
      if (!waiter.waits) continue
      this.free--
      waiter.waits = false
      return waiter
    }
    return undefined
  }

  private before(a: Waiter, b: Waiter): boolean {
    const apart = this.urgency[a.index]! - this.urgency[b.index]!
    return apart === 0 ? a.order < b.order : apart < 0
  }

  private push(waiter: Waiter): void {
    const heap = this.heap
    let i = heap.length
    heap.push(waiter)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.before(waiter, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = waiter
  }

  private pop(): Waiter {
    const heap = this.heap
    const top = heap[0]!
    const last = heap.pop()!
    const size = heap.length
    if (size === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= size) break
      if (child + 1 < size && this.before(heap[child + 1]!, heap[child]!)) child++
      if (!this.before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return top
  }
}
