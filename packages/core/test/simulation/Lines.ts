/** Orders of waiting to compare with fair queueing: first come first served, and round robin. */
import type { RequestQueue } from "../../src/limiter/FairQueue.ts"
import type { Flow, Ticket } from "../../src/limiter/Ticket.ts"

/** Whoever asked first goes first. */
export class FirstComeFirstServed implements RequestQueue {
  private readonly tickets = new Set<Ticket>()

  get size(): number {
    return this.tickets.size
  }

  get first(): Ticket | undefined {
    return this.tickets.values().next().value
  }

  add(ticket: Ticket): void {
    this.tickets.add(ticket)
  }

  remove(ticket: Ticket): void {
    this.tickets.delete(ticket)
  }

  begin(): void {}

  take(ticket: Ticket): void {
    this.remove(ticket)
  }

  end(): void {}

  expectedWait(): number {
    return 0
  }
}

/** One of each flow in turn (deficit round robin where all cost the same); flows that are new go before the others. */
export class RoundRobin implements RequestQueue {
  size = 0
  private readonly waiting = new Map<Flow, Set<Ticket>>()
  private readonly fresh = new Set<Flow>()
  private readonly old = new Set<Flow>()

  get first(): Ticket | undefined {
    const flow = this.turn()
    return flow === undefined ? undefined : this.waiting.get(flow)!.values().next().value
  }

  add(ticket: Ticket): void {
    const flow = ticket.flow!
    this.size++
    const waiting = this.waiting.get(flow)
    if (waiting !== undefined) return void waiting.add(ticket)
    this.waiting.set(flow, new Set([ticket]))
    this.fresh.add(flow)
  }

  remove(ticket: Ticket): void {
    const flow = ticket.flow!
    const waiting = this.waiting.get(flow)!
    const wasTurn = this.turn() === flow
    this.size--
    waiting.delete(ticket)
    if (waiting.size > 0 && !wasTurn) return
    this.fresh.delete(flow)
    this.old.delete(flow)
    if (waiting.size > 0) this.old.add(flow)
    else this.waiting.delete(flow)
  }

  begin(): void {}

  take(ticket: Ticket): void {
    this.remove(ticket)
  }

  end(): void {}

  expectedWait(): number {
    return 0
  }

  private turn(): Flow | undefined {
    return this.fresh.values().next().value ?? this.old.values().next().value
  }
}
