/**
 * Removes what is over, so that it takes no memory: a few entries each time that one comes in, and all of them, some at a
 * time, when no reader comes. Its timer keeps no process alive.
 */
import { Clock, Context, Duration, Effect } from "effect"
import * as AsyncContext from "../base/AsyncContext.ts"
import { forkInRoot } from "../base/Fork.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import type { Entries } from "./Entries.ts"

/** How many entries are looked at when one comes in: more than one, so that what is over does not pile up. */
const perEntry = 2
/** How many are looked at in one turn of the event loop, and how long turns are apart, in milliseconds. */
const perTurn = 1000
const betweenTurns = 10
/** How long rounds through all entries are apart at least, in milliseconds. */
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

  /** An entry has come in. */
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

/** The longest that a timer of JavaScript takes. */
const longest = 2 ** 31 - 1

/** Calls a function later, and gives what cancels that. By the real clock a timer does, which a process need not wait for. */
const after = (millis: number, clock: Clock.Clock, call: () => void): (() => void) => {
  // A little late rather than a little early: then there would be nothing to do yet.
  const pause = Math.min(Math.ceil(Math.max(1, millis)), longest)
  if (clock !== Context.get(Context.empty(), Clock.Clock)) {
    const later = Effect.andThen(clock.sleep(Duration.millis(pause)), Effect.sync(call))
    const fiber = forkInRoot(Context.empty(), later)
    return () => fiber.interruptUnsafe()
  }
  // A timer keeps what is visible where it is set: no reader's.
  const timer: unknown = AsyncContext.inRoot(() => setTimeout(call, pause))
  if (typeof timer === "object") (timer as { readonly unref?: () => void }).unref?.()
  return () => clearTimeout(timer as never)
}
