/**
 * Calls to a store: a bounded number at a time, with the services of the cache's layer and none of a caller.
 *
 * A reader that stops waiting does not end its call. The call keeps its place until the store answers, or until
 * its own deadline, so a store that hangs gets no further calls.
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

  /** `flush` sends the waiting items. It is called at the end of a tick, and when a call has ended. */
  constructor(context: Context.Context<never>, most: number, flush: () => void) {
    this.context = context
    this.most = most
    this.flush = flush
  }

  get hasRoom(): boolean {
    return this.fibers.size < this.most
  }

  /** Calls `flush` at the end of the current tick, in which further items can come. */
  schedule(): void {
    if (this.due || !this.hasRoom) return
    this.due = true
    const flush = () => {
      this.due = false
      this.flush()
    }
    forkInRoot(this.context, Effect.map(Effect.yieldNow, flush))
  }

  /** Bounds the time of the store, without the work before and after it. */
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

  /** Waits for the exit of a call. If the wait is interrupted, the call continues. */
  wait<A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E | string> {
    return Effect.callback((resume) => this.run(this.limited(call), resume))
  }

  /** Interrupts the calls that run. It does not wait for a store that cannot be interrupted. */
  readonly close: Effect.Effect<void> = Effect.sync(() => {
    for (const fiber of Array.from(this.fibers)) fiber.interruptUnsafe()
  })
}
