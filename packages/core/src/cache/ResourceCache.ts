/**
 * Caches: services that remember what was loaded, across runs, and have it loaded once for all who need it at a time.
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
 * How long something is remembered: always as long, or as long as the value says. Zero is not at all.
 *
 * @since 0.1.0
 * @category options
 */
export type TimeToLive<A> = Duration.Input | ((value: A, key: Key) => Duration.Input)

/**
 * How much a cache remembers: so many values, or values of so much weight.
 *
 * - `weigh`: how much of `weight` a value takes, such as its bytes: a number of 0 or more. A failure weighs 1. What weighs
 *   more than `weight` by itself is not kept.
 * - `entries`: how many values there may be all the same. Default 10,000.
 *
 * @since 0.1.0
 * @category options
 */
export type Capacity<A> =
  | number
  | { readonly weight: number; readonly weigh: (value: A, key: Key) => number; readonly entries?: number }

/**
 * How long a stale value stands in for errors, and for which: by default for those that only say "not now", which are
 * timeouts (`TimeoutError`, `LoadTimeout`) and refusals (`LimitExceeded`, `RateExceeded`, `CircuitOpen`), also inside a
 * `ResourceError`.
 *
 * - `for`: how long after its time.
 * - `when`: which other errors it stands in for, such as "connection refused".
 *
 * @since 0.1.0
 * @category options
 */
export type StaleIfError = Duration.Input | { readonly for: Duration.Input; readonly when: (error: unknown) => boolean }

/**
 * How a cache remembers values in the memory of this process.
 *
 * - `capacity`: how many values, or how much of them: see {@link Capacity}. Those that were not used for longest go, and those
 *   whose time is over take no memory. Default 10,000.
 * - `timeToLive`: how long a value is fresh.
 * - `jitter`: the part of its time by which a value's may be shorter, by chance, so that not all end at once. From 0 to
 *   1, default 0.
 * - `earlyRefresh`: the part of its time after which a read has a value refreshed in the background. From 0 to 1; without it, never.
 * - `staleWhileRevalidate`: how long after its time a value is still given, and refreshed in the background. Default 0.
 * - `staleIfError`: how long after its time a value stands in where loading fails with an error that says "not now": see
 *   {@link StaleIfError}. A resource that gets it is degraded. Any other error, such as "not found", is given, and the value
 *   stands in for no later one. Default 0.
 * - `failures`: how long a typed failure is remembered: at the most as short as it may be wrong. Without it, not at all.
 *   Defects, interruptions, and errors that only say "not now" never are.
 * - `refreshWithin`: how long a load in the background may take: then it is interrupted, and counts as failed. No reader
 *   waits for one: where the value is over, readers load it themselves. When the cache's layer closes, it waits so long at most for
 *   refreshes that cannot be interrupted. Finite, default 30 seconds.
 * - `background`: how many refreshes there may be at once, and as many writes to a level behind; what is beyond that is left
 *   undone, and counted. Default 16.
 * - `many`: whether many caches of the class are to live at the same time, such as one for each shard. Default `false`: the log
 *   is warned, once, when ten do, as they do where the layer is provided in each handler.
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

/** Where a cache has values of one type, that is what comes out. */
type Get<A, Self = never> = <B extends A, E, R>(
  key: string,
  load: Effect.Effect<B, E, R>
) => Effect.Effect<unknown extends A ? B : A, E, R | Self>

/**
 * What a cache does.
 *
 * - `read`: what `Policy.cache` reads through, and tells of what it reads.
 * - `get`: the value of a key: remembered, waited for where another reader loads it already, or loaded by `load`. When that
 *   reader is interrupted, or refused by a limiter, a rate limit or a breaker, one of those that wait loads it.
 * - `invalidate`: forgets a key; `invalidateUnder`: all keys under a prefix, which are the prefix itself and those that
 *   go on with a `:` after it, and all of the resource of that name that has no `key`; `invalidateAll`: everything. What
 *   is being loaded meanwhile is not remembered either. They give whether a level behind was told: where it could not
 *   be, other processes may give the value until its time is over.
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
 * - `keyed`: whether each resource that it is for has a `key` of its own.
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
 * A time to live as a function that gives milliseconds. What a value is given that is over already is 0 or less.
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
 * How long stale values stand in for errors, in milliseconds.
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

/** Which value a function was asked about. */
const ofKey = (_value: unknown, key: Key): string => ` for "${typeof key === "string" ? key : key.resource}"`

/** A function of the user's, whose answer is checked. */
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

/** Reads by hand: nobody is told. */
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

/** A key that a caller gives by hand is used as a text, so anything else is a defect. */
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
 * The layer of a cache, with a level behind its memory or without.
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
 * Makes the class of a cache: of values of one kind, by keys that tell them apart.
 *
 * - `A`: the type of the values, where they are to be of one; then only resources of that type can be piped through it.
 * - `keyed`: whether each resource that it is for has to have a `key`, which is what a level behind the memory needs.
 *   Where one has none, that is a `GraphError`. Default `false`.
 * - `services`: what loads without a key may need, the same for all callers: its layer captures them. Default none.
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
export const Service =
  <Self, A = unknown>() =>
  <const Id extends string, const Keyed extends boolean = false, S = never>(
    id: Id,
    options?: { readonly keyed?: Keyed; readonly services?: ReadonlyArray<Context.Key<S, any>> } // oxlint-disable-line typescript/no-explicit-any -- whatever they are
  ): ResourceCacheClass<Self, Id, A, Keyed, S> => {
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
  }
