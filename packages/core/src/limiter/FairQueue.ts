/**
 * Says whose request is next: tenants and runs without one share a limiter fairly, and so do the runs of each tenant in
 * what it gets (hierarchical start-time fair queueing: see `FairShares`). Of one run the most urgent request goes first.
 *
 * A tenant is known by its name. What it has had counts on when a run of it ends and the next one comes, so that it gets no
 * more by many short runs than by a long one. An idle tenant is forgotten when it owes nothing any more, or after a minute.
 */
import { Heap } from "../base/Heap.ts"
import { FairShares, goesFirst } from "./FairShares.ts"
import { Flow, Tenant, type Ticket } from "./Ticket.ts"

/** For how long what an idle tenant owes is remembered, in milliseconds. */
const memory = 60_000

/** In which order those who wait are served. */
export interface Line {
  readonly size: number
  readonly first: Ticket | undefined
  readonly add: (ticket: Ticket, now: number) => void
  /** A waiter has begun, or has given up. */
  readonly remove: (ticket: Ticket) => void
  /** A ticket gets its permits, which will probably take `guess` milliseconds. If it waited, `remove` comes next. */
  readonly begin: (ticket: Ticket, guess: number, now: number) => void
  readonly end: (ticket: Ticket, took: number, now: number) => void
  /** How long it will probably be until a flow's next request is served, beyond what is in flight. */
  readonly expectedWait: (flow: Flow, limit: number) => number
}

export class FairQueue implements Line {
  size = 0
  private readonly shares = new FairShares<Flow | Tenant>()
  private readonly tenants = new Map<string, Tenant>()
  /** Tenants that are idle and owe something, those that have been idle for longest first. */
  private readonly idle = new Set<Tenant>()

  get first(): Ticket | undefined {
    const next = this.shares.next
    return next instanceof Tenant ? next.runs.next!.first : next?.first
  }

  /** How many tenants it remembers. */
  get known(): number {
    return this.tenants.size
  }

  add(ticket: Ticket, now: number): void {
    const { flow } = ticket.request
    const tenant = this.enter(flow, now)
    this.shares.activate(tenant ?? flow, now)
    tenant?.runs.activate(flow, now)
    this.size++
    const waiting = (flow.waiting ??= new Heap<Ticket>(goesFirst))
    waiting.add(ticket)
    tenant?.runs.enter(flow)
    this.shares.enter(tenant ?? flow)
  }

  remove(ticket: Ticket): void {
    const { flow } = ticket.request
    const tenant = flow.within
    this.size--
    this.shares.pause(tenant ?? flow)
    tenant?.runs.pause(flow)
    flow.waiting!.remove(ticket)
    tenant?.runs.resume(flow)
    this.shares.resume(tenant ?? flow)
    if (tenant?.isIdle === true) this.rest(tenant)
  }

  begin(ticket: Ticket, guess: number, now: number): void {
    const { flow, permits } = ticket.request
    const tenant = this.enter(flow, now)
    ticket.charged = guess
    tenant?.runs.begin(flow, permits, guess * permits, now)
    this.shares.begin(tenant ?? flow, permits, guess * permits, now)
  }

  end(ticket: Ticket, took: number, now: number): void {
    const { flow, permits } = ticket.request
    const tenant = flow.within
    const more = (took - ticket.charged) * permits
    tenant?.runs.end(flow, permits, more, now)
    this.shares.end(tenant ?? flow, permits, more, now)
    if (tenant?.isIdle === true) this.rest(tenant)
  }

  expectedWait(flow: Flow, limit: number): number {
    const tenant = flow.share.tenant === undefined ? undefined : this.tenants.get(flow.share.tenant)
    if (tenant === undefined) return this.shares.before(flow) / limit
    return (this.shares.before(tenant) + this.shares.whileServed(tenant, tenant.runs.before(flow))) / limit
  }

  /** The tenant of a flow that asks: what was forgotten while the flow was idle is made again. */
  private enter(flow: Flow, now: number): Tenant | undefined {
    if (flow.share.tenant === undefined || !flow.isIdle) return flow.within
    this.shares.advance(now)
    const tenant = this.meet(flow.share.tenant)
    if (tenant.isIdle) {
      tenant.weight = flow.share.weight ?? 1
      this.idle.delete(tenant)
    }
    if (flow.within !== tenant) {
      flow.within = tenant
      flow.start = 0
      flow.turn = undefined
    }
    return tenant
  }

  private meet(name: string): Tenant {
    const known = this.tenants.get(name)
    if (known !== undefined && this.matters(known)) return known
    if (known !== undefined) this.forget(known)
    const tenant = new Tenant(name)
    this.tenants.set(name, tenant)
    return tenant
  }

  /** A tenant has become idle. */
  private rest(tenant: Tenant): void {
    tenant.idleSince = this.shares.at
    this.idle.add(tenant)
    for (const one of this.idle) {
      if (this.matters(one)) break
      this.forget(one)
    }
    if (!this.matters(tenant)) this.forget(tenant)
  }

  private matters(tenant: Tenant): boolean {
    return !tenant.isIdle || (this.shares.owes(tenant) && this.shares.at - tenant.idleSince < memory)
  }

  private forget(tenant: Tenant): void {
    this.idle.delete(tenant)
    this.tenants.delete(tenant.name)
  }
}
