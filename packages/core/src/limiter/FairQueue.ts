/**
 * Chooses the next request. Tenants, and runs without a tenant, share a limiter fairly, and the runs of a tenant share what
 * it gets (hierarchical start-time fair queueing: see `FairShares`). Within a run the most urgent request goes first.
 *
 * A tenant is identified by its name. The service it has had is kept when one of its runs ends and the next one comes, so
 * many short runs get no more than one long run. An idle tenant is forgotten once it owes nothing, or after a minute.
 */
import { FairShares, isIdle } from "./FairShares.ts"
import { Flow, Tenant, type Ticket } from "./Ticket.ts"

/** How long the debt of an idle tenant is kept, in milliseconds. */
const memory = 60_000

/** The order in which waiting requests are served. */
export interface RequestQueue {
  /** How many requests wait. */
  readonly size: number
  readonly first: Ticket | undefined
  readonly add: (ticket: Ticket, now: number) => void
  /** Removes a request that has been refused or has given up. */
  readonly remove: (ticket: Ticket) => void
  /** A ticket gets its permits without waiting, probably for `guess` milliseconds. */
  readonly begin: (ticket: Ticket, guess: number, now: number) => void
  /** A waiting ticket gets its permits, and waits no more. */
  readonly take: (ticket: Ticket, guess: number, now: number) => void
  readonly end: (ticket: Ticket, took: number, now: number) => void
  /** The probable wait of a flow's next request, after everything in flight. */
  readonly expectedWait: (flow: Flow | undefined, limit: number) => number
}

export class FairQueue implements RequestQueue {
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
    const flow = (ticket.flow ??= new Flow(ticket.request.share))
    const tenant = this.enter(flow, now)
    this.shares.activate(tenant ?? flow, now)
    tenant?.runs.activate(flow, now)
    this.size++
    flow.add(ticket)
    tenant?.runs.enter(flow)
    this.shares.enter(tenant ?? flow)
  }

  remove(ticket: Ticket): void {
    const flow = ticket.flow!
    const tenant = flow.within
    this.size--
    flow.remove(ticket)
    tenant?.runs.leave(flow)
    this.shares.leave(tenant ?? flow)
    if (tenant !== undefined && isIdle(tenant)) this.rest(tenant)
  }

  begin(ticket: Ticket, guess: number, now: number): void {
    const { flow, request } = ticket
    const { permits } = request
    if (flow === undefined) return this.shares.beginAlone(request.share?.weight ?? 1, permits, now)
    const tenant = this.enter(flow, now)
    ticket.charged = guess
    tenant?.runs.begin(flow, permits, guess * permits, now)
    this.shares.begin(tenant ?? flow, permits, guess * permits, now)
  }

  take(ticket: Ticket, guess: number, now: number): void {
    const { permits } = ticket.request
    const flow = ticket.flow!
    const tenant = flow.within
    this.size--
    ticket.charged = guess
    flow.remove(ticket)
    tenant?.runs.take(flow, permits, guess * permits, now)
    this.shares.take(tenant ?? flow, permits, guess * permits, now)
  }

  end(ticket: Ticket, took: number, now: number): void {
    const { flow, request } = ticket
    const { permits } = request
    if (flow === undefined) return this.shares.endAlone(request.share?.weight ?? 1, permits, now)
    const tenant = flow.within
    const more = (took - ticket.charged) * permits
    tenant?.runs.end(flow, permits, more, now)
    this.shares.end(tenant ?? flow, permits, more, now)
    if (tenant !== undefined && isIdle(tenant)) this.rest(tenant)
  }

  expectedWait(flow: Flow | undefined, limit: number): number {
    // A new member goes before all that have had more.
    if (flow === undefined) return 0
    const tenant = flow.share.tenant === undefined ? undefined : this.tenants.get(flow.share.tenant)
    if (tenant === undefined) return this.shares.before(flow) / limit
    return (this.shares.before(tenant) + this.shares.whileServed(tenant, tenant.runs.before(flow))) / limit
  }

  /** The tenant of a flow that asks, made again if it was forgotten while the flow was idle. */
  private enter(flow: Flow, now: number): Tenant | undefined {
    if (flow.share.tenant === undefined || !isIdle(flow)) return flow.within
    this.shares.advance(now)
    const tenant = this.meet(flow.share.tenant)
    if (isIdle(tenant)) {
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
    return !isIdle(tenant) || (this.shares.owes(tenant) && this.shares.at - tenant.idleSince < memory)
  }

  private forget(tenant: Tenant): void {
    this.idle.delete(tenant)
    this.tenants.delete(tenant.name)
  }
}
