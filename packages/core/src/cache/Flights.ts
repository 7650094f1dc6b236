/**
 * Loads that are under way: a reader that needs the same waits for the reader that loads it.
 *
 * When that one is interrupted or refused, those that wait are woken with nothing, and the first of them loads, in its own
 * run. So no reader's load depends on the life, the deadline or the share of another one, and none has to outlive its reader.
 */
import { type Context, Effect, type Exit } from "effect"
import * as RunLocal from "../base/RunLocal.ts"
import { type Key, KeyMap, type Range } from "./Key.ts"
import type { Found } from "./Level.ts"

/** What a load ended in; nothing, where that is for its reader only, and the load is handed on. */
type Landing = Exit.Exit<unknown, unknown> | undefined

interface Passenger {
  readonly on: Flight
  readonly resume: (landing: Landing) => void
  /** The loads that cannot end before the one that is waited for. */
  readonly holdsUp: ReadonlyArray<Flight>
}

/** One load that is under way. */
export class Flight {
  readonly key: Key
  /** What its load holds, from beginning to end, by what that was taken from. */
  readonly holds: ReadonlyArray<object>
  /** The policies that decide when it gives up. */
  readonly policies: () => string
  /** Whether it replaces a value that readers have: none of them waits for it. */
  readonly isRefresh: boolean
  /** Whether what it gives was asked to be forgotten while it was under way. */
  isOutdated = false
  /** Whether a stale value may stand in for what it failed with. */
  mayBeStoodInFor = false
  /** What the level behind had, where that was enough. */
  found: Found | undefined = undefined
  /** What it ended in, when it is over. */
  landed: { readonly landing: Landing } | undefined = undefined
  /** Who waits for it. */
  readonly passengers = new Set<Passenger>()
  /** Who inside it waits for another one. */
  readonly waiting = new Set<Passenger>()

  constructor(key: Key, holds: ReadonlyArray<object>, policies: () => string, isRefresh: boolean) {
    this.key = key
    this.holds = holds
    this.policies = policies
    this.isRefresh = isRefresh
  }
}

/** The loads that an effect is part of, the innermost last. */
export const Aboard: Context.Reference<ReadonlyArray<Flight>> = /* @__PURE__ */ RunLocal.makeOfWait<
  ReadonlyArray<Flight>
>("Aboard", () => [])

const none: ReadonlyArray<never> = []

/** Whether a load cannot end before one of these has. */
const needs = (flight: Flight, others: ReadonlyArray<Flight>): boolean => {
  const seen = new Set<Flight>()
  const open = [flight]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (others.includes(next)) return true
    if (seen.has(next)) continue
    seen.add(next)
    for (const { on } of next.waiting) open.push(on)
  }
  return false
}

export class Flights {
  /** Mostly one of each key; more, where there are readers who may not wait for those there are. */
  private readonly loads = new KeyMap<ReadonlyArray<Flight>>()
  /** At most one of each key. */
  private readonly refreshes = new KeyMap<Flight>()

  of(key: Key): ReadonlyArray<Flight> {
    return this.loads.get(key) ?? none
  }

  begin(key: Key, holds: ReadonlyArray<object> = none, policies = (): string => ""): Flight {
    const flight = new Flight(key, holds, policies, false)
    this.loads.set(key, [...this.of(key), flight])
    return flight
  }

  /** Whether a value is being loaded, for readers or in the background. */
  has(key: Key): boolean {
    return this.of(key).length > 0 || this.refreshes.get(key) !== undefined
  }

  beginRefresh(key: Key): Flight {
    const flight = new Flight(key, none, () => "", true)
    this.refreshes.set(key, flight)
    return flight
  }

  /** What a refresh has begun to load is older than what a reader has loaded since. */
  outdateRefresh(key: Key): void {
    const refresh = this.refreshes.get(key)
    if (refresh !== undefined) refresh.isOutdated = true
  }

  /** A load is over: no reader joins it any more, and those that wait go on. */
  end(flight: Flight, landing: Landing): void {
    flight.landed = { landing }
    if (flight.isRefresh) this.removeRefresh(flight)
    else this.remove(flight)
    const passengers = Array.from(flight.passengers)
    for (const passenger of passengers) leave(passenger)
    for (const { resume } of passengers) resume(landing)
  }

  /** What is under way is given to those that wait for it already, and to no other reader. */
  forget(range: Range): void {
    const forgotten = [...this.loads.deleteIn(range).flat(), ...this.refreshes.deleteIn(range)]
    for (const flight of forgotten) flight.isOutdated = true
  }

  private remove(flight: Flight): void {
    const others = this.of(flight.key).filter((other) => other !== flight)
    if (others.length > 0) this.loads.set(flight.key, others)
    else this.loads.delete(flight.key)
  }

  private removeRefresh(flight: Flight): void {
    if (this.refreshes.get(flight.key) === flight) this.refreshes.delete(flight.key)
  }
}

/**
 * Whether who is aboard of `aboard`, and holds something, may wait for a load: not if that one waits for them, or may ask for
 * what they hold. A load that holds as much itself asks nobody for more of it; and whatever is inside it holds that, too, so
 * neither does what that waits for.
 */
export const mayJoin = (flight: Flight, aboard: ReadonlyArray<Flight>, holds: ReadonlyArray<object> = none): boolean =>
  holds.every((supply) => flight.holds.includes(supply)) && (aboard.length === 0 || !needs(flight, aboard))

const leave = (passenger: Passenger): void => {
  passenger.on.passengers.delete(passenger)
  for (const flight of passenger.holdsUp) flight.waiting.delete(passenger)
}

/** Waits for what a load ends in. */
export const join = (flight: Flight, aboard: ReadonlyArray<Flight>): Effect.Effect<Landing> =>
  Effect.callback((resume) => {
    // Whoever is told that somebody waits can have ended it in that moment.
    if (flight.landed !== undefined) return resume(Effect.succeed(flight.landed.landing))
    const passenger: Passenger = {
      on: flight,
      holdsUp: aboard,
      resume: (landing) => resume(Effect.succeed(landing))
    }
    flight.passengers.add(passenger)
    for (const held of aboard) held.waiting.add(passenger)
    return Effect.sync(() => leave(passenger))
  })
