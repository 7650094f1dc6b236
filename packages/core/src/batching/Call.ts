/** One call of a resolver, for as long as it runs. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { counter } from "../base/Shared.ts"
import { timeUp } from "../base/TimeUp.ts"
import type { BatchEntries } from "./AnyResolver.ts"

const nextCall = /* @__PURE__ */ counter("calls")

/** What the callers learn when their call begins. */
export interface Sent {
  /** Which call, in this process. */
  readonly batch: number
  /** How many requests it answers, and how many callers wait for one of them. */
  readonly requests: number
  readonly callers: number
  /** Whether `maxHold` expired while more requests could still come. */
  readonly outOfTime?: boolean
}

export class Call {
  readonly number = nextCall()
  private readonly fiber: Fiber.Fiber<unknown, unknown>
  private readonly entries: BatchEntries
  /** How many of its requests are neither answered nor given up. */
  private open: number
  /** Whether a caller has given up on it because it took too long. */
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

  /** The resolver has ended. Requests that it forgot are answered elsewhere, and do not count. */
  ended(): void {
    this.hasEnded = true
  }

  /** The exit of the call for policies around it, if the resolver succeeded: a failure if all answers were failures. */
  get outcome(): Exit.Exit<void, unknown> {
    if (this.hasSucceeded || this.failures.length === 0) return Exit.void
    return Exit.failCause(Cause.fromReasons(this.failures.flatMap(({ reasons }) => reasons)))
  }

  /** The last caller of one request has left. If it was the last request, this interrupts the call and returns its end. */
  givenUp(): Effect.Effect<void> | undefined {
    if (--this.open > 0) return undefined
    // The resolver may be a cache, in which other callers wait for the same answer.
    if (this.entries.some(({ uninterruptible }) => uninterruptible)) return undefined
    this.fiber.interruptUnsafe(undefined, this.tookTooLong ? timeUp : undefined)
    return Effect.asVoid(Fiber.await(this.fiber))
  }
}
