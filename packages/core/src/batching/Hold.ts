/**
 * Batches that wait for what is still to come.
 *
 * A hold belongs to a resolver. It knows whose requests wait in its batches, and asks the runs that those are from
 * whether more can come. What could come only after something that is held does not count, so that nothing waits for
 * itself; holds that would wait for each other in a circle do not.
 */
import { Duration, Effect, type Fiber } from "effect"
import { shared } from "../base/Shared.ts"
import type { AnyResolver } from "./AnyResolver.ts"

/** What a run says of requests that are still to come. */
export interface Outlook {
  /** Whether one can come that waits for nothing which is held. */
  readonly free: boolean
  /** The other holds behind which there are more. */
  readonly behind: ReadonlySet<Hold>
}

/** A run, with all that run inside it. */
export interface Horizon {
  readonly lookFor: (hold: Hold) => Outlook
}

/** Where in a run a request comes from. */
export interface Place {
  readonly horizon: Horizon
  /** A request of this place is held. */
  readonly enter: (hold: Hold) => void
  /** A request of this place is held no more. */
  readonly leave: (hold: Hold) => void
}

const outOfTime = /* @__PURE__ */ shared("out of time", () => new WeakSet<object>())

/** Whether the batch that is sent by this fiber would have waited for more. */
export const isOutOfTime = (fiber: Fiber.Fiber<unknown, unknown>): boolean => outOfTime.has(fiber)

export class Hold {
  /** How many requests of each run are held. */
  private readonly held = new Map<Horizon, number>()
  /** The batches that wait to be told of news. */
  private readonly waiting = new Set<() => void>()
  /** Waits for as long as it is worth while, and not longer than it may. */
  readonly wait: Effect.Effect<void>

  constructor(max: Duration.Duration) {
    const untilNothingComes: Effect.Effect<void> = Effect.suspend(() =>
      mustWait(this, new Set()) ? Effect.andThen(this.news, untilNothingComes) : Effect.void
    )
    const inTime = Effect.flatMap(Effect.timeoutOption(untilNothingComes, max), ({ _tag }) =>
      _tag === "Some" ? Effect.void : Effect.withFiber((fiber) => Effect.sync(() => void outOfTime.add(fiber)))
    )
    this.wait = Effect.suspend(() => (mustWait(this, new Set()) ? inTime : Effect.void))
  }

  enter(place: Place): void {
    this.held.set(place.horizon, (this.held.get(place.horizon) ?? 0) + 1)
    place.enter(this)
  }

  leave(place: Place): void {
    const left = this.held.get(place.horizon)! - 1
    if (left > 0) this.held.set(place.horizon, left)
    else this.held.delete(place.horizon)
    place.leave(this)
  }

  /** Something has happened in a run whose requests are held here. */
  tell(): void {
    for (const wake of this.waiting) wake()
    this.waiting.clear()
  }

  get outlooks(): ReadonlyArray<Outlook> {
    return Array.from(this.held.keys(), (horizon) => horizon.lookFor(this))
  }

  /** The next time that something has happened, when all that followed from it at once has happened too. */
  private get news(): Effect.Effect<void> {
    const told = Effect.callback<void>((resume) => {
      const wake = () => resume(Effect.void)
      this.waiting.add(wake)
      return Effect.sync(() => void this.waiting.delete(wake))
    })
    return Effect.andThen(told, Effect.yieldNow)
  }
}

/** Whether more can come to what a hold holds. `passed` are those on the way here, which wait for this one. */
const mustWait = (hold: Hold, passed: Set<Hold>): boolean => {
  passed.add(hold)
  const { outlooks } = hold
  if (outlooks.some(({ free }) => free)) return true
  return outlooks.some(({ behind }) => [...behind].some((other) => !passed.has(other) && isMoving(other, passed)))
}

/** Whether a hold will let go of what it holds without waiting for those on the way here. */
const isMoving = (hold: Hold, passed: Set<Hold>): boolean => {
  const waits = hold.outlooks.some(({ behind, free }) => free || behind.size > 0)
  return !waits || mustWait(hold, passed)
}

/** Holds by how long their resolvers' batches are collected: whatever else is changed about a resolver, that stays. */
const holds = /* @__PURE__ */ shared("holds", () => new WeakMap<Effect.Effect<void>, Hold>())

/** The hold of a resolver, if it has one. */
export const holdOf = ({ delay }: AnyResolver): Hold | undefined => holds.get(delay)

/** How long a resolver collects: as before, and then for as long as there is more to come. */
export const holding = ({ delay }: AnyResolver, max: Duration.Duration): Effect.Effect<void> => {
  const hold = new Hold(max)
  const held = Effect.andThen(delay, hold.wait)
  holds.set(held, hold)
  return held
}
