/**
 * Loads in progress: a reader of the same key waits for the reader that loads it.
 *
 * When the loading reader is interrupted or refused, the waiting ones are woken without an exit, and the first of them
 * loads in its own run. So the life of one reader does not decide for another, and no load outlives its reader.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as RunLocal from "../base/RunLocal.ts"
import { type Key, KeyMap, type Range } from "./Key.ts"
import type { Found } from "./Level.ts"

/** The exit of a load; `undefined` where it concerns its reader only, and another reader takes the load over. */
type Landing = Exit.Exit<unknown, unknown> | undefined

interface Passenger {
  readonly on: Flight
  readonly resume: (landing: Landing) => void
  /** The loads that cannot end before the one that is waited for. */
  readonly holdsUp: ReadonlyArray<Flight>
}

/** One load in progress. */
export class Flight {
  readonly key: Key
  /** The slots and permits that it holds from beginning to end, by their source. */
  readonly holds: ReadonlyArray<object>
  /** The policies that decide when it gives up. */
  readonly policies: () => string
  /** Whether it is a refresh, which no reader waits for. */
  readonly isRefresh: boolean
  /** Whether its key was invalidated while it was in progress. */
  isOutdated = false
  /** Whether a stale value may stand in for what it failed with. */
  mayBeStoodInFor = false
  /** The value that the level behind had. */
  found: Found | undefined = undefined
  /** Its exit, once it has ended. */
  landed: { readonly landing: Landing } | undefined = undefined
  /** The readers that wait for it. */
  readonly passengers = new Set<Passenger>()
  /** The waits for other loads inside it. */
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
  /** Usually one per key; more where a reader may not wait for the others. */
  private readonly loads = new KeyMap<ReadonlyArray<Flight>>()
  /** At most one per key. */
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

  /** Marks a refresh as outdated: a reader has loaded the value since it began. */
  outdateRefresh(key: Key): void {
    const refresh = this.refreshes.get(key)
    if (refresh !== undefined) refresh.isOutdated = true
  }

  /** Ends a load: no reader can join it any more, and the waiting ones continue. */
  end(flight: Flight, landing: Landing): void {
    flight.landed = { landing }
    if (flight.isRefresh) this.removeRefresh(flight)
    else this.remove(flight)
    const passengers = Array.from(flight.passengers)
    for (const passenger of passengers) leave(passenger)
    for (const { resume } of passengers) resume(landing)
  }

  /** Closes the loads in progress to further readers. The readers that wait already still get their values. */
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
 * Whether a reader inside the loads of `aboard`, which holds slots or permits, may wait for a load. It may not if that load
 * waits for the reader, or may still ask for what the reader holds. A load that holds as much itself asks for no more of it,
 * nor does anything inside it, since that borrows from the load.
 */
export const mayJoin = (flight: Flight, aboard: ReadonlyArray<Flight>, holds: ReadonlyArray<object> = none): boolean =>
  holds.every((supply) => flight.holds.includes(supply)) && (aboard.length === 0 || !needs(flight, aboard))

const leave = (passenger: Passenger): void => {
  passenger.on.passengers.delete(passenger)
  for (const flight of passenger.holdsUp) flight.waiting.delete(passenger)
}

/** Waits for the exit of a load. */
export const join = (flight: Flight, aboard: ReadonlyArray<Flight>): Effect.Effect<Landing> =>
  Effect.callback((resume) => {
    // Telling the loading side that a reader waits can end the load at once.
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
