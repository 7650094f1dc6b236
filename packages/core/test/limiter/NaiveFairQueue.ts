/** The rules of fair queueing said plainly: it looks at everybody each time. */
interface Waiter {
  readonly id: number
  readonly remaining: number
}

interface NaiveFlow {
  readonly weight: number
  start: number
  holds: number
  waiting: Array<Waiter>
}

export class NaiveFairQueue {
  private readonly flows: ReadonlyArray<NaiveFlow>
  private virtual = 0
  private at = 0

  constructor(weights: ReadonlyArray<number>) {
    this.flows = weights.map((weight) => ({ weight, start: 0, holds: 0, waiting: [] }))
  }

  first(): number | undefined {
    const waiting = this.flows.flatMap((flow) => flow.waiting.map((waiter) => ({ flow, waiter })))
    waiting.sort(
      (a, b) => a.flow.start - b.flow.start || b.waiter.remaining - a.waiter.remaining || a.waiter.id - b.waiter.id
    )
    return waiting[0]?.waiter.id
  }

  add(flow: number, waiter: Waiter, now: number): void {
    this.enter(flow, now)
    this.flows[flow]!.waiting.push(waiter)
  }

  remove(flow: number, id: number): void {
    this.flows[flow]!.waiting = this.flows[flow]!.waiting.filter((waiter) => waiter.id !== id)
  }

  begin(flow: number, guess: number, now: number): void {
    this.enter(flow, now)
    const { start, weight } = this.flows[flow]!
    this.virtual = Math.max(this.virtual, start)
    this.flows[flow]!.holds++
    this.flows[flow]!.start += guess / weight
  }

  end(flow: number, charged: number, took: number, now: number): void {
    this.advance(now)
    this.flows[flow]!.holds--
    this.flows[flow]!.start += (took - charged) / this.flows[flow]!.weight
  }

  private enter(flow: number, now: number): void {
    this.advance(now)
    const entering = this.flows[flow]!
    if (entering.holds === 0 && entering.waiting.length === 0) {
      entering.start = Math.max(entering.start - 200, this.virtual)
    }
  }

  private advance(now: number): void {
    const active = this.flows.filter(({ holds, waiting }) => holds > 0 || waiting.length > 0)
    const weight = active.reduce((sum, flow) => sum + flow.weight, 0)
    const inUse = this.flows.reduce((sum, { holds }) => sum + holds, 0)
    if (weight > 0) this.virtual += ((now - this.at) * inUse) / weight / 8
    this.at = now
  }
}
