/**
 * Chooses the next request. Tenants, and runs without a tenant, share a limiter fairly, and the runs of a tenant share what
 * it gets (hierarchical start-time fair queueing: see `FairShares`). Within a run the most urgent request goes first.
 *
 * A tenant is identified by its name. The service it has had is kept when one of its runs ends and the next one comes, so
 * many short runs get no more than one long run. An idle tenant is forgotten once it owes nothing, or after a minute.
 */
import { Heap } from "../base/Heap.ts"
import { FairShares, goesFirst } from "./FairShares.ts"
import { Flow, Tenant, type Ticket } from "./Ticket.ts"

/** How long the debt of an idle tenant is kept, in milliseconds. */
const memory = 60_000

/** The order in which waiting requests are served. */
export interface Line {
  readonly size: number
  readonly first: Ticket | undefined
  readonly add: (ticket: Ticket, now: number) => void
  /** Takes out a request that has begun or was given up. */
  readonly remove: (ticket: Ticket) => void
  /** A ticket gets its permits, probably for `guess` milliseconds. If it waited, `remove` follows. */
  readonly begin: (ticket: Ticket, guess: number, now: number) => void
  readonly end: (ticket: Ticket, took: number, now: number) => void
  /** How long it will probably be until a flow's next request is served, beyond what is in flight. */
  readonly expectedWait: (flow: Flow, limit: number) => number
}

export class FairQueue implements Line {
  size = 0
  private readonly shares = new FairShares<Flow | Tenant>()
  private readonly tenants = new Map<string, Tenant>()
  /** Idle tenants with a debt, the longest idle first. */
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

  /** The tenant of a flow that asks, made again if it was forgotten while the flow was idle. */
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
