/**
 * Learned delays of hedges: a percentile of the latencies of each resource.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { durationOf } from "../base/DurationInput.ts"
import { countInstance } from "../base/Instances.ts"
import type { HedgeDelay } from "../policy/Hedge.ts"
import { Percentiles } from "./Percentiles.ts"

/**
 * The options of a learned delay.
 *
 * - `percentile`: the fraction of attempts, from 0 to 1, that end before the delay and are not hedged. Default 0.95: about one
 *   read in twenty is hedged. It is computed from the last 256 first attempts.
 * - `initial`: the delay before the first 20 attempts. Default: infinite, so that nothing is hedged.
 * - `min`: the shortest delay. Default a millisecond.
 * - `many`: whether many delays of the class may exist at the same time. Default `false`: ten at once cause a warning in the
 *   log, since that is usually a layer that each handler provides.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly percentile?: number
  readonly initial?: Duration.Input
  readonly min?: Duration.Input
  readonly many?: boolean
}

/**
 * The class of a learned delay's service.
 *
 * - `layer`: a delay that learns in this process; see {@link Options}.
 * - `after`: the current delay of a resource.
 *
 * @since 0.1.0
 * @category models
 */
export interface HedgeDelayClass<Self, Id extends string> extends Context.ServiceClass<Self, Id, HedgeDelay> {
  readonly after: (resource: string) => Effect.Effect<Duration.Duration, never, Self>
  readonly layer: (options?: Options) => Layer.Layer<Self>
}

const make = (id: string, { initial = "Infinity", min = "1 millis", percentile = 0.95 }: Options) =>
  Effect.suspend((): Effect.Effect<HedgeDelay> => {
    if (!(percentile > 0 && percentile < 1)) {
      const problem = `\`percentile\` must be between 0 and 1, got ${percentile}`
      return Effect.die(new Cause.IllegalArgumentError(`hedge delay "${id}": ${problem}`))
    }
    const percentiles = new Percentiles(percentile)
    const shortest = durationOf(`hedge delay "${id}": \`min\``, min)
    const unknown = durationOf(`hedge delay "${id}": \`initial\``, initial)
    return Effect.succeed({
      after: (resource) =>
        Effect.sync(() => {
          const millis = percentiles.get(resource)
          return Duration.max(millis === undefined ? unknown : Duration.millis(millis), shortest)
        }),
      answered: (resource, took) => Effect.sync(() => percentiles.add(resource, Duration.toMillis(took)))
    })
  })

/**
 * Makes the class of a learned delay, for `Policy.hedge({ after })`. It keeps latencies by the names of resources.
 *
 * @example
 * ```ts
 * import { Duration, Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 * import { HedgeDelay } from "effect-loader/resilience"
 *
 * class Usual extends HedgeDelay.Service<Usual>()("app/Usual") {}
 *
 * const price = Resource.make("price", { load: () => Effect.succeed(12) }).pipe(Policy.hedge({ after: Usual }))
 * const page = Loader.load(Loader.make({ price }))
 *
 * const program = Effect.andThen(page, Usual.after("price")).pipe(Effect.provide(Usual.layer({ initial: "50 millis" })))
 * Effect.runPromise(program).then((after) => console.log(Duration.format(after))) // 50ms
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service: {
  <Self>(): <const Id extends string>(id: Id) => HedgeDelayClass<Self, Id>
  <_Self>(id: "call it first: class Delays extends HedgeDelay.Service<Delays>()(id) {}"): new () => object
} = (): never =>
  (<Self, const Id extends string>(id: Id): HedgeDelayClass<Self, Id> => {
    const tag = Context.Service<Self, HedgeDelay>()(id)
    const statics: Pick<HedgeDelayClass<Self, Id>, "after" | "layer"> = {
      after: (resource) => Effect.flatMap(Effect.service(tag), (delay) => delay.after(resource)),
      layer: (options = {}) =>
        Layer.effect(tag, Effect.andThen(countInstance(tag, "hedge delay", options.many), make(id, options)))
    }
    return Object.assign(tag, statics) as never
  }) as never
