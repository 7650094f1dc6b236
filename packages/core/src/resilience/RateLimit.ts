/**
 * Rate limits: services that bound how many effects begin in a time, as backends demand or charge for. A limiter bounds how many
 * run at once. The rate limits are Effect's own (`effect/persistence/RateLimiter`).
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { positiveDurationOf } from "../base/DurationInput.ts"
import { countInstance } from "../base/Instances.ts"
import { byMonotonicTime } from "../base/Monotonic.ts"
import * as Effects from "effect/persistence/RateLimiter"
import { RateLimitExceeded } from "./RateLimitExceeded.ts"

/**
 * The options of a rate limit.
 *
 * - `limit`, `window`: the number of effects that may begin in a window.
 * - `algorithm`: `"fixed-window"`, the default, allows `limit` at once and then waits for the end of the window;
 *   `"token-bucket"` allows one more each time that its share of the window has passed.
 * - `onExceeded`: `"fail"`, the default, fails with {@link RateLimitExceeded}; `"delay"` waits without a bound.
 * - `many`: whether many rate limits of the class may exist at the same time. Default `false`: ten at once cause a warning in
 *   the log, since that is usually a layer that each handler provides.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly limit: number
  readonly window: Duration.Input
  readonly algorithm?: "fixed-window" | "token-bucket"
  readonly onExceeded?: "fail" | "delay"
  readonly many?: boolean
}

/**
 * The cost of one effect: `tokens`, a whole number. Default 1; more than the limit is a defect at once.
 *
 * @since 0.1.0
 * @category options
 */
export interface TakeOptions {
  readonly tokens?: number
}

/**
 * The service of a rate limit. `withRate` runs an effect when the limit allows it.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimit {
  readonly withRate: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options?: TakeOptions
  ) => Effect.Effect<A, E | RateLimitExceeded, R>
}

/**
 * The class of a rate limit's service.
 *
 * - `withRate`: through the service.
 * - `layer`: a rate of this process.
 * - `layerShared`: a rate that processes share through a store of Effect, such as `layerStoreRedis` of
 *   `effect/persistence/RateLimiter`. Classes with the same id share a rate. If the store cannot be reached, the rate limit lets
 *   everything through, and logs it.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimitClass<Self, Id extends string> extends Context.ServiceClass<Self, Id, RateLimit> {
  readonly withRate: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options?: TakeOptions
  ) => Effect.Effect<A, E | RateLimitExceeded, R | Self>
  readonly layer: (options: Options) => Layer.Layer<Self>
  readonly layerShared: (options: Options) => Layer.Layer<Self, never, Effects.RateLimiterStore>
}

const illegal = (id: string, problem: string) =>
  Effect.die(new Cause.IllegalArgumentError(`rate limit "${id}": ${problem}`))

const isCount = (n: number): boolean => Number.isInteger(n) && n >= 1

const make = (id: string, options: Options): Effect.Effect<RateLimit, never, Effects.RateLimiterStore> => {
  const { limit } = options
  if (!isCount(limit)) return illegal(id, `\`limit\` must be a whole number from 1, got ${limit}`)
  return Effect.map(Effects.make, (limiter) => {
    const window = positiveDurationOf(`rate limit "${id}": \`window\``, options.window)
    const unreachable = (error: unknown) =>
      Effect.as(
        Effect.logWarning(`rate limit "${id}" cannot reach its store: it lets everything through`, error),
        Duration.zero
      )
    const turn = (tokens: number): Effect.Effect<Duration.Duration, RateLimitExceeded> =>
      limiter.consume({ ...options, window, key: id, tokens }).pipe(
        Effect.map(({ delay }) => delay),
        Effect.catch(({ reason }) =>
          reason._tag === "RateLimitExceeded"
            ? Effect.fail(new RateLimitExceeded({ rate: id, limit, retryAfter: reason.retryAfter }))
            : unreachable(reason)
        )
      )
    return {
      withRate: (self, { tokens = 1 } = {}) =>
        isCount(tokens) && tokens <= limit
          ? // An effect that need not wait begins at once: even a sleep of zero takes a turn of the event loop.
            Effect.flatMap(turn(tokens), (delay) => (Duration.isZero(delay) ? self : Effect.delay(self, delay)))
          : illegal(id, `\`tokens\` must be a whole number from 1 to the limit of ${limit}, got ${tokens}`)
    }
  })
}

/** A store in this process, by the monotonic clock. Effect's own store uses the wall clock. */
const layerStoreOwn = /* @__PURE__ */ Layer.effect(
  Effects.RateLimiterStore,
  /* @__PURE__ */ Effect.map(Effects.RateLimiterStore, (store) => ({
    fixedWindow: (options) => byMonotonicTime(store.fixedWindow(options)),
    tokenBucket: (options) => byMonotonicTime(store.tokenBucket(options)),
    adaptiveConsume: (options) => byMonotonicTime(store.adaptiveConsume(options)),
    adaptiveFeedback: (options) => byMonotonicTime(store.adaptiveFeedback(options))
  }))
).pipe(/* @__PURE__ */ Layer.provide(Effects.layerStoreMemory))

/**
 * Makes the class of a rate limit, one for each backend with a rate. All runs and effects that use the class share the rate.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { RateLimit } from "effect-loader/resilience"
 *
 * class Search extends RateLimit.Service<Search>()("app/Search") {}
 *
 * const search = Search.withRate(Effect.succeed("found"))
 * const program = Effect.andThen(Effect.andThen(search, search), Effect.flip(search))
 *
 * const layer = Search.layer({ limit: 2, window: "1 minute" })
 * Effect.runPromise(program.pipe(Effect.provide(layer))).then((error) => console.log(error.limit, error._tag)) // 2 RateLimitExceeded
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service: {
  <Self>(): <const Id extends string>(id: Id) => RateLimitClass<Self, Id>
  <_Self>(id: "call it first: class Quota extends RateLimit.Service<Quota>()(id) {}"): new () => object
} = (): never =>
  (<Self, const Id extends string>(id: Id): RateLimitClass<Self, Id> => {
    const tag = Context.Service<Self, RateLimit>()(id)
    const layerShared = (options: Options) => Layer.effect(tag, make(id, options))
    const statics: Pick<RateLimitClass<Self, Id>, "withRate" | "layer" | "layerShared"> = {
      withRate: (self, options) => Effect.flatMap(Effect.service(tag), ({ withRate }) => withRate(self, options)),
      layer: (options) =>
        Layer.provide(
          Layer.effect(tag, Effect.andThen(countInstance(tag, "rate limit", options.many), make(id, options))),
          layerStoreOwn
        ),
      layerShared
    }
    return Object.assign(tag, statics) as never
  }) as never
