/** The rules of fair queueing said plainly: it looks at everybody each time. */
interface Waiter {
  readonly id: number
  readonly remaining: number
  readonly since: number
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
  private sinceOldest = 0

  constructor(weights: ReadonlyArray<number>) {
    this.flows = weights.map((weight) => ({ weight, start: 0, holds: 0, waiting: [] }))
  }

  first(): number | undefined {
    const oldest = this.oldest()
    if (this.sinceOldest >= 7 && oldest !== undefined && this.at - oldest.since >= 2000) return oldest.id
    const waiting = this.flows.flatMap((flow) => flow.waiting.map((waiter) => ({ flow, waiter })))
    waiting.sort(
      (a, b) => a.flow.start - b.flow.start || b.waiter.remaining - a.waiter.remaining || a.waiter.id - b.waiter.id
    )
    return waiting[0]?.waiter.id
  }

  add(flow: number, waiter: Omit<Waiter, "since">, now: number): void {
    this.enter(flow, now)
    this.flows[flow]!.waiting.push({ ...waiter, since: now })
  }

  remove(flow: number, id: number): void {
    this.flows[flow]!.waiting = this.flows[flow]!.waiting.filter((waiter) => waiter.id !== id)
  }

  begin(flow: number, id: number, guess: number, now: number): void {
    this.enter(flow, now)
    const { weight } = this.flows[flow]!
    const starts = this.flows.flatMap(({ start, waiting }) => (waiting.length > 0 ? [start] : []))
    this.virtual = Math.max(this.virtual, Math.min(...starts))
    this.sinceOldest = this.oldest()?.id === id ? 0 : this.sinceOldest + 1
    this.flows[flow]!.holds++
    this.flows[flow]!.start += guess / weight
  }

  end(flow: number, charged: number, took: number, now: number): void {
    this.advance(now)
    this.flows[flow]!.holds--
    this.flows[flow]!.start += (took - charged) / this.flows[flow]!.weight
  }

  private oldest(): Waiter | undefined {
    return this.flows.flatMap(({ waiting }) => waiting).toSorted((a, b) => a.id - b.id)[0]
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
