/** The rules of fair queueing said plainly: it looks at every member each time. */
interface Waiter {
  readonly id: number
  readonly remaining: number
}

/** A run, or all runs of a tenant. */
interface Member {
  readonly weight: number
  start: number
  /** Only of members that have had to wait. */
  ideal: number | undefined
  holds: number
  since: number
  /** The requests that wait: of a run its own, of a tenant those of its runs. */
  readonly waiting: () => ReadonlyArray<Waiter>
  /** The one of them that counts where members have had the same. */
  readonly first: () => Waiter
}

const isActive = ({ holds, waiting }: Member): boolean => holds > 0 || waiting().length > 0

const firstOf = (waiting: ReadonlyArray<Waiter>): Waiter =>
  waiting.toSorted((a, b) => b.remaining - a.remaining || a.id - b.id)[0]!

/** What divides permits between members. */
class Shares<M extends Member> {
  members: Array<M> = []
  virtual = 0
  private passed = 0
  private passedIdeal = 0
  ideal = 0
  private at = 0
  private rate = 0
  private sinceTurn = 0
  private entered = 0

  next(): M | undefined {
    const first = this.mostBehindIdeal()
    const isTurn = this.sinceTurn >= 7 && first !== undefined && this.lack(first) >= 2000 * this.rate
    return isTurn ? first : this.furthestBehind()
  }

  furthestBehind(): M | undefined {
    return this.waiting().toSorted((a, b) => {
      const [first, second] = [a.first(), b.first()]
      const byStart = a.start + 10 / a.weight - (b.start + 10 / b.weight)
      return byStart || second.remaining - first.remaining || first.id - second.id
    })[0]
  }

  advance(now: number): void {
    const active = this.members.filter(isActive)
    const weight = active.reduce((sum, one) => sum + one.weight, 0)
    const inUse = this.members.reduce((sum, { holds }) => sum + holds, 0)
    if (now > this.at && weight > 0) {
      this.rate = inUse / weight
      const passed = (now - this.at) * this.rate
      this.virtual += passed / 8
      const first = this.mostBehindIdeal()
      const most = first === undefined ? Infinity : first.ideal! + 10 / first.weight + 2000 * this.rate
      this.ideal = Math.max(this.ideal, Math.min(this.ideal + passed, most))
    }
    this.at = now
  }

  enter(member: M, now: number): void {
    this.advance(now)
    if (!this.members.includes(member)) this.members.push(member)
    if (member.waiting().length > 0) return
    if (member.holds === 0) {
      member.start = Math.max(member.start - 200, this.virtual)
      if (member.ideal !== undefined) member.ideal = Math.max(member.ideal, this.ideal)
    } else {
      member.start = Math.max(member.start, this.passed - 10 / member.weight)
      const lowest = Math.min(this.passedIdeal, this.ideal - 2000 * this.rate)
      if (member.ideal !== undefined) member.ideal = Math.max(member.ideal, lowest - 10 / member.weight)
    }
  }

  wait(member: M): void {
    if (member.waiting().length > 0) return
    member.ideal ??= this.ideal
    member.since = this.entered++
  }

  begin(member: M, guess: number): void {
    const behind = this.furthestBehind()
    const { start, weight } = behind ?? member
    this.virtual = Math.max(this.virtual, start)
    this.passed = Math.max(this.passed, start + 10 / weight)
    const first = this.mostBehindIdeal()
    if (first !== undefined) this.passedIdeal = Math.max(this.passedIdeal, first.ideal! + 10 / first.weight)
    this.sinceTurn = behind === undefined || behind === member ? this.sinceTurn + 1 : 0
    member.holds++
    this.charge(member, guess)
  }

  end(member: M, more: number, now: number): void {
    this.advance(now)
    member.holds--
    this.charge(member, more)
  }

  private charge(member: M, cost: number): void {
    member.start += cost / member.weight
    if (member.ideal !== undefined) member.ideal += cost / member.weight
  }

  private waiting(): ReadonlyArray<M> {
    return this.members.filter((member) => member.waiting().length > 0)
  }

  private lack({ ideal, weight }: M): number {
    return this.ideal - (ideal! + 10 / weight)
  }

  private mostBehindIdeal(): M | undefined {
    return this.waiting().toSorted((a, b) => this.lack(b) - this.lack(a) || a.since - b.since)[0]
  }
}

class Run implements Member {
  readonly weight: number
  readonly tenant: string | undefined
  start = 0
  ideal: number | undefined = undefined
  holds = 0
  since = 0
  within: Tenant | undefined = undefined
  requests: Array<Waiter> = []
  readonly waiting = () => this.requests
  readonly first = () => firstOf(this.requests)

  constructor(weight: number, tenant: string | undefined) {
    this.weight = tenant === undefined ? weight : 1
    this.tenant = tenant
  }
}

class Tenant implements Member {
  readonly weight: number
  start = 0
  ideal: number | undefined = undefined
  holds = 0
  since = 0
  idleSince = 0
  readonly runs = new Shares<Run>()
  readonly waiting = () => this.runs.members.flatMap(({ requests }) => requests)
  readonly first = () => this.runs.furthestBehind()!.first()

  constructor(weight: number) {
    this.weight = weight
  }
}

export interface NaiveRun {
  readonly weight: number
  readonly tenant: string | undefined
}

export class NaiveFairQueue {
  private readonly shares = new Shares<Run | Tenant>()
  private readonly tenants = new Map<string, Tenant>()
  private readonly runs: ReadonlyArray<Run>
  private readonly weights: ReadonlyArray<number>
  private now = 0

  constructor(runs: ReadonlyArray<NaiveRun>) {
    this.runs = runs.map(({ tenant, weight }) => new Run(weight, tenant))
    this.weights = runs.map(({ weight }) => weight)
  }

  first(): number | undefined {
    const next = this.shares.next()
    const run = next instanceof Tenant ? next.runs.next() : next
    return run?.first().id
  }

  add(run: number, waiter: Waiter, now: number): void {
    this.enter(run, now)
    const waiting = this.runs[run]!
    this.shares.wait(waiting.within ?? waiting)
    waiting.within?.runs.wait(waiting)
    waiting.requests.push(waiter)
  }

  remove(run: number, id: number): void {
    const { requests, within } = this.runs[run]!
    this.runs[run]!.requests = requests.filter((waiter) => waiter.id !== id)
    if (within !== undefined && !isActive(within)) within.idleSince = this.now
  }

  begin(index: number, guess: number, now: number): void {
    this.enter(index, now)
    const run = this.runs[index]!
    run.within?.runs.begin(run, guess)
    this.shares.begin(run.within ?? run, guess)
  }

  end(index: number, charged: number, took: number, now: number): void {
    const run = this.runs[index]!
    this.now = now
    run.within?.runs.end(run, took - charged, now)
    this.shares.end(run.within ?? run, took - charged, now)
    if (run.within !== undefined && !isActive(run.within)) run.within.idleSince = now
  }

  private enter(index: number, now: number): void {
    const run = this.runs[index]!
    this.now = now
    if (run.tenant !== undefined && !isActive(run)) {
      this.shares.advance(now)
      const tenant = this.tenantOf(run.tenant, this.weights[index]!)
      if (run.within !== tenant) Object.assign(run, { start: 0, ideal: undefined })
      run.within = tenant
    }
    this.shares.enter(run.within ?? run, now)
    run.within?.runs.enter(run, now)
  }

  /** A tenant that is idle, and owes nothing or has been idle for a minute, is as one that was never seen. */
  private tenantOf(name: string, weight: number): Tenant {
    const known = this.tenants.get(name)
    if (known !== undefined && isActive(known)) return known
    const owes = known !== undefined && known.start - 200 > this.shares.virtual
    const tenant = new Tenant(weight)
    this.tenants.set(name, tenant)
    this.shares.members = this.shares.members.filter((member) => member !== known)
    if (!owes || this.now - known.idleSince >= 60_000) return tenant
    for (const run of this.runs) if (run.within === known) run.within = tenant
    return Object.assign(tenant, { start: known.start, ideal: known.ideal, runs: known.runs })
  }
}
