/**
 * Caches with a level that processes share: Redis, a key-value store or an SQL database, through Effect's own stores.
 *
 * @since 0.1.0
 */
import { Duration, Effect, type Layer, type Schema } from "effect"
import * as Persistence from "effect/persistence/Persistence"
import {
  layerOf,
  type MemoryOptions,
  type ResourceCacheClass,
  type TimeToLive,
  millisOf,
  staleIfErrorOf,
  toTimeToLive
} from "../cache/ResourceCache.ts"
import { makeLevel } from "./SharedLevel.ts"

/**
 * How a cache keeps values in a store that processes share, and in the memory of this one before it.
 *
 * - `value`: the schema of the values, which cross as JSON.
 * - `timeToLive`: how long a value is fresh, in the store.
 * - `memory`: how values are remembered in this process. Its `timeToLive` is how long this process goes without asking
 *   the store, and so how long it can give a value that another process had forgotten. The store keeps values for its
 *   `staleIfError` longer than they are fresh.
 * - `within`: how long the store may take. What takes longer, fails or has another shape is a miss. Default 100 ms.
 * - `longest`: the longest that any value lives, whatever `timeToLive` says; what has been forgotten is marked for twice
 *   as long. Default 1 day.
 * - `storeId`: the name of the store. Default the id of the cache.
 *
 * @since 0.1.0
 * @category options
 */
export interface PersistedOptions<A> {
  readonly value: Schema.Codec<A, unknown>
  readonly timeToLive: TimeToLive<A>
  readonly memory: MemoryOptions<A>
  readonly within?: Duration.Input
  readonly longest?: Duration.Input
  readonly storeId?: string
}

/**
 * A cache in memory, with a level behind it that processes share.
 *
 * What memory does not have is looked for in the store, and then loaded; what was loaded is written to the store beside,
 * in the cache's own time. The store can fail, be slow, or hold something else: that is a miss within its limit, and
 * counted, never a failure. Typed failures are remembered in memory only.
 *
 * Invalidating marks in the store what is to be forgotten. Another process may give what it has in memory until its time
 * there is over (`memory.timeToLive`, and `staleWhileRevalidate` after it), plus what the clocks of the two differ by;
 * what it was loading meanwhile counts as loaded then. Nothing that was loaded before comes back from the store.
 *
 * The class of the cache has to be `keyed`, and to say the type of its values.
 *
 * @example
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { Persistence } from "effect/persistence"
 * import { ResourceCache } from "effect-loader"
 * import * as Persisted from "effect-loader/persistence"
 *
 * class User extends Schema.Class<User>("User")({ id: Schema.Number, joined: Schema.Date }) {}
 * class Users extends ResourceCache.Service<Users, User>()("app/Users", { keyed: true }) {}
 *
 * const process = Persisted.layer(Users, {
 *   value: User,
 *   timeToLive: "1 hour",
 *   memory: { capacity: 1000, timeToLive: "10 seconds" }
 * })
 * let queries = 0
 * const load = Effect.sync(() => new User({ id: ++queries, joined: new Date(0) }))
 * const inProcess = Users.get("user:1", load).pipe(Effect.provide(process, { local: true }))
 *
 * const program = Effect.andThen(inProcess, inProcess).pipe(Effect.provide(Persistence.layerBackingMemory))
 * Effect.runPromise(program).then((user) => console.log(user.id, user.joined.getTime())) // 1 0
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Self, Id extends string, A, S>(
  tag: ResourceCacheClass<Self, Id, A, true, S>,
  options: PersistedOptions<A>
): Layer.Layer<Self, never, Persistence.BackingPersistence | S> => {
  const { longest = "1 day", memory, storeId = tag.key, timeToLive, value, within = "100 millis" } = options
  const level = Effect.gen(function* () {
    const persistence = yield* Persistence.BackingPersistence
    return makeLevel(yield* persistence.make(storeId), {
      value,
      timeToLive: toTimeToLive(tag.key, "timeToLive", timeToLive),
      staleIfError: staleIfErrorOf(tag.key, memory as MemoryOptions<never>),
      longest: millisOf(tag.key, "longest", longest),
      within: millisOf(tag.key, "within", within)
    })
  })
  return layerOf(tag, tag.services, memory, level)
}
