/** Lists: a load for each item. */
import { itemsOf, type List } from "../model/List.ts"
import { checkFunctions } from "../model/UserEffect.ts"
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as RequestResolver from "effect/RequestResolver"
import type { AnyResolver } from "../batching/AnyResolver.ts"
import { listKind, type ListSource } from "./Lists.ts"
import type { Dependencies, KeyOf } from "../model/Node.ts"
import {
  layersOf,
  type Policy,
  type PolicyFor,
  type PolicyForKeyed,
  type PolicyOf,
  type Sharing
} from "../model/Policy.ts"
import type { Undo } from "../model/Undo.ts"
import type { ProtectedResolver } from "../request/Protected.ts"
import {
  declare,
  type ByKey,
  type Deps,
  type Failure,
  type Inputs,
  lazily,
  type Own,
  undoLayers,
  type Unkeyed
} from "../model/Resource.ts"
import type { Any, InputOf, Resource, Services, Values } from "../model/Resource.ts"

/** Accepts any value while TypeScript still infers the values. */
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type ForValues<A, PR, S> = unknown extends A ? PolicyOf<any, PR, S> : PolicyOf<A, PR, S>

/** Refuses a cache of items without a key if their loads need services that it does not share. */
export type EachPolicy<PE, PR, S, K, R> = Policy<PE, PR> | (PolicyForKeyed<PE, PR, S> & Sharing<Unkeyed<K, R>, S>)

const checkConcurrency = (name: string, concurrency: number | "unbounded"): void => {
  if (concurrency === "unbounded" || (Number.isInteger(concurrency) && concurrency > 0)) return
  throw new Cause.IllegalArgumentError(
    `Resource.forEach: the \`concurrency\` of "${name}" must be a whole number from 1, or "unbounded", got ${concurrency}`
  )
}

/**
 * Declares a resource that runs one load per item of a list, concurrently, and keeps the order of the list.
 *
 * - `deps`, `after`: as in `make`.
 * - `items`: makes the list from the values of the dependencies.
 * - `load`: makes the effect that loads the value of one item; it gets the item, the values of the dependencies, and the index.
 *   For an item with several resources that depend on each other, it may return `Loader.load(inner, ...)`.
 * - `each`: a policy for one item: `Policy.timeout` in `each` limits one item; piped onto the list it limits the whole list.
 * - `key`: identifies the list in a cache that is piped onto it; `itemKey`: identifies an item in a cache in `each`. Without
 *   them, the load and the dependencies, compared structurally, do.
 * - `concurrency`: how many items may load at once, within the `concurrency` of the loader; default `"unbounded"`.
 * - `resolvers`: the graph-aware resolvers that nested loaders of the items use (see `Batching.graphAware`): their batches wait
 *   for the items. `forEachRequest` names its own resolver.
 * - `undo`, `alsoUndo`: `Saga.compensate` undoes one item when the run fails later, `Saga.cleanup` follows each attempt of an item
 *   that did not succeed; `context.item` is the item. A list that fails undoes its items first. A `Saga.compensate` that is
 *   piped onto the list undoes the whole list.
 *
 * The first item that fails fails the list: running items are interrupted, and the `ResourceError` has its `item`. The list
 * itself holds no slot; the attempts of its items do.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 *
 * const ids = Resource.input<ReadonlyArray<number>>()("ids")
 * const users = Resource.forEach("users", {
 *   deps: { ids },
 *   items: ({ ids }) => ids,
 *   load: (id) => (id > 0 ? Effect.succeed(`user ${id}`) : Effect.fail("unknown")),
 *   each: Policy.timeout("1 second"),
 *   concurrency: 4
 * })
 * const page = Loader.make({ users })
 *
 * console.log(Effect.runSync(Loader.load(page, { ids: [1, 2] }))) // { users: [ "user 1", "user 2" ] }
 * console.log(Effect.runSync(Effect.flip(Loader.load(page, { ids: [1, 0] }))).message)
 * // resource "users" failed at item 1 (0ms): unknown
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const forEach = <
  const Name extends string,
  I,
  A,
  E,
  R,
  const D extends ByKey & Deps = {},
  const After extends ReadonlyArray<Any> = [],
  PE = never,
  PR = never,
  R2 = never,
  R3 = never,
  K extends string = never,
  IK extends string = never,
  S = never
>(
  name: Name,
  options: {
    readonly deps?: D | (() => D)
    readonly after?: After | (() => After)
    readonly items: (deps: Values<D>) => List<I>
    readonly load: (item: I, deps: Values<D>, index: number) => Effect.Effect<A, E, R>
    readonly key?: (deps: Values<D>) => K
    readonly itemKey?: (item: I, deps: Values<D>) => IK
    readonly concurrency?: number | "unbounded"
    readonly each?:
      | EachPolicy<PE, PR, S, NoInfer<IK>, NoInfer<R>>
      | PolicyFor<NoInfer<E>, PR>
      | (ForValues<NoInfer<A>, PR, S> & Sharing<Unkeyed<NoInfer<IK>, NoInfer<R>>, S>)
    // oxlint-disable-next-line typescript/no-explicit-any -- whatever they answer
    readonly resolvers?: ReadonlyArray<RequestResolver.RequestResolver<any> | ProtectedResolver<any, unknown, unknown>>
  },
  undo?: Undo<NoInfer<A>, Values<NoInfer<D>>, R2>,
  alsoUndo?: Undo<NoInfer<A>, Values<NoInfer<D>>, R3>
): Resource<
  Name,
  ReadonlyArray<A>,
  Own<Name, E | PE> | Failure<D[keyof D] | After[number]>,
  R | NoInfer<PR> | NoInfer<R2> | NoInfer<R3> | Services<D[keyof D] | After[number]>,
  Inputs<D> & InputOf<After[number]>,
  Unkeyed<K, R>
> => {
  checkFunctions("Resource.forEach", name, options, ["items", "load"], ["key", "itemKey"])
  const { after, concurrency = "unbounded", deps, each, itemKey, items, key, load, resolvers = [] } = options
  checkConcurrency(name, concurrency)
  return declare(name, {
    kind: listKind,
    deps: lazily<Dependencies>(deps, {}),
    after: lazily<ReadonlyArray<unknown>>(after, []),
    items: items as (deps: Dependencies) => Iterable<unknown>,
    read: itemsOf,
    load: load as (item: unknown, deps: Dependencies, index: number) => unknown,
    resolver: undefined,
    resolvers: resolvers as ReadonlyArray<AnyResolver>,
    key: key as KeyOf | undefined,
    itemKey: itemKey as ((item: unknown, deps: Dependencies) => string) | undefined,
    concurrency,
    each: [...undoLayers("Resource.forEach", name, undo, alsoUndo), ...(each === undefined ? [] : layersOf(each))]
  } as ListSource)
}
