import type * as Context from "effect/Context"
import { register } from "../base/Unshareable.ts"

/**
 * Says of a service that nothing which is loaded with it may be shared, because it may still be taken back: a transaction.
 *
 * A load in whose context there is such a service neither joins a load of a cache, nor keeps its value there, nor refreshes
 * one; its requests share calls only with those that have the same value of the service; and a loader's layer that is built
 * with it does not capture it. The transactions of Effect's `SqlClient` and of `Effect.tx` are known without this. It holds
 * for the process, so call it where the service is declared.
 *
 * @example
 * ```ts
 * import { Context, Effect } from "effect"
 * import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
 *
 * class Tx extends Policy.unshareable(Context.Service<Tx, { readonly stock: number }>()("app/Tx")) {}
 * class Stocks extends ResourceCache.Service<Stocks>()("app/Stocks") {}
 *
 * const load = () => Effect.map(Effect.serviceOption(Tx), (tx) => (tx._tag === "Some" ? tx.value.stock : 10))
 * const stock = Resource.make("stock", { key: () => "stock", load }).pipe(Policy.cache(Stocks))
 * const page = Loader.make({ stock })
 *
 * const program = Effect.gen(function* () {
 *   const inside = yield* Effect.provideService(Loader.load(page), Tx, { stock: 9 })
 *   const outside = yield* Loader.load(page)
 *   return [inside.stock, outside.stock]
 * })
 * const layer = Stocks.layer({ timeToLive: "1 minute" })
 * Effect.runPromise(Effect.provide(program, layer)).then(console.log) // [ 9, 10 ]
 * ```
 *
 * @since 0.1.0
 * @category marking
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the only bound that every key meets
export const unshareable = <K extends Context.Key<any, any>>(key: K): K => {
  register(key.key)
  return key
}
