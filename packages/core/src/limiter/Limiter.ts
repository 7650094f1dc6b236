/**
 * Limiters: services that bound how many attempts run against one backend at once, across all runs.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { dual } from "effect/Function"
import { durationOf } from "../base/DurationInput.ts"
import { countInstance } from "../base/Instances.ts"
import { Admission, type AdmissionOptions, type Stats } from "./Admission.ts"
import { provideShare, type ShareOptions } from "./CurrentShare.ts"
import { fixed } from "./algorithm/Fixed.ts"
import type { Bounds, LimitAlgorithm } from "./algorithm/LimitAlgorithm.ts"
import type { LimitExceeded } from "./LimitExceeded.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import { hold, type Limiter, type Made, type PermitOptions, Permits } from "./Permits.ts"
import { Flow } from "./Ticket.ts"
import { vegas } from "./algorithm/Vegas.ts"

export { aimd } from "./algorithm/Aimd.ts"
export type { Stats } from "./Admission.ts"
export type { ShareOptions } from "./CurrentShare.ts"
export { gradient2 } from "./algorithm/Gradient2.ts"
export type { Bounds, LimitAlgorithm, LimitState, ResourceSamples, Window } from "./algorithm/LimitAlgorithm.ts"
export { LimitExceeded } from "./LimitExceeded.ts"
export type { Limiter, PermitOptions } from "./Permits.ts"
export type { RefusalReason } from "./Ticket.ts"
export { vegas } from "./algorithm/Vegas.ts"

/**
 * Which requests may wait.
 *
 * - `max`: how many requests of runs that have not begun may wait; more are refused. Default 10,000.
 * - `delay`: an acceptable wait. If no request was admitted within it for ten times as long (at least 100 ms), requests of
 *   runs that have not begun are refused one by one until one is. Default: none is refused for its wait.
 *
 * @since 0.1.0
 * @category options
 */
export interface QueueOptions {
  readonly max?: number
  readonly delay?: Duration.Input
}

/**
 * Options of all limiters.
 *
 * - `queue`: who may wait: see {@link QueueOptions}.
 * - `isOverload`: the errors by which the backend says that it has too much to do, such as 429 and 503, or a pool that is
 *   exhausted. `TimeoutError`s are such errors anyway. Where it throws, or
 *   returns something other than true or false, the error does not count as overload, and the log says so once.
 * - `many`: whether many limiters of the class are to live at the same time, such as one for each shard. Default `false`: the
 *   log is warned, once, when ten do, as they do where the layer is provided in each handler.
 *
 * @since 0.1.0
 * @category options
 */
export interface CommonOptions {
  readonly queue?: QueueOptions
  readonly isOverload?: (error: unknown) => boolean
  readonly many?: boolean
}

/**
 * A limit that adapts: its bounds, or an algorithm with its own. The default algorithm is {@link vegas}.
 *
 * @since 0.1.0
 * @category options
 */
export type AdaptiveOptions = CommonOptions & (Bounds | { readonly algorithm: LimitAlgorithm })

/**
 * The class of a limiter's service.
 *
 * - `withPermit`: runs an effect with a permit; see {@link PermitOptions}.
 * - `stats`: the present state of the limiter, and its counts so far.
 * - `layer`: with a limit that stays. Whatever is an effect, as a `Config` is, is run when the layer is built.
 * - `layerAdaptive`: with a limit that follows what the backend can bear.
 *
 * @since 0.1.0
 * @category models
 */
export interface LimiterClass<Self, Id extends string> extends Context.ServiceClass<Self, Id, Limiter> {
  readonly withPermit: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options?: PermitOptions
  ) => Effect.Effect<A, E | LimitExceeded, R | Self>
  readonly stats: Effect.Effect<Stats, never, Self>
  readonly layer: <E = never, R = never>(
    options: CommonOptions & { readonly limit: number | Effect.Effect<number, E, R> }
  ) => Layer.Layer<Self, E, R>
  readonly layerAdaptive: <E = never, R = never>(
    options?: AdaptiveOptions | Effect.Effect<AdaptiveOptions, E, R>
  ) => Layer.Layer<Self, E, R>
}

const defaultMaxWaiting = 10_000
const leastInterval = 100

const delayOf = (id: string, delay: Duration.Input | undefined): AdmissionOptions["delay"] => {
  if (delay === undefined) return undefined
  const target = Duration.toMillis(durationOf(`limiter "${id}": \`queue.delay\``, delay))
  return { target, interval: Math.max(leastInterval, 10 * target) }
}

/**
 * Sets how much of each limiter the runs of an effect get, relative to other runs. See {@link ShareOptions}.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Limiter, Loader, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const page = Loader.load(Loader.make({ org }))
 *
 * const forAcme = page.pipe(Limiter.withShare({ tenant: "acme", weight: 2 }))
 * console.log(Effect.runSync(forAcme)) // { org: "acme" }
 * ```
 *
 * @since 0.1.0
 * @category sharing
 */
export const withShare: {
  (share: ShareOptions): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, share: ShareOptions): Effect.Effect<A, E, R>
} = /* @__PURE__ */ dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, share: ShareOptions): Effect.Effect<A, E, R> => {
  if (!(share.weight === undefined || (share.weight > 0 && share.weight < Infinity))) {
    throw new Cause.IllegalArgumentError(
      `Limiter.withShare: \`weight\` must be finite and above 0, got ${share.weight}`
    )
  }
  return provideShare(self, share)
})

const deadlineOf = (within: Duration.Input | undefined, clock: Clock.Clock): number =>
  within === undefined ? Infinity : monotonicNow(clock) + Duration.toMillis(Duration.fromInputUnsafe(within))

/** Logs the defect of a function that a user gave. No effect waits for it. */
const logDefect = (context: Context.Context<never>, text: string) => (defect: unknown) => {
  Effect.runForkWith(context)(Effect.logError(text, Cause.die(defect)))
}

const make = (id: string, algorithm: LimitAlgorithm, options: CommonOptions): Effect.Effect<Limiter> =>
  Effect.map(Effect.context<never>(), (context) => makeWith(id, algorithm, options, context))

const makeWith = (
  id: string,
  algorithm: LimitAlgorithm,
  { isOverload = () => false, queue: { delay, max = defaultMaxWaiting } = {} }: CommonOptions,
  context: Context.Context<never>
): Limiter => {
  const ofAlgorithm = `the algorithm of limiter "${id}" failed: the limit stays as it was when it does`
  const ofErrors = `\`isOverload\` of limiter "${id}" failed: an error counts as no overload when it does`
  const onDefect = logDefect(context, ofAlgorithm)
  const admission = new Admission({ algorithm, maxWaiting: max, delay: delayOf(id, delay), onDefect })
  const permits = new Permits(id, admission, isOverload, logDefect(context, ofErrors))
  const made: Limiter & Made = {
    permits,
    stats: Effect.sync(() => permits.stats()),
    withPermit: (self, { permits: count = 1, resource = "", within } = {}) =>
      hold(permits, self, (clock, share) => ({
        flow: share.tenant === undefined ? undefined : new Flow(share),
        share,
        resource,
        permits: count,
        begun: false,
        deadline: deadlineOf(within, clock),
        remaining: within === undefined ? 0 : permits.usual(resource)
      }))
  }
  return made
}

const checkLimit = (id: string, limit: number): Effect.Effect<number> =>
  Number.isInteger(limit) && limit >= 1
    ? Effect.succeed(limit)
    : Effect.die(
        new Cause.IllegalArgumentError(`limiter "${id}": \`limit\` must be a whole number from 1, got ${limit}`)
      )

/**
 * Makes the class of a limiter, one for each backend. Runs and other effects share it.
 *
 * Permits are shared fairly between tenants and between runs without one; each use by hand counts as a run of its own:
 * see {@link withShare}. A wait can be interrupted, and neither that nor the interruption of a holder loses a permit.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Limiter } from "effect-loader"
 *
 * class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
 *
 * const query = Postgres.withPermit(Effect.succeed("row"))
 * const program = Effect.all([query, query, query], { concurrency: "unbounded" })
 *
 * console.log(Effect.runSync(program.pipe(Effect.provide(Postgres.layer({ limit: 2 }))))) // [ "row", "row", "row" ]
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service: {
  <Self>(): <const Id extends string>(id: Id) => LimiterClass<Self, Id>
  <_Self>(id: "call it first: class Postgres extends Limiter.Service<Postgres>()(id) {}"): new () => object
} = (): never =>
  (<Self, const Id extends string>(id: Id): LimiterClass<Self, Id> => {
    const tag = Context.Service<Self, Limiter>()(id)
    const statics: Pick<LimiterClass<Self, Id>, "withPermit" | "stats" | "layer" | "layerAdaptive"> = {
      withPermit: (self, options) => tag.use((limiter) => limiter.withPermit(self, options)),
      stats: tag.use(({ stats }) => stats),
      layer: ({ limit, ...options }) =>
        Layer.effect(
          tag,
          Effect.suspend(() => (typeof limit === "number" ? Effect.succeed(limit) : limit)).pipe(
            Effect.flatMap((limit) => checkLimit(id, limit)),
            Effect.tap(() => countInstance(tag, "limiter", options.many)),
            Effect.flatMap((limit) => make(id, fixed(limit), options))
          )
        ),
      layerAdaptive: (options = {}) =>
        Layer.effect(
          tag,
          Effect.flatMap(Effect.isEffect(options) ? options : Effect.succeed(options), (options) =>
            Effect.andThen(
              countInstance(tag, "limiter", options.many),
              make(id, "algorithm" in options ? options.algorithm : vegas(options), options)
            )
          )
        )
    }
    return Object.assign(tag, statics) as never
  }) as never
