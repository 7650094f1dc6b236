/**
 * The places that a run's `concurrency` gives to attempts, and who waits for one.
 *
 * The most urgent goes first; of one step's, whoever asked first. Asking and taking cost O(log n) in the number of
 * those who wait. A run inside another one needs a slot of both for each attempt: it takes its own first, and holds
 * neither while it waits.
 */

/** Somebody who waits: a step that has yet to begin, or an attempt in the middle of its step. */
export interface Waiter {
  readonly index: number
  readonly order: number
  /** What to do when its turn comes; a step that has yet to begin is begun by whoever takes it. */
  readonly resume: (() => void) | undefined
  waits: boolean
}

/** The slots of the run around. */
export interface OuterSlots {
  readonly limit: number
  /** Asks for a slot; `resume` is called when there is one. */
  readonly request: (resume: () => void) => { waits: boolean }
  /** Gives a slot back. Nobody is told yet. */
  readonly release: () => void
  /** Says that somebody may be able to take a slot. */
  readonly offer: () => void
}

export class Slots {
  /** How many can be had at once, here and around. */
  readonly limit: number
  /** Told when a slot of the run around has come. */
  onGranted: () => void = () => {}
  private free: number
  private asked = 0
  private readonly urgency: Int32Array
  private readonly outer: Outer | undefined
  /** A binary heap, the most urgent first. Who no longer waits is dropped when their turn comes. */
  private readonly heap: Array<Waiter> = []

  constructor(limit: number, urgency: Int32Array, outer?: OuterSlots) {
    this.limit = Math.min(limit, outer?.limit ?? Infinity)
    this.free = limit
    this.urgency = urgency
    this.outer = outer === undefined ? undefined : new Outer(outer, () => this.onGranted())
  }

  request(index: number, resume?: () => void): Waiter {
    const waiter = { index, order: this.asked++, resume, waits: true }
    this.push(waiter)
    return waiter
  }

  release(): void {
    this.free++
    this.outer?.release()
  }

  /** Takes a slot for the most urgent of those who wait, and says who that is. */
  take(): Waiter | undefined {
    while (this.heap.length > 0 && !this.heap[0]!.waits) this.pop()
    if (this.heap.length === 0) this.outer?.giveBack()
    if (this.heap.length === 0 || !this.mayTake()) return undefined
    const waiter = this.pop()
    this.free--
    waiter.waits = false
    return waiter
  }

  /** Nobody will take a slot any more. */
  withdraw(): void {
    this.outer?.withdraw()
  }

  /** The run is over: who is around may take what it gave back. */
  close(): void {
    this.outer?.giveBack()
  }

  private mayTake(): boolean {
    if (this.free > 0) return this.outer === undefined || this.outer.take()
    this.outer?.offer()
    return false
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

/** What a run has of the slots around it: those that were granted and are not used yet, and the one it has asked for. */
class Outer {
  private readonly slots: OuterSlots
  private readonly onGranted: () => void
  private granted = 0
  private asked: { waits: boolean } | undefined = undefined
  /** Whether a slot was given back, and nobody around has been told. */
  private hasNews = false
  private withdrawn = false

  constructor(slots: OuterSlots, onGranted: () => void) {
    this.slots = slots
    this.onGranted = onGranted
  }

  /** Uses a granted slot, or asks for one; `false` where there is none yet. */
  take(): boolean {
    if (this.granted === 0 && this.asked === undefined) {
      this.asked = this.slots.request(() => this.grant())
      this.hasNews = true
    }
    if (this.granted === 0) this.offer()
    if (this.granted === 0) return false
    this.granted--
    return true
  }

  release(): void {
    this.slots.release()
    this.hasNews = true
  }

  offer(): void {
    if (!this.hasNews) return
    this.hasNews = false
    this.slots.offer()
  }

  /** Gives back what nobody here waits for. */
  giveBack(): void {
    this.dropAll()
    this.offer()
  }

  /** As `giveBack`, but what the end of this run means for who is around is not known yet: nobody is told. */
  withdraw(): void {
    this.withdrawn = true
    this.dropAll()
  }

  private dropAll(): void {
    if (this.asked !== undefined) this.asked.waits = false
    this.asked = undefined
    for (; this.granted > 0; this.granted--) this.release()
  }

  private grant(): void {
    this.asked = undefined
    this.granted++
    if (this.withdrawn) this.dropAll()
    else this.onGranted()
  }
}
