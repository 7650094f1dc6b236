/**
 * Observers of runs. A run without observers makes no events.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { dual } from "effect/Function"
import { checkFunctions } from "../model/UserEffect.ts"
import type { OnEvent, Watch, Watcher } from "./Watcher.ts"
import { newObserverKey, withObserver } from "./Observers.ts"

export type { OnEvent, Watch, Watcher } from "./Watcher.ts"

const always = (what: string, onEvent: OnEvent): Watch => {
  checkFunctions(what, "onEvent", { onEvent }, ["onEvent"])
  const watcher: Watcher = { onEvent }
  return () => watcher
}

const addTo =
  (key: string, watch: Watch) =>
  <R>(context: Context.Context<R>): Context.Context<R> =>
    withObserver(context as Context.Context<never>, key, watch) as Context.Context<R>

/**
 * Adds an observer to the runs inside an effect. Other observers stay.
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
  Effect.updateContext(self, addTo(newObserverKey(), always("Observer.observe", onEvent)))
)

/**
 * A layer that adds an observer to the runs of the effects to which it is provided. Other observers stay.
 *
 * Such layers compose like other layers: `Layer.mergeAll(first, second)` adds both observers, and a layer that is provided
 * twice observes once.
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
  layerWatch(Effect.succeed(always("Observer.layer", onEvent)))

/**
 * As {@link layer}, for observers that are made per run, or that need services: spans, metrics, a terminal.
 *
 * @example
 * ```ts
 * import { Clock, Effect } from "effect"
 * import { Loader, Observer, Resource } from "effect-loader"
 *
 * const slowest = Effect.map(Effect.service(Clock.Clock), (clock): Observer.Watch => () => {
 *   const start = clock.currentTimeMillisUnsafe()
 *   return {
 *     onEvent: (event) => {
 *       if (event._tag === "RunEnded") console.log(clock.currentTimeMillisUnsafe() - start < 1000)
 *     }
 *   }
 * })
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 *
 * Effect.runSync(Loader.load(Loader.make({ org })).pipe(Effect.provide(Observer.layerWatch(slowest)))) // true
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWatch = <E, R>(watch: Effect.Effect<Watch, E, R>): Layer.Layer<never, E, Exclude<R, Scope.Scope>> => {
  const key = newObserverKey()
  return Layer.effectContext(Effect.map(watch, (watch) => withObserver(Context.empty(), key, watch)))
}
