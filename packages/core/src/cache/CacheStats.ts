/** The counts of a cache, from its start. */
import type { CacheLevel, CacheResult } from "./CacheRead.ts"

/**
 * The number of reads of each level of a cache, by result.
 *
 * @since 0.1.0
 * @category models
 */
export type LevelReads = Readonly<Record<CacheLevel, Readonly<Record<CacheResult, number>>>>

/**
 * The size of a cache now, and its counts since its layer was built.
 *
 * - `entries`: the number of values and failures in memory; `weight`: their total weight.
 * - `evictions`: entries removed to make room, or too heavy to keep; `expired`: entries removed after their time to live.
 * - `reads`: reads by level and result.
 * - `refreshes`: loads in the background; `refreshing`: those in progress; `refreshFailures`: those that failed or exceeded
 *   `refreshWithin`.
 * - `writes`: values that the level behind has stored; `writeFailures`: values that it did not store.
 * - `dropped`: refreshes and writes beyond the bounds for work in the background.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheStats {
  readonly entries: number
  readonly weight: number
  readonly evictions: number
  readonly expired: number
  readonly reads: LevelReads
  readonly refreshes: number
  readonly refreshing: number
  readonly refreshFailures: number
  readonly writes: number
  readonly writeFailures: number
  readonly dropped: number
}

const noReads = () => ({ hit: 0, miss: 0, coalesced: 0, stale: 0, error: 0 })

/** The counters behind the statistics. */
export class CacheCounts {
  private readonly reads = { memory: noReads(), persisted: noReads() }
  /** Loads in the background, and those of them that failed. */
  refreshes = 0
  refreshFailures = 0
  /** Refreshes beyond the bound for work in the background. */
  dropped = 0

  add(level: CacheLevel, result: CacheResult): void {
    this.reads[level][result]++
  }

  snapshot(): LevelReads {
    return { memory: { ...this.reads.memory }, persisted: { ...this.reads.persisted } }
  }
}
