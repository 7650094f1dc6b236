/** Lists of requests. */
import type * as Request from "effect/Request"
import type * as RequestResolver from "effect/RequestResolver"
import type { AnyRequest, AnyResolver } from "../batching/AnyResolver.ts"
import { itemsOf, type List } from "../model/List.ts"
import type { Dependencies, KeyOf } from "../model/Node.ts"
import { layersOf, type PolicyFor } from "../model/Policy.ts"
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
import type { Undo } from "../model/Undo.ts"
import { checkFunctions } from "../model/UserEffect.ts"
import type { AskError } from "../request/FromRequest.ts"
import type { ProtectedResolver } from "../request/Protected.ts"
import { askMeans } from "../request/ProtectedCalls.ts"
import type { EachPolicy } from "./ForEach.ts"
import { listKind, type ListSource } from "./Lists.ts"

/**
 * Declares a resource that makes one request per item of a list, all at once, and keeps the order of the list.
 *
 * - `deps`, `after`, `items`, `key`, `itemKey`: as in `forEach`.
 * - `request`: makes the request of one item, from the item, the values of the dependencies, and the index.
 * - `resolver`: as in `fromRequest`.
 * - `each`: a policy for one item; policies that are piped onto the resource limit the whole list.
 * - `undo`, `alsoUndo`: undo one item, as in `forEach`.
 *
 * The first item that fails fails the list, and the `ResourceError` has its `item`.
 *
 * @example
 * ```ts
 * import { Effect, Exit, Request, RequestResolver } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string> {}
 *
 * const Users = RequestResolver.fromFunctionBatched<GetUser>((entries) => entries.map(({ request }) => `user ${request.id}`))
 * const ids = Resource.input<ReadonlyArray<number>>()("ids")
 * const members = Resource.forEachRequest("members", {
 *   deps: { ids },
 *   items: ({ ids }) => ids,
 *   request: (id) => new GetUser({ id }),
 *   resolver: Users
 * })
 *
 * Effect.runPromise(Loader.load(Loader.make({ members }), { ids: [1, 2] })).then((page) => console.log(page.members))
 * // [ "user 1", "user 2" ]
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const forEachRequest = <
  const Name extends string,
  I,
  Q extends AnyRequest,
  const D extends ByKey & Deps = {},
  const After extends ReadonlyArray<Any> = [],
  PE = never,
  PR = never,
  R2 = never,
  R3 = never,
  CE = never,
  CR = never,
  K extends string = never,
  IK extends string = never,
  S = never
>(
  name: Name,
  options: {
    readonly deps?: D | (() => D)
    readonly after?: After | (() => After)
    readonly items: (deps: Values<D>) => List<I>
    readonly key?: (deps: Values<D>) => K
    readonly itemKey?: (item: I, deps: Values<D>) => IK
    readonly request: (item: I, deps: Values<D>, index: number) => Q
    readonly resolver: RequestResolver.RequestResolver<Q> | ProtectedResolver<Q, CE, CR>
    readonly each?:
      | EachPolicy<PE, PR, S, NoInfer<IK>, Request.Services<NoInfer<Q>>>
      | PolicyFor<NoInfer<AskError<Q> | CE>>
  },
  undo?: Undo<Request.Success<NoInfer<Q>>, Values<NoInfer<D>>, R2>,
  alsoUndo?: Undo<Request.Success<NoInfer<Q>>, Values<NoInfer<D>>, R3>
): Resource<
  Name,
  ReadonlyArray<Request.Success<Q>>,
  Own<Name, AskError<Q> | PE | CE> | Failure<D[keyof D] | After[number]>,
  Request.Services<Q> | NoInfer<CR> | NoInfer<PR> | NoInfer<R2> | NoInfer<R3> | Services<D[keyof D] | After[number]>,
  Inputs<D> & InputOf<After[number]>,
  Unkeyed<K, Request.Services<Q>>
> => {
  checkFunctions("Resource.forEachRequest", name, options, ["items", "request"], ["key", "itemKey"])
  return declare(name, {
    kind: listKind,
    deps: lazily<Dependencies>(options.deps, {}),
    after: lazily<ReadonlyArray<unknown>>(options.after, []),
    key: options.key as KeyOf | undefined,
    itemKey: options.itemKey as ((item: unknown, deps: Dependencies) => string) | undefined,
    items: options.items as (deps: Dependencies) => Iterable<unknown>,
    read: itemsOf,
    load: options.request as (item: unknown, deps: Dependencies, index: number) => unknown,
    resolver: options.resolver as AnyResolver,
    means: askMeans,
    resolvers: [],
    concurrency: "unbounded",
    each: [
      ...undoLayers("Resource.forEachRequest", name, undo, alsoUndo),
      ...(options.each === undefined ? [] : layersOf(options.each))
    ]
  } as ListSource)
}
