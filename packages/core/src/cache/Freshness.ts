/** How long a value may be used, and for what: decided once, when it comes in. */
import type { Exit } from "effect"

/** A cached exit, and the instants at which its freshness ends, in milliseconds of monotonic time. */
export interface Entry {
  readonly exit: Exit.Exit<unknown, unknown>
  /** How much of the cache's room it takes. */
  readonly weight: number
  /** From here on a read has it refreshed in the background. */
  readonly refreshFrom: number
  /** Until here it is a hit. */
  readonly freshUntil: number
  /** Until here it is given while it is refreshed. */
  readonly staleUntil: number
  /** Until here it stands in where loading fails. */
  readonly fallbackUntil: number
  /** Whether the next reader loads it although it is stale, because a refresh has failed. */
  readonly loadsNext?: boolean
}

/** The windows around a time to live, in milliseconds. */
export interface Windows {
  /** Part of the time to live after which a read has it refreshed in the background; 1 for never. */
  readonly earlyRefresh: number
  /** Part of the time to live by which it may be shorter. */
  readonly jitter: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
}

export const noWindows: Windows = { earlyRefresh: 1, jitter: 0, staleWhileRevalidate: 0, staleIfError: 0 }

/** The entry of what came in at `now`, or `undefined` where it is not to be kept. `chance` is from 0 to 1. */
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

/** When it is of no use any more. */
export const endOf = ({ fallbackUntil, staleUntil }: Entry): number => Math.max(staleUntil, fallbackUntil)

export const isOver = (entry: Entry, now: number): boolean => now >= endOf(entry)
