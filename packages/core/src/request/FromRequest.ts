/** Resources that are asked of a resolver, which answers many at once. */
import { itemsOf, type List } from "../model/List.ts"
import { checkFunctions } from "../model/UserEffect.ts"
import type * as Request from "effect/Request"
import type * as RequestResolver from "effect/RequestResolver"
import type { AnyRequest, AnyResolver } from "../batching/AnyResolver.ts"
import { askMeans } from "./ProtectedCalls.ts"
import type { UnansweredRequest } from "../batching/UnansweredRequest.ts"
import type { Dependencies, KeyOf } from "../model/Node.ts"
import type { Items } from "../list/ForEach.ts"
import { layersOf, type PolicyFor } from "../model/Policy.ts"
import type { Undo } from "../model/Undo.ts"
import type { ProtectedResolver } from "./Protected.ts"
import {
  declare,
  type Deps,
  type Failure,
  type Inputs,
  lazily,
  type Own,
  undoLayers,
  type Unkeyed
} from "../model/Resource.ts"
import type { Any, InputOf, Resource, Services, Values } from "../model/Resource.ts"

/** What asking can fail with. */
type AskError<Q extends AnyRequest> = Request.Error<Q> | UnansweredRequest

/**
 * Declares a resource that is one request to a resolver, which answers many of them in one call.
 *
 * - `deps`, `after`: what it needs, by local key, and what must have been loaded before, as in `make`.
 * - `key`: what tells its value from others in a cache, as in `make`.
 * - `request`: makes the request, from what it needs.
 * - `resolver`: one of Effect's request resolvers, or a protected one, built once: resources that name it share its calls.
 * - `undo`, `alsoUndo`: `Saga.compensate` and `Saga.cleanup`, as in `make`.
 *
 * All requests that are made while a batch is collected are sent in one call, from whichever resource, list or run they
 * come. Equal ones are sent once, where those who ask have the same services. While it waits it holds no slot, so that a
 * loader's `concurrency` does not cut batches short. What protects the backend counts calls: a `Policy.limit`, a
 * `circuitBreaker` and a `rateLimit` are around the call, which all that ask the resolver share, and a refusal goes to each of
 * them. Those that share a resolver need the same; `Batching.protect` says it once. All other policies are around the wait for
 * the answer: a `timeout` leaves the batch, and a call that nobody waits for any more is interrupted.
 *
 * Its own errors are those of the request and of the resolver's protection, and `UnansweredRequest` where the resolver forgets
 * it.
 *
 * @example
 * ```ts
 * import { Effect, Exit, Request, RequestResolver } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string, "NotFound"> {}
 *
 * const Users = RequestResolver.make<GetUser>((entries) => {
 *   console.log(`${entries.length} users in one query`) // 2 users in one query
 *   for (const entry of entries) entry.completeUnsafe(Exit.succeed(`user ${entry.request.id}`))
 *   return Effect.void
 * })
 * const author = Resource.fromRequest("author", { request: () => new GetUser({ id: 1 }), resolver: Users })
 * const editor = Resource.fromRequest("editor", { request: () => new GetUser({ id: 2 }), resolver: Users })
 *
 * Effect.runPromise(Loader.load(Loader.make({ author, editor }))).then((page) => console.log(page))
 * // { author: "user 1", editor: "user 2" }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromRequest = <
  const Name extends string,
  Q extends AnyRequest,
  const D extends Deps = {},
  const After extends ReadonlyArray<Any> = [],
  CE = never,
  CR = never,
  R2 = never,
  R3 = never,
  K extends string = never
>(
  name: Name,
  options: {
    readonly deps?: D | (() => D)
    readonly after?: After | (() => After)
    readonly key?: (deps: Values<D>) => K
    readonly request: (deps: Values<D>) => Q
    readonly resolver: RequestResolver.RequestResolver<Q> | ProtectedResolver<Q, CE, CR>
  },
  undo?: Undo<Request.Success<NoInfer<Q>>, Values<NoInfer<D>>, R2>,
  alsoUndo?: Undo<Request.Success<NoInfer<Q>>, Values<NoInfer<D>>, R3>
): Resource<
  Name,
  Request.Success<Q>,
  Own<Name, AskError<Q> | CE> | Failure<D[keyof D] | After[number]>,
  Request.Services<Q> | NoInfer<CR> | NoInfer<R2> | NoInfer<R3> | Services<D[keyof D] | After[number]>,
  Inputs<D> & InputOf<After[number]>,
  Unkeyed<K, Request.Services<Q>>
> => {
  checkFunctions("Resource.fromRequest", name, options, ["request"], ["key"])
  return declare(
    name,
    {
      _tag: "Request",
      deps: lazily<Dependencies>(options.deps, {}),
      after: lazily<ReadonlyArray<unknown>>(options.after, []),
      key: options.key as KeyOf | undefined,
      request: options.request as (deps: Dependencies) => unknown,
      resolver: options.resolver as AnyResolver,
      means: askMeans
    },
    undoLayers("Resource.fromRequest", name, undo, alsoUndo)
  )
}

/**
 * Declares a resource that is one request for each item of a list, all made at once, and keeps the order of the list.
 *
 * - `deps`, `after`, `items`, `key`, `itemKey`: what it needs, what must have been loaded before, the list, and what
 *   tells values from others in a cache, as in `forEach`.
 * - `request`: makes the request of one item, from the item, what the list needs, and the item's index.
 * - `resolver`: as in `fromRequest`.
 * - `each`: a policy for one item; policies that are piped onto it bound the whole list.
 * - `undo`, `alsoUndo`: undo one item, as in `forEach`.
 *
 * The first item that fails fails the list, and the `ResourceError` tells its `item`.
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
 * const members = Resource.requestEach("members", {
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
export const requestEach = <
  const Name extends string,
  I,
  Q extends AnyRequest,
  const D extends Deps = {},
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
    readonly each?: Items<PE, PR, S, NoInfer<IK>, Request.Services<NoInfer<Q>>> | PolicyFor<NoInfer<AskError<Q> | CE>>
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
  checkFunctions("Resource.requestEach", name, options, ["items", "request"], ["key", "itemKey"])
  return declare(name, {
    _tag: "List",
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
      ...undoLayers("Resource.requestEach", name, undo, alsoUndo),
      ...(options.each === undefined ? [] : layersOf(options.each))
    ]
  })
}
