/**
 * The loads of a cache that are in progress, and the readers that wait for them.
 *
 * When the loading reader is interrupted or refused, the waiting readers resume without an exit, and the first of them
 * loads in its own run. So no load outlives its reader, and the end of one reader costs no other reader its value.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as RunLocal from "../base/RunLocal.ts"
import { type Key, KeyMap, type Range } from "./Key.ts"
import type { LevelValue } from "./Level.ts"

/** The exit of a load; `undefined` where it concerns only the reader that loads, so that another reader loads again. */
type SharedExit = Exit.Exit<unknown, unknown> | undefined

/** A reader that waits for the load of another reader. */
interface JoinedReader {
  readonly on: PendingLoad
  readonly resume: (exit: SharedExit) => void
  /** The loads around the reader, which cannot end before `on` has. */
  readonly holdsUp: ReadonlyArray<PendingLoad>
}

/** One load in progress. */
export class PendingLoad {
  readonly key: Key
  /** The sources of the slots and permits that it holds until it ends. */
  readonly holds: ReadonlyArray<object>
  /** The labels of the policies inside the cache, which decide when the load gives up. */
  readonly policies: () => string
  /** Whether it is a refresh, which no reader waits for. */
  readonly isRefresh: boolean
  /** Whether its key was invalidated while it was in progress. */
  isOutdated = false
  /** Whether a stale value may replace its error. */
  mayBeStoodInFor = false
  /** The value from the level behind, if that level had one. */
  found: LevelValue | undefined = undefined
  /** Its exit, after its end. */
  ended: { readonly exit: SharedExit } | undefined = undefined
  /** The readers that wait for it. */
  readonly readers = new Set<JoinedReader>()
  /** The readers inside it that wait for other loads. */
  readonly waiting = new Set<JoinedReader>()

  constructor(key: Key, holds: ReadonlyArray<object>, policies: () => string, isRefresh: boolean) {
    this.key = key
    this.holds = holds
    this.policies = policies
    this.isRefresh = isRefresh
  }
}

/** The loads that an effect is part of, the innermost last. */
export const CurrentLoads: Context.Reference<ReadonlyArray<PendingLoad>> = /* @__PURE__ */ RunLocal.makeOfWait<
  ReadonlyArray<PendingLoad>
>("CurrentLoads", () => [])

const none: ReadonlyArray<never> = []

/** Whether a load waits for one of these, directly or through further loads. */
const needs = (pending: PendingLoad, others: ReadonlyArray<PendingLoad>): boolean => {
  const seen = new Set<PendingLoad>()
  const open = [pending]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (others.includes(next)) return true
    if (seen.has(next)) continue
    seen.add(next)
    for (const { on } of next.waiting) open.push(on)
  }
  return false
}

/** The loads and refreshes in progress, by key. */
export class InFlight {
  /** Usually one per key. A reader that may not join the others has a load of its own. */
  private readonly loads = new KeyMap<ReadonlyArray<PendingLoad>>()
  /** At most one per key. */
  private readonly refreshes = new KeyMap<PendingLoad>()

  of(key: Key): ReadonlyArray<PendingLoad> {
    return this.loads.get(key) ?? none
  }

  begin(key: Key, holds: ReadonlyArray<object> = none, policies = (): string => ""): PendingLoad {
    const pending = new PendingLoad(key, holds, policies, false)
    this.loads.set(key, [...this.of(key), pending])
    return pending
  }

  /** Whether a value is being loaded, for readers or in the background. */
  has(key: Key): boolean {
    return this.of(key).length > 0 || this.refreshes.get(key) !== undefined
  }

  beginRefresh(key: Key): PendingLoad {
    const pending = new PendingLoad(key, none, () => "", true)
    this.refreshes.set(key, pending)
    return pending
  }

  /** Marks the refresh of a key as outdated: a reader has loaded the value since that refresh began. */
  outdateRefresh(key: Key): void {
    const refresh = this.refreshes.get(key)
    if (refresh !== undefined) refresh.isOutdated = true
  }

  /** Ends a load: no reader can join it any more, and the waiting readers resume. */
  end(pending: PendingLoad, exit: SharedExit): void {
    pending.ended = { exit }
    if (pending.isRefresh) this.removeRefresh(pending)
    else this.remove(pending)
    const readers = Array.from(pending.readers)
    for (const reader of readers) leave(reader)
    for (const { resume } of readers) resume(exit)
  }

  /** Closes the loads in progress to further readers. Readers that wait already still get the values. */
  forget(range: Range): void {
    const forgotten = [...this.loads.deleteIn(range).flat(), ...this.refreshes.deleteIn(range)]
    for (const pending of forgotten) pending.isOutdated = true
  }

  private remove(pending: PendingLoad): void {
    const others = this.of(pending.key).filter((other) => other !== pending)
    if (others.length > 0) this.loads.set(pending.key, others)
    else this.loads.delete(pending.key)
  }

  private removeRefresh(pending: PendingLoad): void {
    if (this.refreshes.get(pending.key) === pending) this.refreshes.delete(pending.key)
  }
}

/**
 * Whether a reader may wait for a load. `current` are the loads around the reader, `holds` the sources of its slots and permits.
 *
 * The reader may not wait if the load waits for the reader, or can still need a permit that the reader holds. A load that holds
 * a permit of a source needs no second one, and effects inside that load borrow its permit.
 */
export const mayJoin = (
  pending: PendingLoad,
  current: ReadonlyArray<PendingLoad>,
  holds: ReadonlyArray<object> = none
): boolean =>
  holds.every((supply) => pending.holds.includes(supply)) && (current.length === 0 || !needs(pending, current))

const leave = (reader: JoinedReader): void => {
  reader.on.readers.delete(reader)
  for (const pending of reader.holdsUp) pending.waiting.delete(reader)
}

/** Waits for the exit of a load. */
export const join = (pending: PendingLoad, current: ReadonlyArray<PendingLoad>): Effect.Effect<SharedExit> =>
  Effect.callback((resume) => {
    // `Cache` reports `coalesced` before it calls `join`, and that report can end the load.
    if (pending.ended !== undefined) return resume(Effect.succeed(pending.ended.exit))
    const reader: JoinedReader = {
      on: pending,
      holdsUp: current,
      resume: (exit) => resume(Effect.succeed(exit))
    }
    pending.readers.add(reader)
    for (const outer of current) outer.waiting.add(reader)
    return Effect.sync(() => leave(reader))
  })
