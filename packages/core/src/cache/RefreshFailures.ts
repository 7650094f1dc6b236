/** Logs failed refreshes, which no run reports. */
import { type Cause, Effect } from "effect"
import { describeCause } from "../base/ErrorText.ts"
import type { Key } from "./Key.ts"

/** The least time between two lines, in milliseconds: a backend that is down would cause one per key. */
const quiet = 60_000

const longestKey = 100

export class RefreshFailures {
  private loggedAt = -Infinity
  private unlogged = 0

  /** `now`: by the monotonic clock, in milliseconds. */
  log(cache: string, key: Key, cause: Cause.Cause<unknown>, now: number): Effect.Effect<void> {
    if (now - this.loggedAt < quiet) {
      this.unlogged++
      return Effect.void
    }
    const before = this.unlogged === 0 ? "" : `, after ${this.unlogged} other refreshes that failed`
    this.loggedAt = now
    this.unlogged = 0
    const name = typeof key === "string" ? key : key.resource
    const told = JSON.stringify(name.length > longestKey ? `${name.slice(0, longestKey)}...` : name)
    return Effect.logWarning(`cache "${cache}" could not refresh ${told}${before}: ${describeCause(cause)}`)
  }
}
