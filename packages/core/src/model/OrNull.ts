/** A view with `null` in the place of a failure. */
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import { recovering } from "./Recovery.ts"
import { type Ancestors, type Any, isResource, type Resource, through, type WithoutOwn } from "./Resource.ts"

const toNull = () => Exit.succeed(null)

/**
 * Makes a resource optional, for pages that are sent as JSON: its value, or `null` if it failed with its own typed error.
 *
 * It recovers from the same errors as `option`, with `{ ancestors: true }` also from typed failures of ancestors. The outcome is
 * then `Degraded`. `JSON.stringify` writes an `Option` as an object with `_id` and `_tag`, and `null` as `null`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const account = Resource.make("account", { load: () => Effect.fail("down") })
 * const invoices = Resource.make("invoices", { deps: { account }, load: () => Effect.succeed(["2026-10"]) })
 *
 * const page = Loader.make({ invoices: invoices.pipe(Resource.orNull({ ancestors: true })) })
 * console.log(JSON.stringify(Effect.runSync(Loader.load(page)))) // {"invoices":null}
 * ```
 *
 * @since 0.1.0
 * @category error handling
 */
export const orNull: <Self extends Any | Ancestors, Options extends Ancestors | undefined = undefined>(
  selfOrOptions: Self,
  options?: Options
) => [Self] extends [Resource<infer N, infer A, infer E, infer R, infer In, infer U>]
  ? Resource<N, A | null, [Options] extends [Ancestors] ? never : WithoutOwn<N, E>, R, In, U>
  : <N extends string, A, E, R, In, U>(self: Resource<N, A, E, R, In, U>) => Resource<N, A | null, never, R, In, U> =
  /* @__PURE__ */ dual(
    (args) => isResource(args[0]),
    (self: Any, options?: Ancestors): never => {
      const ancestors = options?.ancestors === true
      const label = ancestors ? "orNull(ancestors)" : "orNull"
      return through(
        self,
        toNull,
        recovering(label, { recovers: "errors", ancestors, onSuccess: undefined, onFailure: toNull })
      )
    }
  )
