/**
 * Caches: services that keep loaded values across runs, and load a value once for all readers of a moment.
 *
 * @since 0.1.0
 */
export {
  type CacheLevel,
  type CacheResult,
  type Capacity,
  type Get,
  type Key,
  type LevelReads,
  type MemoryOptions,
  type Reader,
  type ResourceCache,
  type ResourceCacheClass,
  Service,
  type StaleIfError,
  type Stats,
  type Structure,
  type TimeToLive
} from "./cache/ResourceCache.ts"
