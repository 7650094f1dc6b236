/** The rules of fair queueing said plainly: it looks at everybody each time. */
interface Waiter {
  readonly id: number
  readonly remaining: number
}

interface NaiveFlow {
  readonly weight: number
  start: number
  holds: number
  /** When it is its turn; `order` is that of the moments in which this was said. */
  turn: { readonly at: number; readonly order: number }
  waiting: Array<Waiter>
}

export class NaiveFairQueue {
  private readonly flows: ReadonlyArray<NaiveFlow>
  private virtual = 0
  private at = 0
  private sinceTurn = 0
  private ordered = 0

  constructor(weights: ReadonlyArray<number>) {
    this.flows = weights.map((weight) => ({ weight, start: 0, holds: 0, turn: { at: 0, order: 0 }, waiting: [] }))
  }

  first(): number | undefined {
    const [overdue] = this.waiting()
      .filter(({ turn }) => turn.at <= this.at)
      .toSorted((a, b) => a.turn.at - b.turn.at || a.turn.order - b.turn.order)
    const flow = this.sinceTurn >= 7 && overdue !== undefined ? overdue : this.furthestBehind()
    return flow && this.firstOf(flow).id
  }

  add(flow: number, waiter: Waiter, now: number): void {
    this.enter(flow, now)
    this.flows[flow]!.waiting.push(waiter)
  }

  remove(flow: number, id: number): void {
    this.flows[flow]!.waiting = this.flows[flow]!.waiting.filter((waiter) => waiter.id !== id)
  }

  /** One that waits begins. */
  begin(flow: number, guess: number, now: number): void {
    this.enter(flow, now)
    const beginning = this.flows[flow]!
    const behind = this.furthestBehind()!
    this.virtual = Math.max(this.virtual, behind.start)
    this.sinceTurn = behind === beginning ? this.sinceTurn + 1 : 0
    this.setTurn(beginning, behind === beginning ? now + 2000 : now)
    beginning.holds++
    beginning.start += guess / beginning.weight
  }

  end(flow: number, charged: number, took: number, now: number): void {
    this.advance(now)
    this.flows[flow]!.holds--
    this.flows[flow]!.start += (took - charged) / this.flows[flow]!.weight
  }

  private waiting(): ReadonlyArray<NaiveFlow> {
    return this.flows.filter(({ waiting }) => waiting.length > 0)
  }

  private firstOf({ waiting }: NaiveFlow): Waiter {
    return waiting.toSorted((a, b) => b.remaining - a.remaining || a.id - b.id)[0]!
  }

  private furthestBehind(): NaiveFlow | undefined {
    return this.waiting().toSorted((a, b) => {
      const [first, second] = [this.firstOf(a), this.firstOf(b)]
      return a.start - b.start || second.remaining - first.remaining || first.id - second.id
    })[0]
  }

  private setTurn(flow: NaiveFlow, at: number): void {
    flow.turn = { at, order: this.ordered++ }
  }

  private enter(flow: number, now: number): void {
    this.advance(now)
    const entering = this.flows[flow]!
    if (entering.holds === 0 && entering.waiting.length === 0) {
      entering.start = Math.max(entering.start - 200, this.virtual)
      this.setTurn(entering, now + 2000)
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
