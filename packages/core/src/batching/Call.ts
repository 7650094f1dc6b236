/** One call of a resolver. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { counter } from "../base/Shared.ts"
import { timeUp } from "../base/TimeUp.ts"
import type { BatchEntries } from "./AnyResolver.ts"

const nextCall = /* @__PURE__ */ counter("calls")

/** The facts that the waiters get when their call begins. */
export interface Sent {
  /** The number of the call in this process. */
  readonly batch: number
  /** The number of requests that it answers, and of callers that wait for them. */
  readonly requests: number
  readonly callers: number
  /** Whether `maxHold` expired while more requests could still come. */
  readonly outOfTime?: boolean
}

export class Call {
  readonly number = nextCall()
  private readonly fiber: Fiber.Fiber<unknown, unknown>
  private readonly entries: BatchEntries
  /** The number of requests that are neither answered nor abandoned by all their waiters. */
  private open: number
  /** Whether a waiter has left because the call took too long. */
  tookTooLong = false
  private hasSucceeded = false
  private hasEnded = false
  private readonly failures: Array<Cause.Cause<unknown>> = []

  constructor(fiber: Fiber.Fiber<unknown, unknown>, entries: BatchEntries) {
    this.fiber = fiber
    this.entries = entries
    this.open = entries.length
  }

  answered(exit: Exit.Exit<unknown, unknown>): void {
    this.open--
    if (this.hasSucceeded || this.hasEnded) return
    if (Exit.isFailure(exit)) this.failures.push(exit.cause)
    else this.hasSucceeded = true
  }

  /** Notes that the resolver has ended. `Batches` answers the requests that it left out, and those answers do not count. */
  ended(): void {
    this.hasEnded = true
  }

  /** The exit of the call, for the policies around it, where the resolver succeeded: a failure if all answers were failures. */
  get outcome(): Exit.Exit<void, unknown> {
    if (this.hasSucceeded || this.failures.length === 0) return Exit.void
    return Exit.failCause(Cause.fromReasons(this.failures.flatMap(({ reasons }) => reasons)))
  }

  /** Notes that the last waiter of a request has left. If no request is open, interrupts the call and returns its end. */
  givenUp(): Effect.Effect<void> | undefined {
    if (--this.open > 0) return undefined
    // The resolver may be a cache in which other callers wait for the same answer.
    if (this.entries.some(({ uninterruptible }) => uninterruptible)) return undefined
    this.fiber.interruptUnsafe(undefined, this.tookTooLong ? timeUp : undefined)
    return Effect.asVoid(Fiber.await(this.fiber))
  }
}
