/** Services that layers build, as resources. */
import { loadKind, type LoadSource } from "../model/Resource.ts"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { valueText } from "../base/ValueText.ts"
import { BuildMemo } from "../model/BuildMemo.ts"
import { baseOf, type Dependencies, lensesOf } from "../model/Node.ts"
import {
  declare,
  type ByKey,
  type Deps,
  type Failure,
  type Inputs,
  isResource,
  lazily,
  nodeOf
} from "../model/Resource.ts"
import type { Any, InputOf, Own, Resource, Services, Success } from "../model/Resource.ts"

declare const ServiceOf: unique symbol

/**
 * A service that a layer built, with its identifier in the type.
 *
 * @since 0.1.0
 * @category models
 */
export type Built<Id, Shape> = Shape & { readonly [ServiceOf]?: Id }

/** The services that these resources are; none for other resources. */
export type Provided<A> = A extends { readonly [ServiceOf]?: infer Id } ? (unknown extends Id ? never : Id) : never

/** The services that the dependencies provide to a layer. */
export type ProvidedBy<D extends Deps> = { readonly [K in keyof D]: Provided<Success<D[K]>> }[keyof D]

/** Builds a layer in the memo map of the start-up graph, or in its own. */
const built = <A, E, R>(layer: Layer.Layer<A, E, R>): Effect.Effect<Context.Context<A>, E, R | Scope.Scope> =>
  Effect.withFiber((fiber) => {
    const memo = fiber.getRef(BuildMemo)
    if (memo === undefined) return Layer.build(layer)
    return Layer.buildWithMemoMap(layer, memo, Context.getUnsafe(fiber.context, Scope.Scope))
  })

/** The keys of the services that dependencies are, by local key. A view that changes the value is not a service. */
const servicesOf = (deps: Dependencies): ReadonlyMap<string, Context.Key<unknown, unknown>> => {
  const found = new Map<string, Context.Key<unknown, unknown>>()
  for (const [key, dependency] of Object.entries(deps)) {
    if (!isResource(dependency)) continue
    const node = nodeOf(dependency)
    const { source } = baseOf(node)
    const isChanged = lensesOf(node).some(({ onSuccess }) => onSuccess !== undefined)
    if (source.service !== undefined && !isChanged) found.set(key, source.service)
  }
  return found
}

/**
 * Declares a resource whose value is a service that a layer builds.
 *
 * - `key`: the service.
 * - `layer`: the layer, built and released in the scope of the load. `Layer.provide` builds dependencies of the layer for it
 *   alone: make anything shared a resource of its own, which then appears in the plan.
 * - `deps`: resources that load first. A dependency that `fromLayer` made, also with policies, provides its service to the layer.
 * - `after`: what must have been loaded before, as in `make`.
 *
 * A layer that fails releases what it had acquired at once; a `Policy.retry` builds it again.
 *
 * @example
 * ```ts
 * import { Context, Effect, Layer } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 *
 * class Config extends Context.Service<Config, { readonly url: string }>()("app/Config") {}
 * class Database extends Context.Service<Database, { readonly name: string }>()("app/Database") {}
 *
 * const ConfigLive = Layer.succeed(Config, { url: "db.example.org" })
 * const DatabaseLive = Layer.effect(Database, Config.use(({ url }) => Effect.succeed({ name: `database at ${url}` })))
 *
 * const config = Resource.fromLayer("config", Config, ConfigLive)
 * const database = Resource.fromLayer("database", Database, DatabaseLive, { deps: { config } }).pipe(
 *   Policy.timeout("10 seconds")
 * )
 * const start = Loader.make({ database })
 * console.log(Effect.runSync(Effect.scoped(Loader.load(start))).database.name) // database at db.example.org
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromLayer = <
  const Name extends string,
  Id,
  Shape,
  E,
  R,
  const D extends ByKey & Deps = {},
  const After extends ReadonlyArray<Any> = []
>(
  name: Name,
  key: Context.Key<Id, Shape>,
  layer: Layer.Layer<Id, E, R>,
  options?: { readonly deps?: D | (() => D); readonly after?: After | (() => After) }
): Resource<
  Name,
  Built<Id, Shape>,
  Own<Name, E> | Failure<D[keyof D] | After[number]>,
  Exclude<R, ProvidedBy<D>> | Scope.Scope | Services<D[keyof D] | After[number]>,
  Inputs<D> & InputOf<After[number]>,
  never
> => {
  if (!Layer.isLayer(layer)) {
    throw new Cause.IllegalArgumentError(
      `Resource.fromLayer("${name}"): \`layer\` must be a Layer, got ${valueText(layer)}`
    )
  }
  const deps = lazily<Dependencies>(options?.deps, {})
  let services: ReadonlyMap<string, Context.Key<unknown, unknown>> | undefined
  const load = (values: Dependencies) => {
    services ??= servicesOf(deps())
    let provided = Context.empty()
    for (const [local, service] of services) provided = Context.add(provided, service as never, values[local] as never)
    return Effect.map(Effect.provideContext(built(layer), provided as never), Context.get(key as never))
  }
  return declare(name, {
    kind: loadKind,
    deps,
    after: lazily<ReadonlyArray<unknown>>(options?.after, []),
    load,
    service: key as Context.Key<unknown, unknown>
  } as LoadSource)
}
