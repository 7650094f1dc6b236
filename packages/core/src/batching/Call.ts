/** One call of a resolver, for as long as it runs. */
import { Effect, Fiber } from "effect"
import type { Entries } from "./AnyResolver.ts"

let calls = 0

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
  readonly number = ++calls
  private readonly fiber: Fiber.Fiber<unknown, unknown>
  private readonly entries: Entries
  /** How many of its requests have neither an answer nor been given up. */
  private open: number

  constructor(fiber: Fiber.Fiber<unknown, unknown>, entries: Entries) {
    this.fiber = fiber
    this.entries = entries
    this.open = entries.length
  }

  answered(): void {
    this.open--
  }

  /** Nobody waits for one of its requests any more. With the last one it is interrupted, and its end is to be waited for. */
  givenUp(): Effect.Effect<void> | undefined {
    if (--this.open > 0) return undefined
    // The resolver, which may be a cache, has others wait for the same.
    if (this.entries.some(({ uninterruptible }) => uninterruptible)) return undefined
    this.fiber.interruptUnsafe()
    return Effect.asVoid(Fiber.await(this.fiber))
  }
}
