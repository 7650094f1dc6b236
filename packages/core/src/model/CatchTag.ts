/** A view that recovers from errors with a tag. */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import { Failed } from "./Absent.ts"
import type { Lens } from "./Node.ts"
import { recoverable, recovering } from "./Recovery.ts"
import type { ResourceError } from "./ResourceError.ts"
import { type Any, type Own, type OwnError, type Resource, through, type WithoutOwn } from "./Resource.ts"

/** The tags of errors. */
export type Tags<E> = E extends { readonly _tag: infer Tag extends string } ? Tag : never

/** The errors with one of these tags. */
export type Tagged<E, Tag> = Extract<E, { readonly _tag: Tag }>

/** The tags that `catchTag` gets: one, or several. */
export type OneOrMore<Tag> = Tag | readonly [Tag, ...ReadonlyArray<Tag>]

/** What of a resource's errors is left, with `E2` added. */
export type AfterTags<N extends string, E, Tag, E2> =
  | WithoutOwn<N, E>
  | Own<N, Exclude<OwnError<N, E>, { readonly _tag: Tag }> | E2>

const catching = (tags: ReadonlyArray<string>, f: (error: unknown) => unknown): Lens => {
  const isCaught = (error: unknown): boolean =>
    typeof error === "object" && error !== null && "_tag" in error && tags.includes(error._tag as string)
  const lens = recovering("catchTag", {
    recovers: "errors",
    ancestors: false,
    onSuccess: undefined,
    onFailure: (error) => (isCaught(error) ? f(error) : Exit.fail(error))
  })
  return {
    ...lens,
    settle: (run, index, step, parent) => {
      if (run.valueOf(parent) !== Failed) return lens.settle(run, index, step, parent)
      const cause = run.causeOf(parent)!
      const error = recoverable(cause)?.error as ResourceError<string, unknown> | undefined
      // Any other failure stays as it is, with its attempts and its item.
      if (error === undefined || !isCaught(error.error)) return run.conclude(index, cause)
      lens.settle(run, index, step, parent)
    }
  }
}

/**
 * Recovers from those of a resource's own typed errors that have one of the tags. All others stay.
 *
 * - `tag`: the `_tag` of the errors, or several in a list. TypeScript knows them.
 * - `f`: as the function of `catch`; it gets the error.
 *
 * @example
 * ```ts
 * import { Data, Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * class NotFound extends Data.TaggedError("NotFound")<{ readonly id: number }> {}
 * class Down extends Data.TaggedError("Down")<{}> {}
 *
 * const find = (id: number): Effect.Effect<string, NotFound | Down> => Effect.fail(new NotFound({ id }))
 * const user = Resource.make("user", { load: () => find(7) }).pipe(
 *   Resource.catchTag("NotFound", ({ id }) => Effect.succeed(`no user ${id}`))
 * )
 * console.log(Effect.runSync(Loader.load(Loader.make({ user }))).user) // no user 7
 * ```
 *
 * @since 0.1.0
 * @category error handling
 */
export const catchTag: {
  <N extends string, E, const Tag extends Tags<OwnError<N, E>>, A2, E2 = never, R2 = never>(
    tag: OneOrMore<Tag>,
    f: (error: Tagged<OwnError<N, E>, Tag>) => Effect.Effect<A2, E2, R2>
  ): <A, R, In, U>(
    self: Resource<N, A, E, R, In, U>
  ) => Resource<N, A | A2, AfterTags<N, E, Tag, E2>, R | R2, In, U | R2>
  <N extends string, A, E, R, In, U, const Tag extends Tags<OwnError<N, E>>, A2, E2 = never, R2 = never>(
    self: Resource<N, A, E, R, In, U>,
    tag: OneOrMore<Tag>,
    f: (error: Tagged<OwnError<N, E>, Tag>) => Effect.Effect<A2, E2, R2>
  ): Resource<N, A | A2, AfterTags<N, E, Tag, E2>, R | R2, In, U | R2>
} = /* @__PURE__ */ dual(3, (self: Any, tag: string | ReadonlyArray<string>, f: (error: unknown) => unknown): never =>
  through(self, f, catching(typeof tag === "string" ? [tag] : tag, f))
)
