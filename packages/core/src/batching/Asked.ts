/** A request that was made once for all who wait for the same. */
import { Clock, Context, type Effect, type Exit } from "effect"
import type { Identity } from "../base/Identity.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import type { AnyRequest } from "./AnyResolver.ts"
import type { Call, Sent } from "./Call.ts"
import type { Hold, Place } from "./Hold.ts"

/** Somebody who asks, one thing or several. */
export interface Asker {
  /** What it brings along. */
  readonly context: Context.Context<never>
  /** Told what its question came to. */
  readonly onExit: (exit: Exit.Exit<unknown, unknown>, question: number) => void
  /** Where in a run it asks, for those who hold batches. */
  readonly place: Place | undefined
  /** Told when the call begins that answers it. */
  readonly onSent: ((sent: Sent) => void) | undefined
  /** When it has waited too long for an answer, in milliseconds of its monotonic clock: it leaves then of its own accord. */
  readonly deadline: number | undefined
  /** Effects to run when a call begins: once for each call, however many of its callers bring the same one. */
  readonly reports: ReadonlyArray<Effect.Effect<void>> | undefined
}

/** One question of somebody, who waits for the answer. */
export class Caller {
  readonly asker: Asker
  private readonly question: number
  /** What it waits for; nothing when that has come, or it has gone. */
  private asked: Asked | undefined
  /** What holds it. */
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

  /** It may be held, if its place is known. */
  enter(hold: Hold): void {
    if (this.asker.place === undefined) return
    this.hold = hold
    hold.enter(this.asker.place)
  }

  /** It is held no more. */
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

  /** Waits no more. What that ends is to be waited for. */
  leave(): Effect.Effect<void> | undefined {
    const { asked } = this
    if (asked?.call !== undefined && hasWaitedTooLong(this.asker)) asked.call.tookTooLong = true
    this.asked = undefined
    this.letGo()
    return asked?.leave(this)
  }
}

/** A timer that is a little early counts, too. */
const tolerance = 1

const hasWaitedTooLong = ({ context, deadline }: Asker): boolean =>
  deadline !== undefined && monotonicNow(Context.get(context, Clock.Clock)) >= deadline - tolerance

export class Asked {
  readonly request: AnyRequest
  readonly identity: Identity
  /** What its first caller brought along. */
  readonly context: Context.Context<never>
  call: Call | undefined = undefined
  isAnswered = false
  /** Takes it out of its batch. */
  cancel: () => void = () => {}
  /** Told when it is not collected any more, because it was answered or given up before it was sent. */
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
