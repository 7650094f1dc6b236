/** A request that is made once for all callers that wait for it. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Identity } from "../base/Identity.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import type { AnyRequest } from "./AnyResolver.ts"
import type { Call, Sent } from "./Call.ts"
import type { Hold, Place } from "./Hold.ts"

/** An attempt that asks for one or several requests. */
export interface Asker {
  /** Its services. */
  readonly context: Context.Context<never>
  /** Called with the exit of each of its requests. */
  readonly onExit: (exit: Exit.Exit<unknown, unknown>, question: number) => void
  /** Where in its run it asks, for resolvers that hold batches. */
  readonly place: Place | undefined
  /** Called when the call that answers it begins. */
  readonly onSent: ((sent: Sent) => void) | undefined
  /** When its timeout ends the wait, in milliseconds of its monotonic clock: a breaker counts such a call as a failure. */
  readonly deadline: number | undefined
  /** Effects to run when a call begins. An effect that several callers bring runs once per call. */
  readonly reports: ReadonlyArray<Effect.Effect<void>> | undefined
}

/** One request of an asker, which waits for the answer. */
export class Caller {
  readonly asker: Asker
  private readonly question: number
  /** The request that it waits for; `undefined` once that is answered, or the caller has left. */
  private asked: Asked | undefined
  /** The hold that counts it, if its batch is held. */
  private hold: Hold | undefined = undefined

  constructor(asker: Asker, question: number, asked: Asked) {
    this.asker = asker
    this.question = question
    this.asked = asked
  }

  /** Whether it still waits. */
  get waits(): boolean {
    return this.asked !== undefined
  }

  /** Counts the caller in a hold, if its place is known. */
  enter(hold: Hold): void {
    if (this.asker.place === undefined) return
    this.hold = hold
    hold.enter(this.asker.place)
  }

  /** Takes the caller out of its hold. */
  letGo(): void {
    const { hold } = this
    if (hold === undefined) return
    this.hold = undefined
    hold.leave(this.asker.place!)
  }

  answer(exit: Exit.Exit<unknown, unknown>): void {
    this.asked = undefined
    this.letGo()
    this.asker.onExit(exit, this.question)
  }

  /** Stops waiting. Returns the end of the call, if that interrupts one. */
  leave(): Effect.Effect<void> | undefined {
    const { asked } = this
    if (asked?.call !== undefined && hasWaitedTooLong(this.asker)) asked.call.tookTooLong = true
    this.asked = undefined
    this.letGo()
    return asked?.leave(this)
  }
}

/** Timers may fire a little early, in milliseconds. */
const tolerance = 1

const hasWaitedTooLong = ({ context, deadline }: Asker): boolean =>
  deadline !== undefined && monotonicNow(Context.get(context, Clock.Clock)) >= deadline - tolerance

export class Asked {
  readonly request: AnyRequest
  readonly identity: Identity
  /** The services of its first caller. */
  readonly context: Context.Context<never>
  call: Call | undefined = undefined
  isAnswered = false
  /** Takes it out of its batch. */
  cancel: () => void = () => {}
  /** Called when it is answered or given up before it was sent, so that no caller joins it any more. */
  private readonly onGone: (asked: Asked) => void
  /** Most have one caller. */
  private first: Caller | undefined = undefined
  private others: Set<Caller> | undefined = undefined

  constructor(
    request: AnyRequest,
    identity: Identity,
    context: Context.Context<never>,
    onGone: (asked: Asked) => void
  ) {
    this.request = request
    this.identity = identity
    this.context = context
    this.onGone = onGone
  }

  add(asker: Asker, question: number): Caller {
    const caller = new Caller(asker, question, this)
    if (this.first === undefined && this.others === undefined) this.first = caller
    else (this.others ??= new Set()).add(caller)
    return caller
  }

  addCallersTo(callers: Array<Caller>): void {
    if (this.first !== undefined) callers.push(this.first)
    for (const caller of this.others ?? []) callers.push(caller)
  }

  answer(exit: Exit.Exit<unknown, unknown>): void {
    this.isAnswered = true
    if (this.call === undefined) this.onGone(this)
    else this.call.answered(exit)
    this.first?.answer(exit)
    for (const caller of this.others ?? []) caller.answer(exit)
  }

  leave(caller: Caller): Effect.Effect<void> | undefined {
    if (caller === this.first) this.first = undefined
    else this.others?.delete(caller)
    if (this.isAnswered || this.first !== undefined || (this.others?.size ?? 0) > 0) return undefined
    if (this.call !== undefined) return this.call.givenUp()
    this.onGone(this)
    this.cancel()
    return undefined
  }
}
