/**
 * Where a cache looked: in this process's memory, or in the store that processes share.
 *
 * @since 0.1.0
 * @category models
 */
export type CacheLevel = "memory" | "persisted"

/**
 * What a cache found there.
 *
 * - `hit`: the value, fresh.
 * - `miss`: nothing that could be used, so it is loaded, or looked for in the next level.
 * - `coalesced`: somebody who loads it already, whom it waits for. Where that one is interrupted or refused, another read follows.
 * - `stale`: a value past its time, given while it is refreshed, or because loading failed.
 * - `error`: nothing, because the level failed, was too slow, or held something of another shape.
 *
 * @since 0.1.0
 * @category models
 */
export type CacheResult = "hit" | "miss" | "coalesced" | "stale" | "error"
