/** Resolvers with policies around each of their calls. */
import type * as RequestResolver from "effect/RequestResolver"
import * as Cause from "effect/Cause"
import { dual } from "effect/Function"
import { valueText } from "../base/ValueText.ts"
import { type AnyRequest, type AnyResolver, changed } from "../batching/AnyResolver.ts"
import type { Layer } from "../model/Node.ts"
import { layersOf, type Policy } from "../model/Policy.ts"

const TypeId = "~effect-loader/ProtectedResolver"

/**
 * A resolver with a policy around each of its calls, for `Resource.fromRequest` and `Resource.forEachRequest`: see `protect`.
 *
 * `PE`: the errors that the policy adds to those of a request, `PR`: the services that it needs. `Effect.request` does not accept
 * one, since its types have neither.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProtectedResolver<in Q extends AnyRequest, out PE = never, out PR = never> {
  readonly [TypeId]: { readonly _Q: (request: Q) => void; readonly _E: () => PE; readonly _R: () => PR }
}

const layersKey = "~effect-loader/protectedBy"

/** The policies around each call of a resolver, innermost first. */
export const protectedBy = (resolver: AnyResolver): ReadonlyArray<Layer> =>
  (resolver as { readonly [layersKey]?: ReadonlyArray<Layer> })[layersKey] ?? []

/** Kinds of policies that need a resource or a run. */
const kindsOfResources = ["hedge", "abort"]

/** Whether a layer works only around a resource: a call has no value of its own, and no run. */
const needsResource = ({ kind, mayKnow, recovers, refused, rewind, undo }: Layer): boolean =>
  mayKnow === true ||
  recovers === true ||
  refused !== undefined ||
  (rewind ?? undo) !== undefined ||
  kindsOfResources.includes(kind)

/**
 * Puts a policy around each call of a resolver, so that breakers, rate limits and budgets count calls, not requests.
 *
 * `policy`: circuit breakers, rate limits, limits, timeouts, retries, `Policy.around`, or several of them composed, the last
 * outermost. Policies that need a resource (caches, hedges, compensations, rewinds, `abortIf`) throw.
 *
 * A call that is refused, or takes too long, fails all its requests with the policy's error. A breaker sees one result per
 * call: a failure if the resolver fails, or answers all requests with failures. The same holds for a `circuitBreaker` piped
 * onto a resource of a request; `protect` covers all such resources, and a `timeout` before it limits the call itself. Call
 * it once, after all combinators of the resolver, and use its result in place of the resolver.
 *
 * @example
 * ```ts
 * import { Effect, Request, RequestResolver } from "effect"
 * import { Batching, Loader, Policy, Resource } from "effect-loader"
 * import { CircuitBreaker, circuitBreaker } from "effect-loader/resilience"
 *
 * class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string, "down"> {}
 * class Accounts extends CircuitBreaker.Service<Accounts>()("app/Accounts") {}
 *
 * const Users = RequestResolver.make<GetUser>(() => Effect.fail("down")).pipe(
 *   Batching.protect(Policy.compose(Policy.timeout("1 second"), circuitBreaker(Accounts)))
 * )
 * const users = Resource.forEachRequest("users", {
 *   items: () => [1, 2, 3],
 *   request: (id) => new GetUser({ id }),
 *   resolver: Users
 * })
 * const load = Effect.exit(Loader.load(Loader.make({ users })))
 * const layer = Accounts.layer({ opens: { failures: 2 }, openDuration: "30 seconds" })
 *
 * const program = Effect.andThen(load, Accounts.state).pipe(Effect.provide(layer))
 * Effect.runPromise(program).then(({ _tag }) => console.log(_tag)) // Closed
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const protect: {
  <PE, PR>(
    policy: Policy<PE, PR>
  ): <Q extends AnyRequest>(self: RequestResolver.RequestResolver<Q>) => ProtectedResolver<Q, PE, PR>
  <Q extends AnyRequest, PE, PR>(
    self: RequestResolver.RequestResolver<Q>,
    policy: Policy<PE, PR>
  ): ProtectedResolver<Q, PE, PR>
} = /* @__PURE__ */ dual(2, (self: AnyResolver, policy: Policy<unknown, unknown>): unknown => {
  if (!Array.isArray(policy?.parts)) {
    throw new Cause.IllegalArgumentError(`Batching.protect: expected a policy, got ${valueText(policy)}`)
  }
  const layers = layersOf(policy)
  const wrong = layers.find(needsResource)
  if (wrong !== undefined) {
    throw new Cause.IllegalArgumentError(
      `Batching.protect: \`${wrong.label}\` cannot be around a resolver's call: pipe it onto the resources that ask it`
    )
  }
  return changed(self, { [layersKey]: [...protectedBy(self), ...layers] } as Partial<AnyResolver>)
})
