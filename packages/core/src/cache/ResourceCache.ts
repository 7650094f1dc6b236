/**
 * Caches: services that keep loaded values across runs, and load a value once for all readers of a moment.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { durationOf, positiveDurationOf } from "../base/DurationInput.ts"
import { asEffect } from "../base/ExpectedEffect.ts"
import { without } from "../base/RunLocal.ts"
import { aBoolean, answerOf, aTimeToLive, type Expected, withReason } from "../base/UserValue.ts"
import { valueText } from "../base/ValueText.ts"
import { countInstance } from "../base/Instances.ts"
import { notNow } from "../base/NotNow.ts"
import { Cache, type Reader, type CacheSettings } from "./Cache.ts"
import type { Key, Range } from "./Key.ts"
import type { Level } from "./Level.ts"
import type { CacheStats } from "./CacheStats.ts"

export type { Reader } from "./Cache.ts"
export type { CacheLevel, CacheResult } from "./CacheRead.ts"
export type { Key, Structure } from "./Key.ts"
export type { CacheStats as Stats, LevelReads } from "./CacheStats.ts"

/**
 * How long an entry is fresh: a duration, or a function of the value. Zero means that it is not kept.
 *
 * @since 0.1.0
 * @category options
 */
export type TimeToLive<A> = Duration.Input | ((value: A, key: Key) => Duration.Input)

/**
 * The bound of a cache's memory: a number of values, or a total weight.
 *
 * - `weigh`: the weight of a value, such as its bytes: a number of 0 or more. A failure has the weight 1. A value that is
 *   heavier than `weight` by itself is not kept.
 * - `entries`: the maximal number of values all the same. Default 10,000.
 *
 * @since 0.1.0
 * @category options
 */
export type Capacity<A> =
  | number
  | { readonly weight: number; readonly weigh: (value: A, key: Key) => number; readonly entries?: number }

/**
 * How long a stale value may replace errors, and which ones. By default it replaces errors that only say "not now": timeouts
 * (`TimeoutError`, `LoadTimeout`) and refusals (`LimitExceeded`, `RateLimitExceeded`, `CircuitOpen`), also inside a
 * `ResourceError`.
 *
 * - `for`: how long after the time to live.
 * - `when`: returns `true` for each further error that it may replace, such as "connection refused".
 *
 * @since 0.1.0
 * @category options
 */
export type StaleIfError = Duration.Input | { readonly for: Duration.Input; readonly when: (error: unknown) => boolean }

/**
 * How a cache keeps values in the memory of this process.
 *
 * - `capacity`: the maximal number or weight of values: see {@link Capacity}. The least recently used values are evicted, and
 *   expired ones take no memory. Default 10,000.
 * - `timeToLive`: how long a value is fresh.
 * - `jitter`: up to this fraction of the time to live is subtracted at random, so that entries do not expire together. From 0 to
 *   1, default 0.
 * - `earlyRefresh`: the fraction of the time to live after which a read triggers a refresh in the background. From 0 to 1; by
 *   default there is none.
 * - `staleWhileRevalidate`: how long after its time to live a read still returns a value and triggers a refresh. Default 0.
 * - `staleIfError`: how long after its time to live a value replaces errors that say "not now": see {@link StaleIfError}. A
 *   resource that gets it is degraded. Any other error, such as "not found", goes to the reader, and the stale value replaces no
 *   later error either. Default 0.
 * - `failures`: how long a typed failure is kept. By default it is not. Defects, interruptions, and errors that only say
 *   "not now" are never kept.
 * - `refreshWithin`: the longest time of a refresh, after which it is interrupted and counts as failed. No reader waits for a
 *   refresh: after a value has expired, readers load it themselves. When the cache's layer closes, it waits up to this long for
 *   refreshes that cannot be interrupted. Finite, default 30 seconds.
 * - `background`: refreshes at once, and the same number of calls to forget in the level behind; further ones are dropped and
 *   counted. Default 16.
 * - `many`: whether many caches of the class may exist at the same time, such as one for each shard. Default `false`: ten at
 *   once cause a warning in the log, since that is usually a layer that each handler provides.
 *
 * @since 0.1.0
 * @category options
 */
export interface MemoryOptions<A = unknown> {
  readonly capacity?: Capacity<A>
  readonly timeToLive: TimeToLive<A>
  readonly jitter?: number
  readonly earlyRefresh?: number
  readonly staleWhileRevalidate?: Duration.Input
  readonly staleIfError?: StaleIfError
  readonly failures?: { readonly timeToLive: TimeToLive<unknown> }
  readonly refreshWithin?: Duration.Input
  readonly background?: number
  readonly many?: boolean
}

/** A cache with values of one type returns that type. */
export type Get<A, Self = never> = <B extends A, E, R>(
  key: string,
  load: Effect.Effect<B, E, R>
) => Effect.Effect<unknown extends A ? B : A, E, R | Self>

/**
 * The service of a cache.
 *
 * - `read`: for `Policy.cache`, with callbacks for reports.
 * - `get`: the value of a key. It is kept already, another reader loads it already, or `load` loads it. If the loading reader is
 *   interrupted, or refused by a limiter, a rate limit or a breaker, one of the waiting readers loads.
 * - `invalidate`: forgets a key. `invalidateUnder`: forgets all keys under a prefix, which are the prefix itself and those that
 *   continue with a `:` after it, and all values of the resource of that name without a `key`. `invalidateAll`: forgets
 *   everything. Values whose load is in progress are not kept either. Each returns whether the level behind has forgotten, too.
 *   Where it has not, other processes may return the value until it expires.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResourceCache<in out A = unknown> {
  readonly read: (
    key: Key,
    load: Effect.Effect<unknown, unknown, unknown>,
    reader: Reader
  ) => Effect.Effect<unknown, unknown, unknown>
  readonly get: Get<A>
  readonly invalidate: (key: string) => Effect.Effect<boolean>
  readonly invalidateUnder: (prefix: string) => Effect.Effect<boolean>
  readonly invalidateAll: Effect.Effect<boolean>
  readonly stats: Effect.Effect<CacheStats>
  /** The services that its layer captured, for loads that have no key. */
  readonly shared: Context.Context<never>
}

/**
 * The class of a cache's service.
 *
 * - `get`, `invalidate`, `invalidateUnder`, `invalidateAll`, `stats`: see {@link ResourceCache}.
 * - `layer`: the cache in the memory of this process. It needs the `services` that loads without a key use.
 * - `keyed`: whether each resource that uses the cache must have a `key`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResourceCacheClass<
  Self,
  Id extends string,
  in out A,
  Keyed extends boolean,
  S = never
> extends Context.ServiceClass<Self, Id, ResourceCache<A>> {
  readonly keyed: Keyed
  readonly services: ReadonlyArray<Context.Key<S, unknown>>
  readonly get: Get<A, Self>
  readonly invalidate: (key: string) => Effect.Effect<boolean, never, Self>
  readonly invalidateUnder: (prefix: string) => Effect.Effect<boolean, never, Self>
  readonly invalidateAll: Effect.Effect<boolean, never, Self>
  readonly stats: Effect.Effect<CacheStats, never, Self>
  readonly layer: (options: MemoryOptions<A>) => Layer.Layer<Self, never, S>
}

/**
 * A time of a cache in milliseconds, by the option that says it.
 *
 * @internal
 */
export const millisOf = (id: string, option: string, given: Duration.Input): number =>
  Duration.toMillis(durationOf(`cache "${id}": \`${option}\``, given))

/**
 * A time to live as a function that returns milliseconds, 0 or less for a value that has expired already.
 *
 * @internal
 */
export const toTimeToLive = (
  id: string,
  option: string,
  given: TimeToLive<never>
): ((value: unknown, key: Key) => number) => {
  if (typeof given === "function") {
    const lives = asked(id, option, aTimeToLive, given as (value: unknown, key: Key) => unknown, ofKey)
    return (value, key) => Duration.toMillis(lives(value, key))
  }
  const always = millisOf(id, option, given)
  return () => always
}

/**
 * How long stale values replace errors, in milliseconds.
 *
 * @internal
 */
export const staleIfErrorOf = (id: string, { staleIfError = 0 }: MemoryOptions<never>): number =>
  hasPredicate(staleIfError)
    ? millisOf(id, "staleIfError.for", staleIfError.for)
    : millisOf(id, "staleIfError", staleIfError)

const hasPredicate = (given: StaleIfError): given is Extract<StaleIfError, { readonly when: unknown }> =>
  typeof given === "object" && "when" in given

const toStandsIn = (id: string, { staleIfError = 0 }: MemoryOptions<never>): ((error: unknown) => boolean) => {
  if (!hasPredicate(staleIfError)) return (error) => notNow(error) !== undefined
  const named = asked(id, "staleIfError.when", aBoolean, staleIfError.when)
  return (error) => notNow(error) !== undefined || named(error)
}

/** Names the value in messages about a function of the options. */
const ofKey = (_value: unknown, key: Key): string => ` for "${typeof key === "string" ? key : key.resource}"`

/** A function of the options, with a check of its answers. */
const asked = <Args extends ReadonlyArray<unknown>, B>(
  id: string,
  option: string,
  expected: Expected<B>,
  f: (...args: Args) => unknown,
  about: (...args: Args) => string = () => ""
): ((...args: Args) => B) => {
  const owner = `cache "${id}"`
  if (typeof f !== "function") {
    throw new Cause.IllegalArgumentError(`${owner}: \`${option}\` must be a function, got ${valueText(f)}`)
  }
  return (...args) => answerOf(owner, `\`${option}\`${about(...args)}`, expected, () => f(...args))
}

const aWeight: Expected<number> = {
  text: "a number of 0 or more",
  read: (value) => (typeof value === "number" && value >= 0 ? value : undefined)
}

const share = (id: string, option: string, value: number): number => {
  if (value >= 0 && value <= 1) return value
  throw new Cause.IllegalArgumentError(`cache "${id}": \`${option}\` must be from 0 to 1, got ${value}`)
}

const count = (id: string, option: string, value: number): number => {
  if (Number.isInteger(value) && value >= 1) return value
  throw new Cause.IllegalArgumentError(`cache "${id}": \`${option}\` must be a whole number from 1, got ${value}`)
}

const defaultEntries = 10_000

const toRoom = (id: string, capacity: Capacity<never>): Pick<CacheSettings, "room" | "weigh"> => {
  if (typeof capacity === "number") {
    return { room: { entries: count(id, "capacity", capacity), weight: Infinity }, weigh: () => 1 }
  }
  const { entries = defaultEntries, weight } = capacity
  if (!(weight > 0)) {
    throw new Cause.IllegalArgumentError(`cache "${id}": \`capacity.weight\` must be more than 0, got ${weight}`)
  }
  return {
    room: { entries: count(id, "capacity.entries", entries), weight },
    weigh: asked(id, "capacity.weigh", aWeight, capacity.weigh as (value: unknown, key: Key) => unknown, ofKey)
  }
}

const toSettings = (id: string, options: MemoryOptions<never>): CacheSettings => ({
  name: id,
  ...toRoom(id, options.capacity ?? defaultEntries),
  timeToLive: toTimeToLive(id, "timeToLive", options.timeToLive),
  jitter: share(id, "jitter", options.jitter ?? 0),
  earlyRefresh: share(id, "earlyRefresh", options.earlyRefresh ?? 1),
  staleWhileRevalidate: millisOf(id, "staleWhileRevalidate", options.staleWhileRevalidate ?? 0),
  staleIfError: staleIfErrorOf(id, options),
  standsIn: toStandsIn(id, options),
  failureTimeToLive: toTimeToLive(id, "failures.timeToLive", options.failures?.timeToLive ?? 0),
  background: count(id, "background", options.background ?? 16),
  refreshWithin: Duration.toMillis(
    positiveDurationOf(`cache "${id}": \`refreshWithin\``, options.refreshWithin ?? "30 seconds")
  )
})

/** The reader of `get`, which has no reports. */
class ByHand implements Reader {
  readonly refresh: () => Effect.Effect<unknown, unknown, unknown>

  constructor(load: Effect.Effect<unknown, unknown, unknown>) {
    this.refresh = () => Effect.scoped(load)
  }

  policies(): string {
    return ""
  }

  read(): void {}

  degraded(): void {}
}

/** The defect of a method whose key is not a string. */
const notAKey = (id: string, method: string, given: unknown): Exit.Exit<never> => {
  const text = `cache "${id}": the key of \`${method}\` must be a string, got ${valueText(given)}`
  return Exit.die(withReason(new TypeError(text), given))
}

const toService = (id: string, cache: Cache, shared: Context.Context<never>): ResourceCache<never> => {
  const forget = (method: string, key: unknown, range: Range): Effect.Effect<boolean> =>
    typeof key === "string" ? cache.forget(range) : notAKey(id, method, key)
  return {
    read: (key, load, reader) => cache.read(key, load, reader),
    get: (key, load) => {
      if (typeof key !== "string") return notAKey(id, "get", key)
      const checked = asEffect(`cache "${id}"`, "the load of `get`", load)
      return cache.read(key, checked, new ByHand(checked)) as never
    },
    invalidate: (key) => forget("invalidate", key, { _tag: "Key", key }),
    invalidateUnder: (prefix) => forget("invalidateUnder", prefix, { _tag: "Under", prefix }),
    invalidateAll: cache.forget({ _tag: "All" }),
    stats: Effect.sync(() => cache.stats()),
    shared
  }
}

/**
 * The layer of a cache, with or without a level behind its memory.
 *
 * @internal
 */
export const layerOf = <Self, A, S, E = never, R = never>(
  tag: Context.Key<Self, ResourceCache<A>>,
  services: ReadonlyArray<Context.Key<S, unknown>>,
  options: MemoryOptions<A>,
  level: Effect.Effect<Level | undefined, E, R>
): Layer.Layer<Self, E, S | Exclude<R, Scope.Scope>> =>
  Layer.effect(
    tag,
    Effect.gen(function* () {
      yield* countInstance(tag, "cache", options.many)
      const behind = yield* level
      const names = new Set(services.map(({ key }) => key))
      const shared = without(yield* Effect.context<S>(), (key) => !names.has(key))
      const settings = toSettings(tag.key, options as MemoryOptions<never>)
      const cache = yield* Effect.acquireRelease(
        Effect.sync(() => new Cache(settings, behind)),
        (cache) => cache.close
      )
      return toService(tag.key, cache, shared as Context.Context<never>) as unknown as ResourceCache<A>
    })
  )

/**
 * Makes the class of a cache.
 *
 * - `A`: the type of the values, if they have one type. Then only resources of that type can be piped through the cache.
 * - `keyed`: whether each resource must have a `key`, which a level behind the memory needs. A resource without one is a
 *   `GraphError`. Default `false`.
 * - `services`: the services that loads without a key may need. The cache's layer captures them, so all callers have the same.
 *   Default none.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
 *
 * class Users extends ResourceCache.Service<Users>()("app/Users") {}
 *
 * let queries = 0
 * const userId = Resource.input<number>()("userId")
 * const user = Resource.make("user", {
 *   deps: { userId },
 *   key: ({ userId }) => `user:${userId}`,
 *   load: ({ userId }) => Effect.sync(() => ({ id: userId, query: ++queries }))
 * }).pipe(Policy.cache(Users))
 * const page = Loader.make({ user })
 *
 * const program = Effect.gen(function* () {
 *   yield* Loader.load(page, { userId: 7 })
 *   yield* Loader.load(page, { userId: 7 })
 *   yield* Users.invalidate("user:7")
 *   return yield* Loader.load(page, { userId: 7 })
 * })
 * const { user: loaded } = Effect.runSync(program.pipe(Effect.provide(Users.layer({ timeToLive: "1 minute" }))))
 * console.log(loaded) // { id: 7, query: 2 }
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service: {
  <Self, A = unknown>(): <const Id extends string, const Keyed extends boolean = false, S = never>(
    id: Id,
    options?: { readonly keyed?: Keyed; readonly services?: ReadonlyArray<Context.Key<S, any>> } // oxlint-disable-line typescript/no-explicit-any -- the services can be of any type
  ) => ResourceCacheClass<Self, Id, A, Keyed, S>
  <_Self, _A = unknown>(
    id: "call it first: class Users extends ResourceCache.Service<Users>()(id) {}",
    ...options: ReadonlyArray<unknown>
  ): new () => object
} = <Self, A>(): never =>
  (<const Id extends string, S>(
    id: Id,
    options?: { readonly keyed?: boolean; readonly services?: ReadonlyArray<Context.Key<S, any>> } // oxlint-disable-line typescript/no-explicit-any -- the services can be of any type
  ): ResourceCacheClass<Self, Id, A, boolean, S> => {
    const tag = Context.Service<Self, ResourceCache<A>>()(id)
    const use = <B, E, R>(f: (cache: ResourceCache<A>) => Effect.Effect<B, E, R>) =>
      Effect.flatMap(Effect.service(tag), f)
    const statics: Omit<
      ResourceCacheClass<Self, Id, A, boolean, S>,
      keyof Context.ServiceClass<Self, Id, ResourceCache<A>>
    > = {
      keyed: options?.keyed ?? false,
      services: options?.services ?? [],
      get: (key, load) => use((cache) => cache.get(key, load)),
      invalidate: (key) => use((cache) => cache.invalidate(key)),
      invalidateUnder: (prefix) => use((cache) => cache.invalidateUnder(prefix)),
      invalidateAll: use((cache) => cache.invalidateAll),
      stats: use((cache) => cache.stats),
      layer: (memory) => layerOf(tag, options?.services ?? [], memory, Effect.undefined)
    }
    return Object.assign(tag, statics) as never
  }) as never
