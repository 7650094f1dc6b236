/**
 * The path of one read through a cache.
 *
 *  1. A fresh value is returned at once. So is a stale one within `staleWhileRevalidate`, which is refreshed in the
 *     background.
 *  2. If another reader loads the value already, this reader waits for that load, unless it would then wait for itself
 *     (see `mayJoin`). No reader waits for a refresh, which may hang and has a deadline of its own.
 *  3. Otherwise the reader asks the level behind, and then loads the value in its own fiber, with its own services. When
 *     that reader is interrupted or refused, one of the readers that wait for it starts again at 1.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type { AnyEffect } from "../base/AnyEffect.ts"
import { describeCause } from "../base/ErrorText.ts"
import { RareLine } from "../base/RareLine.ts"
import { shared } from "../base/Fork.ts"
import { unshareableIn } from "../base/Unshareable.ts"
import { Held, suppliesIn } from "../base/Held.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import { notNow } from "../base/NotNow.ts"
import { Background } from "./Background.ts"
import type { CacheLevel, CacheResult } from "./CacheRead.ts"
import { Entries, type Room } from "./Entries.ts"
import { CurrentLoads, type PendingLoad, InFlight, join, mayJoin } from "./InFlight.ts"
import { type Entry, isOver, noWindows, toEntry, type Windows } from "./Freshness.ts"
import type { Key, Range } from "./Key.ts"
import type { LevelValue, Level } from "./Level.ts"
import { Sweeper } from "./Sweeper.ts"
import { CacheCounts, type CacheStats } from "./CacheStats.ts"

/** The options of a cache, checked. Times are milliseconds. */
export interface CacheSettings extends Windows {
  readonly name: string
  readonly room: Room
  readonly weigh: (value: unknown, key: Key) => number
  readonly timeToLive: (value: unknown, key: Key) => number
  /** How long a typed failure is remembered. */
  readonly failureTimeToLive: (error: unknown, key: Key) => number
  /** Whether a stale value may replace this error. */
  readonly standsIn: (error: unknown) => boolean
  readonly background: number
  /** The longest time of a refresh. */
  readonly refreshWithin: number
}

/**
 * A reader, as the cache sees it: callbacks for its reports, and a load for the background, which may run after the
 * reader's end.
 *
 * - `read`: called for each look-up, with the level, the result, and the reason where the level failed.
 * - `degraded`: called when a stale value replaces this error.
 * - `refresh`: loads the value in the background.
 * - `policies`: the labels of the policies inside the cache. Readers share a timeout only if theirs are equal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reader {
  readonly read: (level: CacheLevel, result: CacheResult, reason?: string) => void
  readonly degraded: (error: unknown) => void
  readonly refresh: () => AnyEffect
  readonly policies: () => string
}

/** The error of a load that failed without defect or interruption. A refusal is a defect up to the place of its policy. */
const failureIn = ({ reasons }: Cause.Cause<unknown>): { readonly error: unknown } | undefined => {
  if (reasons.every(Cause.isFailReason)) return reasons[0]
  const [only, ...others] = reasons
  if (others.length > 0 || only?._tag !== "Die" || notNow(only.defect) !== "Refused") return undefined
  return only.defect as { readonly error: unknown }
}

/** Whether a load took too long. */
const isLate = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && notNow(failureIn(exit.cause)?.error) === "Late"

/** Whether an exit concerns only the reader that loaded: it was interrupted, or refused before the load began. */
const isOwn = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && (Cause.hasInterrupts(exit.cause) || notNow(failureIn(exit.cause)?.error) === "Refused")

type AnyFiber = Fiber.Fiber<unknown, unknown>

const nowOf = (fiber: AnyFiber): number => monotonicNow(fiber.getRef(Clock.Clock))

/** The current instant, for other processes. */
const wallNowOf = (fiber: AnyFiber): number => fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()

export class Cache {
  private readonly counts = new CacheCounts()
  private readonly entries: Entries
  private readonly sweeper: Sweeper
  private readonly settings: CacheSettings
  private readonly level: Level | undefined
  private readonly inFlight = new InFlight()
  private readonly refreshing: Background
  private readonly forgetting: Background
  private readonly failures = new RareLine()

  constructor(settings: CacheSettings, level: Level | undefined) {
    this.settings = settings
    this.level = level
    this.entries = new Entries(settings.room)
    this.sweeper = new Sweeper(this.entries)
    this.refreshing = new Background(settings.background, settings.refreshWithin)
    this.forgetting = new Background(settings.background, settings.refreshWithin)
  }

  /** The value of a key: remembered, waited for, or loaded. */
  read(key: Key, load: AnyEffect, reader: Reader): AnyEffect {
    return Effect.withFiber((fiber) => this.remembered(fiber, key, reader) ?? this.fetch(key, load, reader))
  }

  /** Forgets a range, and returns whether the level behind has, too. */
  forget(range: Range): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      this.entries.forget(range)
      this.inFlight.forget(range)
      return this.level === undefined ? Effect.succeed(true) : this.level.forget(range)
    })
  }

  stats(): CacheStats {
    const { dropped, refreshes, refreshFailures } = this.counts
    const { evictions, expired, size, weight } = this.entries
    const writes = this.level?.counts
    return {
      entries: size,
      weight,
      evictions,
      expired,
      reads: this.counts.snapshot(),
      refreshes,
      refreshing: this.refreshing.size,
      refreshFailures,
      writes: writes?.written ?? 0,
      writeFailures: writes?.failed ?? 0,
      dropped: dropped + (writes?.dropped ?? 0)
    }
  }

  get close(): Effect.Effect<void> {
    const closeSweeper = Effect.sync(() => this.sweeper.close())
    return Effect.andThen(closeSweeper, Effect.andThen(this.refreshing.close, this.forgetting.close))
  }

  /** The value that needs no load, if there is one. */
  private remembered(fiber: AnyFiber, key: Key, reader: Reader): Exit.Exit<unknown, unknown> | undefined {
    const entry = this.entries.peek(key)
    if (entry === undefined) return undefined
    const now = nowOf(fiber)
    const mayRefresh = now >= entry.refreshFrom && unshareableIn(fiber.context) === undefined
    if (now < entry.freshUntil) this.tell(reader, "memory", "hit")
    else if (now < entry.staleUntil && mayRefresh && entry.loadsNext !== true) this.tell(reader, "memory", "stale")
    else {
      if (isOver(entry, now)) this.entries.remove(key)
      return undefined
    }
    this.entries.touch(key, entry)
    if (mayRefresh) this.refresh(fiber, key, reader)
    return entry.exit
  }

  private fetch(key: Key, load: AnyEffect, reader: Reader): AnyEffect {
    // Another reader's timeout does not count for this reader: after one such timeout, it joins only loads with its own policies.
    const isOwnTimeout = (pending: PendingLoad): boolean => pending.policies() === reader.policies()
    let wasLetDown = false
    return Effect.uninterruptibleMask((restore) => {
      const enter: AnyEffect = Effect.withFiber((fiber) => {
        // This reader was woken because another one was interrupted: a third one may have started the load already.
        const remembered = this.remembered(fiber, key, reader)
        if (remembered !== undefined) return remembered
        if (unshareableIn(fiber.context) !== undefined) return this.loadApart(load, reader, restore)
        const current = fiber.getRef(CurrentLoads)
        const holds = suppliesIn(fiber.getRef(Held))
        const pending = this.inFlight
          .of(key)
          .find((pending) => mayJoin(pending, current, holds) && (!wasLetDown || isOwnTimeout(pending)))
        this.tell(reader, "memory", pending === undefined ? "miss" : "coalesced")
        if (pending === undefined) {
          this.loadsNow(key)
          return this.lead(fiber, this.inFlight.begin(key, holds, reader.policies), load, reader, restore)
        }
        return Effect.flatMap(restore(join(pending, current)), (exit) => {
          if (exit === undefined) return enter
          if (!isLate(exit) || isOwnTimeout(pending)) return this.answer(fiber, pending, exit, reader)
          wasLetDown = true
          return enter
        })
      })
      return enter
    })
  }

  /** Loads in a transaction, for this reader only: the transaction may be rolled back. */
  private loadApart(load: AnyEffect, reader: Reader, restore: (self: AnyEffect) => AnyEffect): AnyEffect {
    this.tell(reader, "memory", "miss")
    return restore(load)
  }

  /** Loads for this reader and those that join before the load ends. They get its exit, or one of them loads again. */
  private lead(
    fiber: AnyFiber,
    pending: PendingLoad,
    load: AnyEffect,
    reader: Reader,
    restore: (self: AnyEffect) => AnyEffect
  ): AnyEffect {
    const since = wallNowOf(fiber)
    const current = [...fiber.getRef(CurrentLoads), pending]
    const found = Effect.suspend(() => this.lookUp(fiber, pending, load, reader))
    const inside = Effect.provideService(found, CurrentLoads, current)
    return Effect.flatMap(Effect.exit(restore(shared(inside))), (exit) => {
      const kept = this.keep(fiber, pending, exit, since)
      this.inFlight.end(pending, isOwn(kept) ? undefined : kept)
      return pending.isRefresh ? kept : this.answer(fiber, pending, kept, reader)
    })
  }

  /** Asks the level behind, if there is one, and loads where that level misses. */
  private lookUp(fiber: AnyFiber, pending: PendingLoad, load: AnyEffect, reader: Reader): AnyEffect {
    const { level } = this
    if (level === undefined) return load
    return Effect.flatMap(level.get(pending.key), (answer) => {
      const { found, result } = answer
      this.tell(reader, "persisted", result, answer.result === "error" ? answer.reason : undefined)
      if (result !== "hit") {
        if (found !== undefined && !pending.isOutdated) this.keepForErrors(fiber, pending.key, found)
        return load
      }
      pending.found = found
      return Effect.succeed(found!.value)
    })
  }

  /** Keeps the exit of a load where the options say so, and returns the exit for the reader. */
  private keep(
    fiber: AnyFiber,
    pending: PendingLoad,
    exit: Exit.Exit<unknown, unknown>,
    since: number
  ): Exit.Exit<unknown, unknown> {
    try {
      const entry = this.toEntry(fiber, pending, exit)
      if (!pending.isOutdated) {
        if (entry !== undefined) this.set(fiber, pending.key, entry)
        // A value that is not kept still outdates the previous one.
        else if (Exit.isSuccess(exit)) this.entries.remove(pending.key)
      }
      if (Exit.isSuccess(exit) && !pending.isRefresh) this.inFlight.outdateRefresh(pending.key)
    } catch (defect) {
      return Exit.isSuccess(exit) ? Exit.die(defect) : Exit.failCause(Cause.combine(exit.cause, Cause.die(defect)))
    }
    // An outdated value must not be written: the level behind has forgotten its key meanwhile.
    if (Exit.isSuccess(exit) && pending.found === undefined && !pending.isOutdated)
      this.level?.set(pending.key, exit.value, since)
    return exit
  }

  private toEntry(fiber: AnyFiber, pending: PendingLoad, exit: Exit.Exit<unknown, unknown>): Entry | undefined {
    const { settings } = this
    const { found, key } = pending
    const now = nowOf(fiber)
    const chance = settings.jitter === 0 ? 0 : fiber.getRef(Random.Random).nextDoubleUnsafe()
    if (Exit.isSuccess(exit)) {
      const timeToLive = settings.timeToLive(exit.value, key)
      const left = found === undefined ? timeToLive : Math.min(timeToLive, found.freshFor)
      return toEntry(exit, () => settings.weigh(exit.value, key), left, settings, now, chance)
    }
    const failure = failureIn(exit.cause)
    if (failure === undefined) return undefined
    pending.mayBeStoodInFor = settings.standsIn(failure.error)
    // The services of a refresh may have ended with its reader, so its failure says little: the next reader loads again.
    if (pending.isRefresh) return undefined
    if (!pending.mayBeStoodInFor) this.endFallback(fiber, key)
    // "Not now" says nothing about the value, and a stale value that may replace the error is better than the error.
    else if (notNow(failure.error) !== undefined) return undefined
    if (this.standIn(pending, now) !== undefined) return undefined
    return toEntry(exit, () => 1, settings.failureTimeToLive(failure.error, key), noWindows, now, 0)
  }

  /** Keeps an expired value from the level behind, to replace errors only. */
  private keepForErrors(fiber: AnyFiber, key: Key, { freshFor, value }: LevelValue): void {
    const now = nowOf(fiber)
    const fallbackUntil = now + freshFor + this.settings.staleIfError
    const known = this.entries.peek(key)
    if (known !== undefined && known.fallbackUntil >= fallbackUntil) return
    if (fallbackUntil <= now) return
    this.set(fiber, key, {
      exit: Exit.succeed(value),
      weight: this.settings.weigh(value, key),
      refreshFrom: now,
      freshUntil: now,
      staleUntil: now,
      fallbackUntil
    })
  }

  private set(fiber: AnyFiber, key: Key, entry: Entry): void {
    this.entries.set(key, entry)
    this.sweeper.noteEntry(fiber.getRef(Clock.Clock))
  }

  /** The value that replaces an error. A stale value replaces every error, since a read returns it without a load, too. */
  private standIn({ key, mayBeStoodInFor }: PendingLoad, now: number): Entry | undefined {
    const entry = this.entries.peek(key)
    if (entry === undefined || Exit.isFailure(entry.exit)) return undefined
    return now < entry.staleUntil || (mayBeStoodInFor && now < entry.fallbackUntil) ? entry : undefined
  }

  /** Ends the use of a stale value after an error that it may not replace: it replaces no later error either. */
  private endFallback(fiber: AnyFiber, key: Key): void {
    const { level } = this
    const entry = this.entries.peek(key)
    if (entry === undefined || entry.fallbackUntil <= entry.staleUntil) return
    const ended = { ...entry, fallbackUntil: entry.staleUntil }
    if (isOver(ended, nowOf(fiber))) this.entries.remove(key)
    else this.entries.replace(key, ended)
    if (level === undefined || typeof key !== "string") return
    this.inBackground(this.forgetting, fiber, () => level.forget({ _tag: "Key", key }))
  }

  /** The exit that a reader gets from the exit of a load. */
  private answer(
    fiber: AnyFiber,
    pending: PendingLoad,
    exit: Exit.Exit<unknown, unknown>,
    reader: Reader
  ): Exit.Exit<unknown, unknown> {
    if (Exit.isSuccess(exit)) return exit
    const failure = failureIn(exit.cause)
    const entry = failure === undefined ? undefined : this.standIn(pending, nowOf(fiber))
    if (entry === undefined) return exit
    this.tell(reader, "memory", "stale")
    reader.degraded(failure!.error)
    return entry.exit
  }

  /**
   * Loads in the background, unless the key is being loaded already. A refresh that cannot be interrupted ignores its
   * deadline. It keeps its place, and its key has no other refresh meanwhile; readers load the value when it has expired.
   */
  private refresh(fiber: AnyFiber, key: Key, reader: Reader): void {
    if (this.inFlight.has(key)) return
    this.inBackground(this.refreshing, fiber, () =>
      Effect.uninterruptibleMask((restore) =>
        Effect.withFiber((fiber) => {
          this.counts.refreshes++
          const pending = this.inFlight.beginRefresh(key)
          const load = Effect.timeout(Effect.suspend(reader.refresh), this.settings.refreshWithin)
          return Effect.flatMap(Effect.exit(this.lead(fiber, pending, load, noReader, restore)), (exit) =>
            Exit.isSuccess(exit) ? Effect.void : this.refreshFailed(fiber, pending, exit.cause)
          )
        })
      )
    )
  }

  /**
   * After a failure other than "not now", the next reader loads with its own services, and gets the stale value where that
   * fails, too: the services of the refresh, such as a connection, may have ended with the reader that began it.
   */
  private refreshFailed(fiber: AnyFiber, pending: PendingLoad, cause: Cause.Cause<unknown>): Effect.Effect<void> {
    this.counts.refreshFailures++
    // Any other interruption is a failure: fibers of a service in the reader's scope are interrupted when that scope closes.
    if (this.refreshing.isClosed) return Effect.void
    const { key, mayBeStoodInFor } = pending
    const entry = this.entries.peek(key)
    if (!mayBeStoodInFor && !pending.isOutdated && entry !== undefined) {
      this.entries.replace(key, { ...entry, loadsNext: true })
    }
    const more = this.failures.due("refresh", nowOf(fiber))
    if (more === undefined) return Effect.void
    // The log must not contain keys, which can identify a person.
    const what = typeof key === "string" ? "a value" : `a value of resource ${JSON.stringify(key.resource)}`
    const why = describeCause(cause)
    return Effect.logWarning(`cache "${this.settings.name}": ${what} could not be refreshed: ${why}${more}`)
  }

  /** Lets one reader load after a failed refresh. The others get the stale value meanwhile. */
  private loadsNow(key: Key): void {
    const entry = this.entries.peek(key)
    if (entry?.loadsNext === true) this.entries.replace(key, { ...entry, loadsNext: false })
  }

  private inBackground(places: Background, fiber: AnyFiber, work: () => AnyEffect): void {
    if (places.hasRoom) places.run(fiber.context as Context.Context<unknown>, work())
    else this.counts.dropped++
  }

  private tell(reader: Reader, level: CacheLevel, result: CacheResult, reason?: string): void {
    this.counts.add(level, result)
    reader.read(level, result, reason)
  }
}

/** Refreshes are not reported: their reader already has a value. */
const noReader: Reader = { read: () => {}, degraded: () => {}, refresh: () => Effect.void, policies: () => "" }
