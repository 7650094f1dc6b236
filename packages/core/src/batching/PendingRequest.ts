/** A request that is sent once and answers all its waiters. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Identity } from "../base/Identity.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import type { AnyRequest } from "./AnyResolver.ts"
import type { Call, Sent } from "./Call.ts"
import type { Hold, HoldPlace } from "./Hold.ts"

/** An attempt that makes one or several requests. */
export interface Requester {
  /** Its services. */
  readonly context: Context.Context<never>
  /** Called with the exit of each of its requests. */
  readonly onExit: (exit: Exit.Exit<unknown, unknown>, index: number) => void
  /** Its place in its run, for resolvers that hold batches. */
  readonly place: HoldPlace | undefined
  /** Called when the call that answers it begins. */
  readonly onSent: ((sent: Sent) => void) | undefined
  /** When its timeout ends the wait, in milliseconds of monotonic time. Breakers count a call that takes longer as failed. */
  readonly deadline: number | undefined
  /** Effects to run when a call begins. An effect that several waiters bring runs once per call. */
  readonly reports: ReadonlyArray<Effect.Effect<void>> | undefined
}

/** A requester that waits for the answer to one of its requests. */
export class RequestWaiter {
  readonly requester: Requester
  private readonly index: number
  /** The request that it waits for; `undefined` after the answer, and after the waiter has left. */
  private pending: PendingRequest | undefined
  /** The hold that counts it, if its batch is held. */
  private hold: Hold | undefined = undefined

  constructor(requester: Requester, index: number, pending: PendingRequest) {
    this.requester = requester
    this.index = index
    this.pending = pending
  }

  /** Whether its request is still without an answer. */
  get waits(): boolean {
    return this.pending !== undefined
  }

  /** Counts the waiter in a hold, if its place is known. */
  enter(hold: Hold): void {
    if (this.requester.place === undefined) return
    this.hold = hold
    hold.enter(this.requester.place)
  }

  /** Takes the waiter out of its hold. */
  letGo(): void {
    const { hold } = this
    if (hold === undefined) return
    this.hold = undefined
    hold.leave(this.requester.place!)
  }

  answer(exit: Exit.Exit<unknown, unknown>): void {
    this.pending = undefined
    this.letGo()
    this.requester.onExit(exit, this.index)
  }

  /** Stops waiting. Returns the end of the call, if that interrupts one. */
  leave(): Effect.Effect<void> | undefined {
    const { pending } = this
    if (pending?.call !== undefined && hasWaitedTooLong(this.requester)) pending.call.tookTooLong = true
    this.pending = undefined
    this.letGo()
    return pending?.leave(this)
  }
}

/** By how much a timer may fire early, in milliseconds. */
const tolerance = 1

const hasWaitedTooLong = ({ context, deadline }: Requester): boolean =>
  deadline !== undefined && monotonicNow(Context.get(context, Clock.Clock)) >= deadline - tolerance

/** One request. Equal requests of waiters with the same services are merged into it. */
export class PendingRequest {
  readonly request: AnyRequest
  readonly identity: Identity
  /** The services of its first waiter. */
  readonly context: Context.Context<never>
  call: Call | undefined = undefined
  isAnswered = false
  /** Takes it out of its batch. */
  cancel: () => void = () => {}
  /** Called when it is answered or cancelled before it is sent: no waiter can join it any more. */
  private readonly onGone: (pending: PendingRequest) => void
  /** Apart from the others, since most requests have one waiter. */
  private first: RequestWaiter | undefined = undefined
  private others: Set<RequestWaiter> | undefined = undefined

  constructor(
    request: AnyRequest,
    identity: Identity,
    context: Context.Context<never>,
    onGone: (pending: PendingRequest) => void
  ) {
    this.request = request
    this.identity = identity
    this.context = context
    this.onGone = onGone
  }

  add(requester: Requester, index: number): RequestWaiter {
    const waiter = new RequestWaiter(requester, index, this)
    if (this.first === undefined && this.others === undefined) this.first = waiter
    else (this.others ??= new Set()).add(waiter)
    return waiter
  }

  addWaitersTo(waiters: Array<RequestWaiter>): void {
    if (this.first !== undefined) waiters.push(this.first)
    for (const waiter of this.others ?? []) waiters.push(waiter)
  }

  answer(exit: Exit.Exit<unknown, unknown>): void {
    this.isAnswered = true
    if (this.call === undefined) this.onGone(this)
    else this.call.answered(exit)
    this.first?.answer(exit)
    for (const waiter of this.others ?? []) waiter.answer(exit)
  }

  leave(waiter: RequestWaiter): Effect.Effect<void> | undefined {
    if (waiter === this.first) this.first = undefined
    else this.others?.delete(waiter)
    if (this.isAnswered || this.first !== undefined || (this.others?.size ?? 0) > 0) return undefined
    if (this.call !== undefined) return this.call.givenUp()
    this.onGone(this)
    this.cancel()
    return undefined
  }
}
