/** Resources that are requests to a resolver. */
import type * as Request from "effect/Request"
import type * as RequestResolver from "effect/RequestResolver"
import { attempted } from "../attempt/Layering.ts"
import { check } from "../attempt/Check.ts"
import type { AnyRequest, AnyResolver } from "../batching/AnyResolver.ts"
import type { UnansweredRequest } from "../batching/UnansweredRequest.ts"
import { type Kind, withDefaults } from "../model/Kind.ts"
import type { AroundRequests, AskMeans, Dependencies, KeyOf, Source } from "../model/Node.ts"
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
import type { RunView, Step } from "../model/Step.ts"
import { checkFunctions } from "../model/UserEffect.ts"
import type { Run } from "../run/Run.ts"
import { asked, bareAsks } from "./Calls.ts"
import { foreseeing } from "./Foreseeing.ts"
import type { ProtectedResolver } from "./Protected.ts"
import { askMeans } from "./ProtectedCalls.ts"
import { differingProtections } from "./Protections.ts"
import { askBarely, asRequest } from "./Requests.ts"

/** The source of a request. */
export interface RequestSource extends Source, AroundRequests {
  readonly request: (deps: Dependencies) => unknown
  readonly resolver: AnyResolver
  readonly means: AskMeans
}

const requestKind: Kind = {
  name: "request",
  check,
  checkAll: differingProtections,
  toStep: ({ layers, source }, common, { defaults }) => {
    const { key, means, request, resolver, ...asking } = source as RequestSource
    const wrapped = asked(resolver, means, asking)(withDefaults(layers, defaults), common.name)
    const step = attempted(common, wrapped, { load: request, key }, [foreseeing])
    const asks = bareAsks(wrapped)
    if (asks === undefined || asks.calls.length > 0) return step
    const begin: Step["begin"] = (run: RunView, index, deps) =>
      run.sink === undefined
        ? askBarely(run as Run, index, asks, () => asRequest(common, request(deps)))
        : step.begin!(run, index, deps)
    return { ...step, begin }
  }
}

/** The errors of a request. */
export type AskError<Q extends AnyRequest> = Request.Error<Q> | UnansweredRequest

/**
 * Declares a resource that is one request to a resolver, which answers many requests in one call.
 *
 * - `deps`, `after`, `key`: as in `make`.
 * - `request`: makes the request from the values of the dependencies.
 * - `resolver`: one of Effect's request resolvers, or a protected one, made once: its resources share its calls.
 * - `undo`, `alsoUndo`: `Saga.compensate` and `Saga.cleanup`, as in `make`.
 *
 * All requests made while a batch is collected go into one call, from all resources, lists and runs. Equal requests of callers
 * with the same services are sent once. A waiting request holds no slot, so that a loader's `concurrency` does not cut batches
 * short. A `Policy.limit`, a `circuitBreaker` and a `rateLimit` count calls: they stand around the shared call, and a refusal
 * goes to all its requests. Resources that share a resolver must have the same ones; `Batching.protect` declares them once.
 * All other policies stand around the wait for the answer: a `timeout` leaves the batch, and a call without waiters is
 * interrupted.
 *
 * Its own errors are those of the request, those of the resolver's protection, and `UnansweredRequest` if the resolver does not
 * answer it.
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
  const D extends ByKey & Deps = {},
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
      kind: requestKind,
      deps: lazily<Dependencies>(options.deps, {}),
      after: lazily<ReadonlyArray<unknown>>(options.after, []),
      key: options.key as KeyOf | undefined,
      request: options.request as (deps: Dependencies) => unknown,
      resolver: options.resolver as AnyResolver,
      means: askMeans
    } as RequestSource,
    undoLayers("Resource.fromRequest", name, undo, alsoUndo)
  )
}
