/** A request that was made once for all who wait for the same. */
import type { Context, Effect, Exit } from "effect"
import type { AnyRequest } from "./AnyResolver.ts"
import type { Call, Sent } from "./Call.ts"
import type { Hold, Place } from "./Hold.ts"

/** What becomes of an answer. */
export type OnExit = (exit: Exit.Exit<unknown, unknown>) => void

/** What else a caller has to do with what it asks. */
export interface Telling {
  /** Where in a run it asks, for those who hold batches. */
  readonly place?: Place | undefined
  /** Told when the call begins. */
  readonly onSent?: ((sent: Sent) => void) | undefined
}

/** Somebody who waits for an answer. */
export class Caller {
  readonly context: Context.Context<never>
  readonly onExit: OnExit
  readonly telling: Telling
  /** What it waits for; nothing when that has come, or it has gone. */
  asked: Asked | undefined = undefined
  /** What holds it. */
  private hold: Hold | undefined = undefined

  constructor(context: Context.Context<never>, onExit: OnExit, telling: Telling) {
    this.context = context
    this.onExit = onExit
    this.telling = telling
  }

  /** It may be held, if its place is known. */
  enter(hold: Hold): void {
    if (this.telling.place === undefined) return
    this.hold = hold
    hold.enter(this.telling.place)
  }

  /** It is held no more. */
  letGo(): void {
    const { hold } = this
    this.hold = undefined
    hold?.leave(this.telling.place!)
  }

  /** Waits no more. What that ends is to be waited for. */
  leave(): Effect.Effect<void> | undefined {
    const { asked } = this
    this.asked = undefined
    this.letGo()
    return asked?.leave(this)
  }
}

export class Asked {
  readonly request: AnyRequest
  readonly hash: number
  /** What its first caller brought along. */
  readonly context: Context.Context<never>
  readonly callers = new Set<Caller>()
  call: Call | undefined = undefined
  /** Takes it out of its batch. */
  cancel: () => void = () => {}
  /** Told when it is not collected any more, because it was answered or given up before it was sent. */
  private readonly onGone: (asked: Asked) => void
  isAnswered = false

  constructor(request: AnyRequest, hash: number, context: Context.Context<never>, onGone: (asked: Asked) => void) {
    this.request = request
    this.hash = hash
    this.context = context
    this.onGone = onGone
  }

  add(caller: Caller): void {
    caller.asked = this
    this.callers.add(caller)
  }

  answer(exit: Exit.Exit<unknown, unknown>): void {
    this.isAnswered = true
    if (this.call === undefined) this.onGone(this)
    else this.call.answered()
    for (const caller of this.callers) {
      caller.asked = undefined
      caller.letGo()
      caller.onExit(exit)
    }
  }

  leave(caller: Caller): Effect.Effect<void> | undefined {
    this.callers.delete(caller)
    if (this.isAnswered || this.callers.size > 0) return undefined
    if (this.call !== undefined) return this.call.givenUp()
    this.onGone(this)
    this.cancel()
    return undefined
  }
}
