/**
 * Who watches runs.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer } from "effect"
import { dual } from "effect/Function"
import type { RunEvent } from "./RunEvent.ts"

/**
 * Receives each event of each run, synchronously, as it happens.
 *
 * It must be quick, and it can change nothing: what it throws is logged once a run and dropped.
 *
 * @since 0.1.0
 * @category models
 */
export type OnEvent = (event: RunEvent) => void

/**
 * Who watches the runs of this context: nobody, by default. Where nobody watches, a run builds no events at all.
 *
 * @since 0.1.0
 * @category references
 */
export const Observer: Context.Reference<ReadonlyArray<OnEvent>> = /* @__PURE__ */ Context.Reference<
  ReadonlyArray<OnEvent>
>("effect-loader/Observer", { defaultValue: () => [] })

/**
 * Has the runs inside an effect watched, beside those who watch already.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Observer, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const tags: Array<string> = []
 *
 * Effect.runSync(
 *   Loader.load(Loader.make({ org })).pipe(Observer.observe((event) => tags.push(event._tag)))
 * )
 * console.log(tags.join(" ")) // RunStarted ResourceReady AttemptStarted ResourceSucceeded RunEnded
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const observe: {
  (onEvent: OnEvent): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, onEvent: OnEvent): Effect.Effect<A, E, R>
} = /* @__PURE__ */ dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, onEvent: OnEvent) =>
  Effect.updateService(self, Observer, (observers) => [...observers, onEvent])
)

/**
 * Has the runs of whatever the layer is provided to watched, beside those who watch already.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Observer, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * let events = 0
 *
 * const program = Loader.load(Loader.make({ org }))
 * Effect.runSync(program.pipe(Effect.provide(Observer.layer(() => events++))))
 * console.log(events) // 5
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (onEvent: OnEvent): Layer.Layer<never> =>
  Layer.effectContext(
    Effect.map(Observer, (observers) => Context.make(Observer, [...observers, onEvent]) as Context.Context<never>)
  )
