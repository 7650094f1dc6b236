import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import { finiteDurationOf } from "../base/DurationInput.ts"
import { type AnyResolver, changed } from "./AnyResolver.ts"
import { holding } from "./Hold.ts"

/**
 * How long a batch may be held.
 *
 * - `maxHold`: the most that holding adds to how long a request waits: a finite duration. When it has passed, what was
 *   collected is sent.
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
 * Makes a resolver that holds its batches for requests which its runs are still to make.
 *
 * A loader's plan says which resources will ask the resolver. A batch waits for those of them that can come before its
 * own answers are needed, however deep in the graph they are, also inside nested loaders; it does not wait for what
 * needs one of its answers first. It is sent as soon as nothing more can come, and after `maxHold` at the latest.
 *
 * Build it once, beside the resolver that it is made from, and name it wherever that one would be named: what shares
 * a resolver shares its batches.
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
