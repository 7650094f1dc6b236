/**
 * Calls to a store: a bounded number at a time, with the services of the cache's layer and none of a caller's.
 *
 * A reader that does not wait any longer leaves its call where it is. The call keeps its place until the store answers, or until
 * its own deadline: so a store that hangs is not sent more and more.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { forkInRoot } from "../base/Fork.ts"
import { limited } from "./Failures.ts"

/** Milliseconds. */
const longestCall = 10_000

export class Calls {
  private readonly context: Context.Context<never>
  private readonly most: number
  private readonly flush: () => void
  private readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  private due = false

  /** `flush` sends what waits. It is called at the end of a tick, and when there is room again. */
  constructor(context: Context.Context<never>, most: number, flush: () => void) {
    this.context = context
    this.most = most
    this.flush = flush
  }

  get hasRoom(): boolean {
    return this.fibers.size < this.most
  }

  /** Has what waits sent when the present tick is over, in which more may come. */
  schedule(): void {
    if (this.due || !this.hasRoom) return
    this.due = true
    const flush = () => {
      this.due = false
      this.flush()
    }
    forkInRoot(this.context, Effect.map(Effect.yieldNow, flush))
  }

  /** The time of a call is that of its store: what is done before and after it is not counted. */
  limited<A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E | string> {
    return limited(call, longestCall)
  }

  run<A, E>(call: Effect.Effect<A, E>, done: (exit: Exit.Exit<A, E>) => void): void {
    const fiber = forkInRoot(this.context, call)
    this.fibers.add(fiber)
    fiber.addObserver((exit) => {
      this.fibers.delete(fiber)
      done(exit)
      this.flush()
    })
  }

  /** What a call ends in. It goes on where it is not waited for any longer. */
  wait<A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E | string> {
    return Effect.callback((resume) => this.run(this.limited(call), resume))
  }

  /** Interrupts what runs. A store that cannot be interrupted is not waited for. */
  readonly close: Effect.Effect<void> = Effect.sync(() => {
    for (const fiber of Array.from(this.fibers)) fiber.interruptUnsafe()
  })
}
