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

/** What TypeScript says of something else. An alias, as an overload with a literal would come before the other. */
export type ClassOfCache = "the class of a cache, Policy.cache(Users): provide its layer to the program"

const needsKey = "this cache is for resources that have a `key`, and this one has none"
const staysInRun = "a service that a layer built is released with its run, so nothing may remember it longer"

/**
 * Remembers the value in a cache, by the resource's `key`: see `ResourceCache.Service`.
 *
 * A value that is fresh there is not loaded: there is no attempt, and so neither a slot nor a permit is taken. What
 * another reader loads already, in this run or another one, is waited for; when that one is interrupted or refused, one of
 * those that wait loads it. Typed failures go to all that wait, and are remembered only where the cache's layer says so;
 * defects, interruptions, and errors that only say "not now" never are.
 *
 * What is piped before is what is remembered: a fallback there is remembered too. `retry` before it repeats the load
 * inside; `timeout` after it bounds the wait for others, too. On a list it remembers the whole list, in `each` one item.
 * Where the cache says of which type its values are, only resources of that type can be piped through it. What holds
 * something in a `Scope` must not be remembered, as it is released with its run.
 *
 * Without a `key` the value is known by its load and what that depends on, and it goes to callers with other services. So it
 * compiles only where the resource's own load needs no services but `Scope` and the `services` of the cache, and the load runs
 * without any other: what differs from caller to caller is an input or a dependency, or belongs into a `key`.
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
          read: (level, result, reason) => observer.cacheRead(tag.key, level, result, reason),
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
