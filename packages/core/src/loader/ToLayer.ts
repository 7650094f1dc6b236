/** Loaders as layers: start-up graphs. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { BuildMemo } from "../model/BuildMemo.ts"
import type { AnyLoader, Loader } from "./Compiled.ts"
import { type Args, load } from "./Loader.ts"

/** The service key of each target. */
export type Keys<A> = { readonly [K in keyof A]?: Context.Key<any, A[K]> } // oxlint-disable-line typescript/no-explicit-any

/** The services behind keys. */
export type Identifiers<G> = { [K in keyof G]: G[K] extends Context.Key<infer Id, infer _S> ? Id : never }[keyof G]

/**
 * Makes one layer that provides targets as services: a start-up graph.
 *
 * - `keys`: the service key of each target, by the target's key. Targets without one load as well.
 *
 * Each resource is built when its dependencies are, and released in the reverse order with the layer. After a failure or an
 * interruption of the build everything acquired is released in the reverse order, and the error names the resource. Like
 * other layers it is built once, however often it is provided.
 *
 * @example
 * ```ts
 * import { Context, Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * class Database extends Context.Service<Database, { readonly name: string }>()("app/Database") {}
 * class Users extends Context.Service<Users, { readonly find: (id: number) => string }>()("app/Users") {}
 *
 * const db = Resource.make("db", {
 *   load: () => Effect.acquireRelease(Effect.succeed({ name: "main" }), () => Effect.log("closed"))
 * })
 * const users = Resource.make("users", {
 *   deps: { db },
 *   load: ({ db }) => Effect.succeed({ find: (id: number) => `user ${id} of ${db.name}` })
 * })
 *
 * const AppLive = Loader.toLayer(Loader.make({ db, users }), { db: Database, users: Users })
 * const program = Users.use((users) => Effect.succeed(users.find(7)))
 * console.log(Effect.runSync(program.pipe(Effect.provide(AppLive)))) // user 7 of main
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const toLayer = <A, E, R, In, T, const G extends Keys<A>>(
  self: Loader<A, E, R, In, T>,
  keys: G & { readonly [K in Exclude<keyof G, keyof A>]: never },
  ...inputs: Args<In>
): Layer.Layer<Identifiers<G>, E, Exclude<R, Scope.Scope>> => {
  const loaded = Effect.withFiber((fiber) => {
    const memo = Context.getOrUndefined(fiber.context, Layer.CurrentMemoMap)
    return Effect.provideService(load(self as AnyLoader, ...(inputs as [])), BuildMemo, memo)
  })
  const provide = (values: Readonly<Record<string, unknown>>): Context.Context<never> =>
    Object.entries(keys).reduce<Context.Context<never>>(
      (context, [target, key]) => Context.add(context, key as Context.Key<never, unknown>, values[target]),
      Context.empty()
    )
  return Layer.effectContext(Effect.map(loaded, provide)) as never
}
