import type * as Context from "effect/Context"
import { register } from "../base/Unshareable.ts"

/**
 * Marks a service, such as a transaction, with which loaded values must not be shared, because they may be rolled back.
 *
 * A load with such a service in its context does not join loads of a cache, does not cache its value and does not refresh one;
 * its requests share calls only with requests that have the same value of the service; and a loader's layer does not capture
 * it. Transactions of Effect's `SqlClient` and of `Effect.tx` are marked already. The mark holds for the process, so call it
 * where the service is declared.
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
