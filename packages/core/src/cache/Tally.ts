/** What a cache did so far. */
import type { CacheLevel, CacheResult } from "./CacheRead.ts"

/**
 * How often each level of a cache was read, by what was found.
 *
 * @since 0.1.0
 * @category models
 */
export type CacheReads = Readonly<Record<CacheLevel, Readonly<Record<CacheResult, number>>>>

/**
 * What a cache did so far.
 *
 * - `entries`: how many values and failures it has; `weight`: what they weigh together; `evictions`: how many had to go to
 *   make room, or were too heavy; `expired`: how many were removed because their time was over.
 * - `reads`: what was found, level by level.
 * - `refreshes`: loads in the background; `refreshing`: those that go on just now; `refreshFailures`: those that failed, or
 *   were not done within their time.
 * - `writes`: values that a level behind has taken; `writeFailures`: those that it would not take.
 * - `dropped`: refreshes and writes that there was no room for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  readonly entries: number
  readonly weight: number
  readonly evictions: number
  readonly expired: number
  readonly reads: CacheReads
  readonly refreshes: number
  readonly refreshing: number
  readonly refreshFailures: number
  readonly writes: number
  readonly writeFailures: number
  readonly dropped: number
}

const none = () => ({ hit: 0, miss: 0, coalesced: 0, stale: 0, error: 0 })

export class Tally {
  private readonly reads = { memory: none(), persisted: none() }
  /** Loads in the background, and how many of them failed. */
  refreshes = 0
  refreshFailures = 0
  /** Work in the background that there was no room for. */
  dropped = 0

  add(level: CacheLevel, result: CacheResult): void {
    this.reads[level][result]++
  }

  snapshot(): CacheReads {
    return { memory: { ...this.reads.memory }, persisted: { ...this.reads.persisted } }
  }
}
