/**
 * The level that a cache read: the memory of this process, or the store that processes share.
 *
 * @since 0.1.0
 * @category models
 */
export type CacheLevel = "memory" | "persisted"

/**
 * The result of a read.
 *
 * - `hit`: a fresh value.
 * - `miss`: no usable value. The cache reads the next level, or loads.
 * - `coalesced`: another reader loads the value already, and this one waits. If that reader is interrupted or refused, this one
 *   reads again.
 * - `stale`: a value past its time to live, returned during its refresh, or in place of an error.
 * - `error`: no value, because the level failed, was too slow, or had a value of another shape.
 *
 * @since 0.1.0
 * @category models
 */
export type CacheResult = "hit" | "miss" | "coalesced" | "stale" | "error"
