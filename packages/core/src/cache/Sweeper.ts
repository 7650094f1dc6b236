/**
 * Removes expired entries to free their memory: a few whenever an entry is added, and all of them, in small turns, while
 * the cache is idle. Its timer does not keep the process alive.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as AsyncContext from "../base/AsyncContext.ts"
import { forkInRoot } from "../base/Fork.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import type { Entries } from "./Entries.ts"

/** Entries to visit when one is added: more than one, so that expired ones do not accumulate. */
const perEntry = 2
/** Entries to visit in one turn of the event loop, and the time between turns, in milliseconds. */
const perTurn = 1000
const betweenTurns = 10
/** The least time between rounds through all entries, in milliseconds. */
const betweenRounds = 500

const none = (): void => {}

export class Sweeper {
  private readonly entries: Entries
  private roundEndedAt = -Infinity
  private wakesAt = Infinity
  private cancel = none
  private isClosed = false

  constructor(entries: Entries) {
    this.entries = entries
  }

  /** Called when an entry was added. */
  noteEntry(clock: Clock.Clock): void {
    const now = monotonicNow(clock)
    if (this.entries.sweep(now, perEntry)) this.roundEndedAt = now
    this.wakeAt(Math.max(this.entries.endsFrom, this.roundEndedAt + betweenRounds), clock, now)
  }

  close(): void {
    this.isClosed = true
    this.cancel()
  }

  private wakeAt(at: number, clock: Clock.Clock, now: number): void {
    if (this.isClosed || at >= this.wakesAt) return
    this.cancel()
    this.wakesAt = at
    this.cancel = after(at - now, clock, () => this.wake(clock))
  }

  private wake(clock: Clock.Clock): void {
    const now = monotonicNow(clock)
    this.wakesAt = Infinity
    this.cancel = none
    if (!this.entries.sweep(now, perTurn)) return this.wakeAt(now + betweenTurns, clock, now)
    this.roundEndedAt = now
    this.wakeAt(Math.max(this.entries.endsFrom, now + betweenRounds), clock, now)
  }
}

/** The longest delay of a JavaScript timer. */
const longest = 2 ** 31 - 1

/** Calls a function later, and returns a function that cancels. A timer of the real clock does not keep the process alive. */
const after = (millis: number, clock: Clock.Clock, call: () => void): (() => void) => {
  // Rounds up: a little late is better than early, when no entry has expired yet.
  const pause = Math.min(Math.ceil(Math.max(1, millis)), longest)
  if (clock !== Context.get(Context.empty(), Clock.Clock)) {
    const later = Effect.andThen(clock.sleep(Duration.millis(pause)), Effect.sync(call))
    const fiber = forkInRoot(Context.empty(), later)
    return () => fiber.interruptUnsafe()
  }
  // A timer captures the asynchronous context in which it is set, which must not be a reader's.
  const timer: unknown = AsyncContext.inRoot(() => setTimeout(call, pause))
  if (typeof timer === "object") (timer as { readonly unref?: () => void }).unref?.()
  return () => clearTimeout(timer as never)
}
