/** One call of a resolver, for as long as it runs. */
import { Cause, Effect, Exit, Fiber } from "effect"
import { counter } from "../base/Shared.ts"
import { timeUp } from "../base/TimeUp.ts"
import type { Entries } from "./AnyResolver.ts"

const nextCall = /* @__PURE__ */ counter("calls")

/** What those who wait are told when their call begins. */
export interface Sent {
  /** Which call, in this process. */
  readonly batch: number
  /** How many requests it is for, and how many wait for an answer to one of them. */
  readonly requests: number
  readonly callers: number
  /** Whether it would have waited for more, had its time not been over. */
  readonly outOfTime?: boolean
}

export class Call {
  readonly number = nextCall()
  private readonly fiber: Fiber.Fiber<unknown, unknown>
  private readonly entries: Entries
  /** How many of its requests have neither an answer nor been given up. */
  private open: number
  /** Whether a caller has given up on it because it took too long. */
  tookTooLong = false
  private hasSucceeded = false
  private hasEnded = false
  private readonly failures: Array<Cause.Cause<unknown>> = []

  constructor(fiber: Fiber.Fiber<unknown, unknown>, entries: Entries) {
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

  /** The resolver has done all that it does. What it has forgotten is answered by others. */
  ended(): void {
    this.hasEnded = true
  }

  /** What a call that has ended well tells of the backend: it has failed if the resolver answered nothing but failures. */
  get outcome(): Exit.Exit<void, unknown> {
    if (this.hasSucceeded || this.failures.length === 0) return Exit.void
    return Exit.failCause(Cause.fromReasons(this.failures.flatMap(({ reasons }) => reasons)))
  }

  /** Nobody waits for one of its requests any more. With the last one it is interrupted, and its end is to be waited for. */
  givenUp(): Effect.Effect<void> | undefined {
    if (--this.open > 0) return undefined
    // The resolver, which may be a cache, has others wait for the same.
    if (this.entries.some(({ uninterruptible }) => uninterruptible)) return undefined
    this.fiber.interruptUnsafe(undefined, this.tookTooLong ? timeUp : undefined)
    return Effect.asVoid(Fiber.await(this.fiber))
  }
}
