/**
 * Divides a limiter between its members by weight: start-time fair queueing, with as many requests in service as there are
 * permits.
 *
 *  1. A member's `start` is the service that it has had, by its weight. The member with the lowest goes next; a small sum
 *     by its weight is added, so that of two that have had the same, the one of more weight goes first.
 *  2. A request is charged its probable time when it begins, and its real time when it ends.
 *  3. Virtual time is the start of the member that is furthest behind. A member that begins to wait starts there, so it
 *     saves nothing up; what it owes beyond a small sum it still owes. So neither the first loads of a new run nor the
 *     next ones of a small run wait for a big one.
 *  4. Virtual time also goes on by itself, at a fraction of the rate at which a member of weight 1 would be served by its
 *     fair share. So what a member owes lapses, also while new members keep coming.
 *  5. Ideal time goes on at that whole rate. A member that is far behind it gets one turn in eight, in the order of what
 *     each has had by that clock. So a flood of new members keeps nobody from a part of their fair share, and no turn
 *     gives a member more than its fair share.
 *  6. Equals go by the longest path that remains, then by who asked first.
 *
 * Of two members that wait all the time, the services by weight differ at most by `(n + 1) * (a + b)`, where `n` permits are
 * in use, and `a` and `b` are the longest time of one request of each by its weight, at least the small sum of 1: Goyal,
 * Vin and Cheng, "Start-time Fair Queueing" (SIGCOMM 1996) for one permit; Jin, Chase and Kaur, "Interposed Proportional
 * Sharing for a Storage Service Utility" (SIGMETRICS 2004) for several. Turns add what a member was behind when it began.
 */
import { Heap, type Placed } from "../base/Heap.ts"

/** What a member that has just had nothing counts as having had, in milliseconds of one permit. */
const small = 10
/** What a member that was idle may owe without waiting for it, in milliseconds of one permit at weight 1. */
const forgiven = 200
/** How fast virtual time goes on by itself, by the fair rate. */
const lapse = 1 / 8
/** A member is far behind when it lacks what its fair share gives it in so many milliseconds. */
const patience = 2000
const turnEvery = 8

/** A request that waits. */
export interface Waiter {
  /** How long what is left of its run takes at least, in milliseconds. */
  readonly remaining: number
  /** The order of asking. */
  readonly order: number
}

export const goesFirst = (a: Waiter, b: Waiter): boolean =>
  a.remaining === b.remaining ? a.order < b.order : a.remaining > b.remaining

/** Where a member stands in the line of turns. */
class Turn<M> implements Placed {
  readonly member: M
  /** How much service it has had, in ideal time: only of members that have had to wait, as others need no turns. */
  ideal: number
  /** In which order members began to wait. */
  since = 0
  place = -1

  constructor(member: M, ideal: number) {
    this.member = member
    this.ideal = ideal
  }
}

/** A run or a tenant, as far as sharing goes. */
export abstract class Member implements Placed {
  weight: number
  place = -1
  /** How much service it has had, in virtual time. */
  start = 0
  /** How many permits it holds. */
  holds = 0
  turn: Turn<this> | undefined = undefined

  constructor(weight: number) {
    this.weight = weight
  }

  /** Its request that goes first, if it has any that wait. */
  abstract readonly first: Waiter | undefined

  get isWaiting(): boolean {
    return this.place >= 0
  }

  get isIdle(): boolean {
    return this.holds === 0 && this.place < 0
  }
}

const byStart = ({ start, weight }: Member): number => start + small / weight
const byIdeal = ({ ideal, member }: Turn<Member>): number => ideal + small / member.weight

const isBehind = (a: Member, b: Member): boolean => {
  const ofA = byStart(a)
  const ofB = byStart(b)
  return ofA === ofB ? goesFirst(a.first!, b.first!) : ofA < ofB
}

const isSooner = (a: Turn<Member>, b: Turn<Member>): boolean => {
  const ofA = byIdeal(a)
  const ofB = byIdeal(b)
  return ofA === ofB ? a.since < b.since : ofA < ofB
}

export class FairShares<M extends Member> {
  private readonly line = new Heap<M>(isBehind)
  private readonly turns = new Heap<Turn<M>>(isSooner)
  private virtual = 0
  /** How far the lines by both times have come: where the first member of each stood when a request began. */
  private passed = 0
  private passedIdeal = 0
  private ideal = 0
  /** Until when time has gone on. */
  at = 0
  /** How fast ideal time went on of late, by the clock. */
  private rate = 0
  private activeWeight = 0
  private inUse = 0
  private entered = 0
  /** How many have begun since a member had a turn. */
  private sinceTurn = 0

  /** The member that is furthest behind, of those that wait. */
  get furthestBehind(): M | undefined {
    return this.line.first
  }

  /** The member whose request is next. */
  get next(): M | undefined {
    const turn = this.sinceTurn >= turnEvery - 1 ? this.turns.first : undefined
    return turn !== undefined && byIdeal(turn) + patience * this.rate <= this.ideal ? turn.member : this.line.first
  }

  /** Lets time go on. */
  advance(now: number): void {
    if (now > this.at && this.activeWeight > 0) {
      this.rate = this.inUse / this.activeWeight
      const passed = (now - this.at) * this.rate
      this.virtual += lapse * passed
      // Ideal time waits for those that are far behind: what they lack beyond that is not made good.
      const first = this.turns.first
      const most = first === undefined ? Infinity : byIdeal(first) + patience * this.rate
      this.ideal = Math.max(this.ideal, Math.min(this.ideal + passed, most))
    }
    this.at = now
  }

  /** A member is about to ask, or to hold permits. */
  activate(member: M, now: number): void {
    this.advance(now)
    if (member.isWaiting) return
    if (member.isIdle) {
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

  /** A request of a member waits from now on. */
  enter(member: M): void {
    if (member.isWaiting) return this.line.moved(member)
    this.line.add(member)
    const turn = (member.turn ??= new Turn(member, this.ideal))
    turn.since = this.entered++
    this.turns.add(turn)
  }

  /** Takes a member out of the line while its first request changes, which decides where it stands. */
  pause(member: M): void {
    this.line.remove(member)
  }

  /** Puts it back, if it still has requests that wait. */
  resume(member: M): void {
    if (member.first !== undefined) return this.line.add(member)
    this.turns.remove(member.turn!)
    this.deactivate(member)
  }

  /** A member gets permits, for a request that will probably cost so much service. */
  begin(member: M, permits: number, cost: number, now: number): void {
    this.activate(member, now)
    const behind = this.line.first
    this.sinceTurn = behind === undefined || behind === member ? this.sinceTurn + 1 : 0
    this.virtual = Math.max(this.virtual, (behind ?? member).start)
    this.passed = Math.max(this.passed, byStart(behind ?? member))
    if (behind !== undefined) this.passedIdeal = Math.max(this.passedIdeal, byIdeal(this.turns.first!))
    member.holds += permits
    this.inUse += permits
    this.charge(member, cost)
  }

  /** It gives them back: the request has cost so much more. */
  end(member: M, permits: number, more: number, now: number): void {
    this.advance(now)
    member.holds -= permits
    this.inUse -= permits
    this.charge(member, more)
    this.deactivate(member)
  }

  /** Whether a member that is idle would still have to wait for what it has had. */
  owes(member: M): boolean {
    return member.start - forgiven > this.virtual
  }

  /** How much service others probably get before a member's next request. */
  before(member: M): number {
    const owed = member.start - (member.isIdle ? forgiven : 0) - this.virtual
    return Math.max(0, owed) * this.activeWeight
  }

  /** How much service all get while a member gets so much. */
  whileServed(member: M, service: number): number {
    return (service / member.weight) * this.activeWeight
  }

  private deactivate(member: M): void {
    if (!member.isIdle) return
    this.activeWeight -= member.weight
    // Sums of fractions drift; an idle queue is a chance to be exact again.
    if (this.inUse === 0 && this.line.size === 0) this.activeWeight = 0
  }

  private charge(member: M, cost: number): void {
    const service = cost / member.weight
    member.start += service
    if (member.turn === undefined) return
    member.turn.ideal += service
    if (!member.isWaiting) return
    this.line.moved(member)
    this.turns.moved(member.turn)
  }
}
