/** How long, and for which reads, a cached value may be used. This is decided once, when the value is stored. */
import type * as Exit from "effect/Exit"

/** A cached exit, and the instants at which its freshness ends, in milliseconds of monotonic time. */
export interface Entry {
  readonly exit: Exit.Exit<unknown, unknown>
  /** Its share of the cache's weight. */
  readonly weight: number
  /** From here on a read starts a refresh. */
  readonly refreshFrom: number
  /** Until here it is a hit. */
  readonly freshUntil: number
  /** Until here a read returns it and starts a refresh. */
  readonly staleUntil: number
  /** Until here it replaces errors of loads. */
  readonly fallbackUntil: number
  /** Whether the next reader loads it while it is stale, because a refresh has failed. */
  readonly loadsNext?: boolean
}

/** The windows around a time to live, in milliseconds. */
export interface Windows {
  /** The part of the time to live after which a read starts a refresh; 1 for never. */
  readonly earlyRefresh: number
  /** The part of the time to live by which it may be shorter. */
  readonly jitter: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
}

export const noWindows: Windows = { earlyRefresh: 1, jitter: 0, staleWhileRevalidate: 0, staleIfError: 0 }

/** The entry of an exit at `now`, or `undefined` where it is not kept. `chance` is from 0 to 1. */
export const toEntry = (
  exit: Exit.Exit<unknown, unknown>,
  weigh: () => number,
  timeToLive: number,
  windows: Windows,
  now: number,
  chance: number
): Entry | undefined => {
  const { earlyRefresh, jitter, staleIfError, staleWhileRevalidate } = windows
  const lives = timeToLive * (1 - jitter * chance)
  if (!(lives > 0)) return undefined
  const freshUntil = now + lives
  return {
    exit,
    weight: weigh(),
    refreshFrom: earlyRefresh < 1 ? now + lives * earlyRefresh : freshUntil,
    freshUntil,
    staleUntil: freshUntil + staleWhileRevalidate,
    fallbackUntil: freshUntil + staleIfError
  }
}

/** The instant from which no read can use an entry. */
export const endOf = ({ fallbackUntil, staleUntil }: Entry): number => Math.max(staleUntil, fallbackUntil)

export const isOver = (entry: Entry, now: number): boolean => now >= endOf(entry)
