/**
 * The places that a run's `concurrency` gives to attempts, and who waits for one.
 *
 * Whoever waits is known by its step's index, and each step waits for at most one slot at a time. The most urgent goes
 * first. Taking and returning cost O(log n) in the number of those who wait.
 */
export class Slots {
  private free: number
  private readonly urgency: Int32Array
  /** A binary heap of step indices, the most urgent first. */
  private readonly heap: Array<number> = []
  /** What to do when a step's turn comes, for those that wait in the middle of their work. */
  private readonly resumes = new Map<number, () => void>()
  private readonly cancelled = new Set<number>()

  constructor(limit: number, urgency: Int32Array) {
    this.free = limit
    this.urgency = urgency
  }

  /** Whether a step that asked now would have to wait. */
  get full(): boolean {
    return this.free <= this.heap.length - this.cancelled.size
  }

  request(index: number, resume?: () => void): void {
    if (resume !== undefined) this.resumes.set(index, resume)
    if (!this.cancelled.delete(index)) this.push(index)
  }

  /** A step no longer waits. Its place in the heap is dropped when its turn comes. */
  cancel(index: number): void {
    if (this.resumes.delete(index)) this.cancelled.add(index)
  }

  release(): void {
    this.free++
  }

  /** Takes a slot for the most urgent of those who wait, and says who that is. */
  take(): { readonly index: number; readonly resume: (() => void) | undefined } | undefined {
    while (this.free > 0 && this.heap.length > 0) {
      const index = this.pop()
      if (this.cancelled.delete(index)) continue
      this.free--
      const resume = this.resumes.get(index)
      this.resumes.delete(index)
      return { index, resume }
    }
    return undefined
  }

  private before(a: number, b: number): boolean {
    return this.urgency[a]! < this.urgency[b]!
  }

  private push(index: number): void {
    const heap = this.heap
    let i = heap.length
    heap.push(index)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.before(index, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = index
  }

  private pop(): number {
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
