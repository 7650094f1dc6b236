/**
 * Delays of hedges that are learned: so long as all but a few attempts take, for each resource by itself.
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
 * How a delay is learned.
 *
 * - `percentile`: how great a part of the attempts, from 0 to 1, is quick enough to stay alone. Default 0.95: about one read
 *   in twenty is hedged. It is taken of the last 256 first attempts, or of those that there were.
 * - `initial`: the delay until there were 20. Default: infinite, so that nothing is hedged.
 * - `min`: the shortest delay. Default a millisecond.
 * - `many`: whether many of the class are to live at the same time. Default `false`: the log is warned, once, when ten do, as
 *   they do where the layer is provided in each handler.
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
 * - `after`: the delay for a resource, just now.
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
 * Makes the class of a learned delay, for `Policy.hedge({ after })`. What it knows is kept by the names of resources.
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
export const Service =
  <Self>() =>
  <const Id extends string>(id: Id): HedgeDelayClass<Self, Id> => {
    const tag = Context.Service<Self, HedgeDelay>()(id)
    const statics: Pick<HedgeDelayClass<Self, Id>, "after" | "layer"> = {
      after: (resource) => Effect.flatMap(Effect.service(tag), (delay) => delay.after(resource)),
      layer: (options = {}) =>
        Layer.effect(tag, Effect.andThen(countInstance(tag, "hedge delay", options.many), make(id, options)))
    }
    return Object.assign(tag, statics) as never
  }
