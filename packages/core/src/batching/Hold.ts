/**
 * Batches that wait for further requests.
 *
 * A hold belongs to a resolver. It counts the requests of each run in its batches, and asks those runs whether more requests can
 * come. A request that depends on a held one does not count, so no batch waits for itself. Holds that would wait for each other
 * in a circle do not wait.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { shared } from "../base/Shared.ts"
import type { AnyResolver } from "./AnyResolver.ts"

/** The answer of a run about further requests. */
export interface Outlook {
  /** Whether a request can come without an answer to a held one. */
  readonly free: boolean
  /** The other holds whose answers further requests wait for. */
  readonly behind: ReadonlySet<Hold>
}

/** A run, with the runs inside it. */
export interface Horizon {
  readonly lookFor: (hold: Hold) => Outlook
}

/** The place of a request in its run. */
export interface HoldPlace {
  readonly horizon: Horizon
  /** Called when a request of this place is held. */
  readonly enter: (hold: Hold) => void
  /** Called when a request of this place is no longer held. */
  readonly leave: (hold: Hold) => void
}

const outOfTime = /* @__PURE__ */ shared("out of time", () => new WeakSet<object>())

/** Whether `maxHold` expired for the batch that this fiber sends. */
export const isOutOfTime = (fiber: Fiber.Fiber<unknown, unknown>): boolean => outOfTime.has(fiber)

export class Hold {
  /** The number of held requests of each run. */
  private readonly held = new Map<Horizon, number>()
  /** The functions that wake the held batches. */
  private readonly waiting = new Set<() => void>()
  /** Waits while more requests can come, and `max` at most. */
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

  enter(place: HoldPlace): void {
    this.held.set(place.horizon, (this.held.get(place.horizon) ?? 0) + 1)
    place.enter(this)
  }

  leave(place: HoldPlace): void {
    const left = this.held.get(place.horizon)! - 1
    if (left > 0) this.held.set(place.horizon, left)
    else this.held.delete(place.horizon)
    place.leave(this)
  }

  /** Wakes the held batches: a step has settled in a run whose requests are held here. */
  tell(): void {
    for (const wake of this.waiting) wake()
    this.waiting.clear()
  }

  get outlooks(): ReadonlyArray<Outlook> {
    return Array.from(this.held.keys(), (horizon) => horizon.lookFor(this))
  }

  /** Waits until a step has settled, and until the steps that this starts have made their requests. */
  private get news(): Effect.Effect<void> {
    const told = Effect.callback<void>((resume) => {
      const wake = () => resume(Effect.void)
      this.waiting.add(wake)
      return Effect.sync(() => void this.waiting.delete(wake))
    })
    return Effect.andThen(told, Effect.yieldNow)
  }
}

/** Whether more requests can come to a hold. `passed` are the holds on the way here, which wait for this one. */
const mustWait = (hold: Hold, passed: Set<Hold>): boolean => {
  passed.add(hold)
  const { outlooks } = hold
  if (outlooks.some(({ free }) => free)) return true
  return outlooks.some(({ behind }) => [...behind].some((other) => !passed.has(other) && isMoving(other, passed)))
}

/** Whether a hold will release its batches without waiting for the holds on the way here. */
const isMoving = (hold: Hold, passed: Set<Hold>): boolean => {
  const waits = hold.outlooks.some(({ behind, free }) => free || behind.size > 0)
  return !waits || mustWait(hold, passed)
}

/** Holds by the `delay` of their resolvers, which Effect's combinators keep when they make one resolver from another. */
const holds = /* @__PURE__ */ shared("holds", () => new WeakMap<Effect.Effect<void>, Hold>())

/** The hold of a resolver, if it has one. */
export const holdOf = ({ delay }: AnyResolver): Hold | undefined => holds.get(delay)

/** The delay of a resolver, followed by a hold of its batches. */
export const holding = ({ delay }: AnyResolver, max: Duration.Duration): Effect.Effect<void> => {
  const hold = new Hold(max)
  const held = Effect.andThen(delay, hold.wait)
  holds.set(held, hold)
  return held
}
