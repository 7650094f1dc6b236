/**
 * Caches with a level that processes share: Redis, a key-value store or an SQL database, through Effect's own stores.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import * as Persistence from "effect/persistence/Persistence"
import { detach } from "../base/Callers.ts"
import { finiteDurationOf } from "../base/DurationInput.ts"
import { describe } from "../base/ErrorText.ts"
import { effectOf } from "../base/ExpectedEffect.ts"
import {
  layerOf,
  type MemoryOptions,
  type ResourceCacheClass,
  type TimeToLive,
  millisOf,
  staleIfErrorOf,
  toTimeToLive
} from "../cache/ResourceCache.ts"
import { makeLevel, type LevelSettings } from "./SharedLevel.ts"
import { StoreKeys } from "./StoreKeys.ts"
import { versionOf } from "./Version.ts"

/**
 * How a cache keeps values in a store that processes share, with the memory of this process in front of it.
 *
 * - `value`: the schema of the values, which are stored as JSON.
 * - `timeToLive`: how long a value is fresh in the store, from the start of its load.
 * - `memory`: the options of the memory. For its `timeToLive`, this process does not read the store, and can return a value that
 *   another process has invalidated. The store keeps values for its `staleIfError` longer than they are fresh, up to 30 days.
 * - `within`: the longest time that a read, an `invalidate` and the closing of the cache's layer wait for the store. A read that
 *   takes longer, fails or has a value of another shape is a miss. Default 100 ms.
 * - `longest`: the upper bound of all times to live, and the lifetime of invalidation marks. Where processes with different times
 *   share a store, give all of them the longest. Default `timeToLive` if that is a finite duration, otherwise 1 day.
 * - `storeId`: the name of the store, without braces: the same for all processes that share values. Default the id of the cache.
 * - `version`: separates the values of programs that cannot read each other's values. Processes of different versions share no
 *   values, but invalidate for each other. Default a digest of the schema's structure: give one, and change it with the values,
 *   where their meaning changes and their structure does not.
 * - `shards`: the number of places of a Redis cluster that hold the values. Each tick sends a command to each of them. All
 *   processes that share a store must have the same number. From 1 to 1000, default 1.
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
  readonly version?: string | number
  readonly shards?: number
}

const day = 86_400_000
const longestFallback = 30 * day

const illegal = (id: string, what: string): never => {
  throw new Cause.IllegalArgumentError(`cache "${id}": ${what}`)
}

const storeIdOf = (id: string, given: string): string =>
  given !== "" && !/[{}]/.test(given)
    ? given
    : illegal(
        id,
        `\`storeId\` must be a name without braces, which Redis gives a meaning, got ${JSON.stringify(given)}`
      )

const shardsOf = (id: string, given: number): number =>
  Number.isInteger(given) && given >= 1 && given <= 1000
    ? given
    : illegal(id, `\`shards\` must be a whole number from 1 to 1000, got ${given}`)

const versionIn = <A>(id: string, { value, version }: PersistedOptions<A>): string => {
  if (version !== undefined && version !== "") return `${version}`
  if (version === "") return illegal(id, "`version` must not be empty")
  try {
    return versionOf(value)
  } catch (cause) {
    return illegal(id, `its schema cannot be turned into a version (${describe(cause)}): give a \`version\``)
  }
}

const longestOf = (id: string, { longest, timeToLive }: PersistedOptions<never>): number => {
  if (longest !== undefined) return Duration.toMillis(finiteDurationOf(`cache "${id}": \`longest\``, longest))
  const always = typeof timeToLive === "function" ? Infinity : millisOf(id, "timeToLive", timeToLive)
  return Number.isFinite(always) ? always : day
}

const toSettings = <A>(id: string, options: PersistedOptions<A>): LevelSettings<A> => {
  const { memory, shards = 1, storeId = id, timeToLive, value, within = "100 millis" } = options
  return {
    cache: id,
    keys: new StoreKeys(storeIdOf(id, storeId), versionIn(id, options), shardsOf(id, shards)),
    value,
    timeToLive: toTimeToLive(id, "timeToLive", timeToLive as TimeToLive<never>),
    staleIfError: Math.min(staleIfErrorOf(id, memory as MemoryOptions<never>), longestFallback),
    longest: longestOf(id, options as unknown as PersistedOptions<never>),
    within: millisOf(id, "within", within)
  }
}

/**
 * A cache in memory, with a level behind it that processes share.
 *
 * A read looks in memory, then in the store, and then loads. Loaded values are written to the store in the background. The reads
 * of one tick are one command, and so are the writes. A store that fails, is slow or has a value of another shape is a miss
 * within its limit, never a failure of the load. It is counted, reported in the event, and logged at most once a minute.
 * Typed failures are kept in memory only.
 *
 * Invalidation writes a mark to the store, and removes the value of a single key. Another process can return a value from its
 * memory until that expires (`memory.timeToLive`, and `staleWhileRevalidate` after it), plus the difference of the two clocks;
 * a value whose load is in progress there counts as loaded at the end of that load. A value from before the mark never comes
 * back from the store.
 *
 * The class of the cache must be `keyed`, and have a type for its values.
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
  const { storeId = tag.key } = options
  const level = Effect.gen(function* () {
    if (!tag.keyed) illegal(tag.key, "it is persisted, so its class must have `keyed: true`")
    const settings = toSettings(tag.key, options)
    const persistence = yield* Persistence.BackingPersistence
    const context = detach(yield* Effect.context<never>())
    const store = yield* effectOf(`the store of cache "${tag.key}"`, "`make`", () => persistence.make(storeId))
    return yield* Effect.acquireRelease(
      Effect.sync(() => makeLevel(store, context, settings)),
      ({ close }) => close
    )
  })
  return layerOf(tag, tag.services, options.memory, level)
}
