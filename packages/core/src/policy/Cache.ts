import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { valueText } from "../base/ValueText.ts"
import { keyOf } from "../cache/Key.ts"
import type { ResourceCacheClass } from "../cache/ResourceCache.ts"
import { sealed, sharing } from "../cache/Sealed.ts"
import type { Layer } from "../model/Node.ts"
import { holding } from "../attempt/Holding.ts"
import { fromLayers } from "../attempt/FromLayers.ts"
import { insideCaches } from "../attempt/Layering.ts"
import { insideOf } from "../attempt/Refresh.ts"
import type { PolicyForKeyed, PolicyOf } from "../model/Policy.ts"

/** The text that TypeScript shows for any other value. An alias, since an overload with a literal would be tried first. */
export type ClassOfCache = "the class of a cache, Policy.cache(Users): provide its layer to the program"

const needsKey = "this cache is for resources that have a `key`, and this one has none"
const staysInRun = "a service that a layer built is released with its run, so nothing may remember it longer"

/**
 * Keeps the value in a cache, by the resource's `key`: see `ResourceCache.Service`.
 *
 * A fresh cached value does not load: there is no attempt, which would take slots and permits. If another reader loads the
 * value, in this run or another one, this reader waits for it; if that load is interrupted or refused, a waiting reader loads.
 * All waiting readers get a typed failure; it is cached only if the layer of the cache says so. Defects, interruptions, and
 * errors that only say "not now" are not cached.
 *
 * It caches the result of everything piped before it, including fallbacks. A `retry` before it repeats the load inside; a
 * `timeout` after it also limits the wait for other readers. On a list it caches the whole list, in `each` one item. A cache of
 * typed values accepts only resources of that type. Do not cache a value that holds a resource of a `Scope`: it is released
 * with its run.
 *
 * Without a `key` the load and its dependencies identify the value, and callers with other services share it. So the types
 * require that the resource's own load needs no services besides `Scope` and the `services` of the cache, and the load runs
 * without others: data that differs between callers must be an input, a dependency, or part of a `key`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
 *
 * class Settings extends ResourceCache.Service<Settings>()("app/Settings") {}
 *
 * let loads = 0
 * const settings = Resource.make("settings", { load: () => Effect.sync(() => `dark, load ${++loads}`) }).pipe(
 *   Policy.timeout("1 second"),
 *   Policy.retry({ times: 3 }),
 *   Policy.cache(Settings)
 * )
 * const page = Loader.make({ settings })
 *
 * const program = Effect.andThen(Loader.load(page), Loader.load(page))
 * const layer = Settings.layer({ timeToLive: "1 minute" })
 * Effect.runPromise(Effect.provide(program, layer)).then(({ settings }) => console.log(settings)) // dark, load 1
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const cache: {
  <Self, Id extends string, A, Keyed extends boolean, S>(
    tag: ResourceCacheClass<Self, Id, A, Keyed, S>
  ): unknown extends A ? PolicyForKeyed<never, Self, S> : PolicyOf<A, Self, S>
  (tag: ClassOfCache): never
} = (given: unknown): never => {
  if (!Context.isKey(given)) {
    throw new Cause.IllegalArgumentError(`Policy.cache needs the class of a cache, got ${valueText(given)}`)
  }
  const tag = given as ResourceCacheClass<unknown, string, unknown, boolean, unknown>
  const label = `cache(${tag.key})`
  const layer: Layer = {
    kind: "cache",
    label,
    repeats: false,
    continues: false,
    mayKnow: true,
    arrange: insideCaches,
    extension: holding,
    misplaced: ({ key, service }) => {
      if (service !== undefined) return staysInRun
      return tag.keyed && key === undefined ? needsKey : undefined
    },
    seal: sealed,
    refused: undefined,
    wrap: (self, observer) =>
      Effect.flatMap(Effect.service(tag), (cache) => {
        const inside = insideOf(observer, layer, self)
        const key = keyOf(inside.origin())
        const isGiven = typeof key === "string"
        return cache.read(key, isGiven ? self : sharing(self, cache.shared), {
          read: (level, result, reason) =>
            observer.tell({
              _tag: "CacheRead",
              cache: tag.key,
              level,
              result,
              ...(reason !== undefined && { reason })
            }),
          degraded: (error) => observer.degraded(label, error),
          refresh: () => {
            const outside = inside.load()
            return isGiven ? outside : sharing(outside, cache.shared)
          },
          policies: inside.policies
        })
      })
  }
  return fromLayers([layer]) as never
}
