/**
 * Divides a limiter between its members by weight: start-time fair queueing, with as many requests in service as there are
 * permits.
 *
 *  1. A member's `start` is the service that it has had, divided by its weight, plus a small sum divided by its weight. The
 *     member with the lowest start goes next; the sum lets the heavier of two members with equal service go first.
 *  2. A request is charged its probable time when it begins, and its real time when it ends.
 *  3. Virtual time is the start of the member that is furthest behind. A member that begins to wait starts there at the
 *     least, so idle time earns no credit; a debt beyond a small sum remains. So neither the first loads of a new run nor
 *     the next ones of a small run wait for a big one.
 *  4. Virtual time also advances by itself, at a fraction of the rate at which a member of weight 1 would be served by its
 *     fair share. So debts lapse, also while new members keep coming.
 *  5. Ideal time advances at that whole rate. One turn in eight goes to a member far behind it, in the order of the service
 *     that each has had by that clock. So a flood of new members leaves each member a part of its fair share, and no
 *     turn gives a member more than its fair share.
 *  6. Ties go by the longest remaining path, then by the order of asking.
 *
 * The services of two members that wait all the time, each divided by its weight, differ by `(n + 1) * (a + b)` at most, where
 * `n` permits are in use, and `a` and `b` are the longest request of each divided by its weight, at least the small sum of 1: Goyal,
 * Vin and Cheng, "Start-time Fair Queueing" (SIGCOMM 1996) for one permit; Jin, Chase and Kaur, "Interposed Proportional
 * Sharing for a Storage Service Utility" (SIGMETRICS 2004) for several. Turns add the lag of a member when they began.
 */
import { Heap, type Placed } from "../base/Heap.ts"

/** The service that a new member counts as having had, in milliseconds of one permit. */
const small = 10
/** The debt that a member which was idle does not wait for, in milliseconds of one permit at weight 1. */
const forgiven = 200
/** How fast virtual time advances by itself, relative to the fair rate. */
const lapse = 1 / 8
/** A member is far behind when it lacks this many milliseconds of its fair share. */
const patience = 2000
const turnEvery = 8

/** What decides between members that have had the same service. */
export interface Urgency {
  /** The longest remaining path of the run, in milliseconds. */
  readonly remaining: number
  /** The order of asking. */
  readonly order: number
}

export const goesFirst = (a: Urgency, b: Urgency): boolean =>
  a.remaining === b.remaining ? a.order < b.order : a.remaining > b.remaining

/** The place of a member in the line of turns. */
export class Turn implements Placed {
  readonly member: Member
  /** The service that it has had, in ideal time. Only members that have had to wait need it. */
  ideal: number
  /** The order in which members began to wait. */
  since = 0
  place = -1

  constructor(member: Member, ideal: number) {
    this.member = member
    this.ideal = ideal
  }
}

/**
 * A run or a tenant that shares. An interface, as each request by hand makes one: an object of a class that extends another
 * one takes twice as long to make.
 */
export interface Member extends Placed {
  readonly weight: number
  /** The service that it has had, in virtual time. */
  start: number
  /** How many permits it holds. */
  holds: number
  turn: Turn | undefined
  /** Its most urgent waiting request, if any. */
  readonly first: Urgency | undefined
}

const isWaiting = ({ place }: Member): boolean => place >= 0

/** Whether a member neither waits nor holds permits. */
export const isIdle = ({ holds, place }: Member): boolean => holds === 0 && place < 0

const byStart = ({ start, weight }: Member): number => start + small / weight
const byIdeal = ({ ideal, member }: Turn): number => ideal + small / member.weight

const isBehind = (a: Member, b: Member): boolean => {
  const ofA = byStart(a)
  const ofB = byStart(b)
  return ofA === ofB ? goesFirst(a.first!, b.first!) : ofA < ofB
}

const isSooner = (a: Turn, b: Turn): boolean => {
  const ofA = byIdeal(a)
  const ofB = byIdeal(b)
  return ofA === ofB ? a.since < b.since : ofA < ofB
}

export class FairShares<M extends Member> {
  private readonly line = new Heap<M>(isBehind)
  private readonly turns = new Heap<Turn>(isSooner)
  private virtual = 0
  /** How far both lines have come: the position of each line's first member when a request last began. */
  private passed = 0
  private passedIdeal = 0
  private ideal = 0
  /** The instant up to which time has advanced. */
  at = 0
  /** How fast ideal time advanced last, relative to the clock. */
  private rate = 0
  private activeWeight = 0
  private inUse = 0
  private entered = 0
  /** How many requests have begun since the last turn. */
  private sinceTurn = 0

  /** The waiting member that is furthest behind. */
  get furthestBehind(): M | undefined {
    return this.line.first
  }

  /** The member whose request is next. */
  get next(): M | undefined {
    const turn = this.sinceTurn >= turnEvery - 1 ? this.turns.first : undefined
    return turn !== undefined && byIdeal(turn) + patience * this.rate <= this.ideal
      ? (turn.member as M)
      : this.line.first
  }

  /** Advances time to `now`. */
  advance(now: number): void {
    if (now > this.at && this.activeWeight > 0) {
      this.rate = this.inUse / this.activeWeight
      const passed = (now - this.at) * this.rate
      this.virtual += lapse * passed
      // Ideal time waits for members that are far behind: a lag beyond that is not made up for.
      const first = this.turns.first
      const most = first === undefined ? Infinity : byIdeal(first) + patience * this.rate
      this.ideal = Math.max(this.ideal, Math.min(this.ideal + passed, most))
    }
    this.at = now
  }

  /** Prepares a member that is about to ask, or to hold permits. */
  activate(member: M, now: number): void {
    this.advance(now)
    if (isWaiting(member)) return
    if (isIdle(member)) {
      member.start = Math.max(member.start - forgiven, this.virtual)
      if (member.turn !== undefined) member.turn.ideal = Math.max(member.turn.ideal, this.ideal)
      this.activeWeight += member.weight
    } else {
      member.start = Math.max(member.start, this.passed - small / member.weight)
      if (member.turn === undefined) return
      const lowest = Math.min(this.passedIdeal, this.ideal - patience * this.rate)
      member.turn.ideal = Math.max(member.turn.ideal, lowest - small / member.weight)
    }
  }

  /** Adds a waiting request of a member. */
  enter(member: M): void {
    if (isWaiting(member)) return this.line.moved(member)
    this.line.add(member)
    const turn = (member.turn ??= new Turn(member, this.ideal))
    turn.since = this.entered++
    this.turns.add(turn)
  }

  /** Puts a member in its right place after one of its requests has left, or takes it out if it has no other. */
  leave(member: M): void {
    this.line.remove(member)
    if (member.first !== undefined) return this.line.add(member)
    this.turns.remove(member.turn!)
    this.deactivate(member)
  }

  /** Charges a member with the probable service of a request that gets permits without waiting. */
  begin(member: M, permits: number, cost: number, now: number): void {
    this.activate(member, now)
    this.serve(member, member.start, member.weight)
    this.hold(member, permits)
    this.charge(member, cost)
    if (!isWaiting(member)) return
    this.line.moved(member)
    this.turns.moved(member.turn!)
  }

  /** The same for a waiting request, which its member does not count any more. */
  take(member: M, permits: number, cost: number, now: number): void {
    this.advance(now)
    this.serve(member, member.start, member.weight)
    this.line.remove(member)
    this.hold(member, permits)
    this.charge(member, cost)
    if (member.first === undefined) return this.turns.remove(member.turn!)
    this.line.add(member)
    this.turns.moved(member.turn!)
  }

  /** Charges a member that returns permits with the rest of the real service. */
  end(member: M, permits: number, more: number, now: number): void {
    this.advance(now)
    this.hold(member, -permits)
    this.charge(member, more)
    this.deactivate(member)
    if (!isWaiting(member)) return
    this.line.moved(member)
    this.turns.moved(member.turn!)
  }

  /**
   * The same as `begin` for a new member that has only this one request. No later request reads its service, so it needs no
   * object.
   */
  beginAlone(weight: number, permits: number, now: number): void {
    this.advance(now)
    this.activeWeight += weight
    this.serve(undefined, this.virtual, weight)
    this.inUse += permits
  }

  endAlone(weight: number, permits: number, now: number): void {
    this.advance(now)
    this.inUse -= permits
    this.lessWeight(weight)
  }

  /** Whether an idle member still has a debt to wait for. */
  owes(member: M): boolean {
    return member.start - forgiven > this.virtual
  }

  /** The service that others probably get before a member's next request. */
  before(member: M): number {
    const owed = member.start - (isIdle(member) ? forgiven : 0) - this.virtual
    return Math.max(0, owed) * this.activeWeight
  }

  /** The service that all members get while one gets `service`. */
  whileServed(member: M, service: number): number {
    return (service / member.weight) * this.activeWeight
  }

  /** Advances virtual time and both lines to the members that are furthest behind, or to the served one if none waits. */
  private serve(member: M | undefined, start: number, weight: number): void {
    const behind = this.line.first
    if (behind === undefined) {
      this.sinceTurn++
      this.virtual = Math.max(this.virtual, start)
      this.passed = Math.max(this.passed, start + small / weight)
      return
    }
    this.sinceTurn = behind === member ? this.sinceTurn + 1 : 0
    this.virtual = Math.max(this.virtual, behind.start)
    this.passed = Math.max(this.passed, byStart(behind))
    this.passedIdeal = Math.max(this.passedIdeal, byIdeal(this.turns.first!))
  }

  private hold(member: M, permits: number): void {
    member.holds += permits
    this.inUse += permits
  }

  private deactivate(member: M): void {
    if (isIdle(member)) this.lessWeight(member.weight)
  }

  private lessWeight(weight: number): void {
    this.activeWeight -= weight
    // Sums of fractions drift; an idle queue is a chance to be exact again.
    if (this.inUse === 0 && this.line.size === 0) this.activeWeight = 0
  }

  private charge(member: M, cost: number): void {
    const service = cost / member.weight
    member.start += service
    if (member.turn !== undefined) member.turn.ideal += service
  }
}
