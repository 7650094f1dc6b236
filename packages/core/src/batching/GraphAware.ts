import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import { finiteDurationOf } from "../base/DurationInput.ts"
import { type AnyResolver, changed } from "./AnyResolver.ts"
import { holding } from "./Hold.ts"

/**
 * The bound of a hold.
 *
 * - `maxHold`: the longest time that holding adds to the wait of a request: a finite duration. When it expires, the batch is
 *   sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface GraphAwareOptions {
  readonly maxHold: Duration.Input
}

const checked = (maxHold: Duration.Input): Duration.Duration =>
  finiteDurationOf("Batching.graphAware: `maxHold`", maxHold)

/**
 * Makes a resolver that holds its batches for further requests of its runs.
 *
 * The plan of a loader says which resources make requests to the resolver. A batch waits for each request that can come without
 * an answer of this batch, at any depth of the graph and inside nested loaders. It is sent as soon as no such request can
 * come, and after `maxHold` at the latest.
 *
 * Call it once, after all other combinators of the resolver, and use its result in place of the resolver: resources share batches
 * if they name the same resolver.
 *
 * @example
 * ```ts
 * import { Effect, Exit, Request, RequestResolver } from "effect"
 * import { Batching, Loader, Resource } from "effect-loader"
 *
 * class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string> {}
 * let calls = 0
 * const Users = RequestResolver.make<GetUser>((entries) => {
 *   calls++
 *   for (const entry of entries) entry.completeUnsafe(Exit.succeed(`user ${entry.request.id}`))
 *   return Effect.void
 * }).pipe(Batching.graphAware({ maxHold: "50 millis" }))
 *
 * const viewer = Resource.fromRequest("viewer", { request: () => new GetUser({ id: 1 }), resolver: Users })
 * const project = Resource.make("project", { load: () => Effect.as(Effect.sleep("5 millis"), { ownerId: 2 }) })
 * const owner = Resource.fromRequest("owner", {
 *   deps: { project },
 *   request: ({ project }) => new GetUser({ id: project.ownerId }),
 *   resolver: Users
 * })
 *
 * Effect.runPromise(Loader.load(Loader.make({ viewer, owner }))).then(({ owner }) => console.log(owner, calls))
 * // user 2 1
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const graphAware: {
  (options: GraphAwareOptions): <R extends AnyResolver>(self: R) => R
  <R extends AnyResolver>(self: R, options: GraphAwareOptions): R
} = /* @__PURE__ */ dual(2, (self: AnyResolver, { maxHold }: GraphAwareOptions): AnyResolver =>
  changed(self, { delay: holding(self, checked(maxHold)) })
)
