/** A view with another error. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import { withDefect } from "../base/UserValue.ts"
import { Failed } from "./Absent.ts"
import type { Lens } from "./Node.ts"
import { recoverable, unnamed } from "./Recovery.ts"
import { type Any, type Own, type OwnError, type Resource, through, type WithoutOwn } from "./Resource.ts"
import { ResourceError } from "./ResourceError.ts"

/** The same failure with another error. */
const renamed = (
  { attempts, elapsed, item, path, resource }: ResourceError<string, unknown>,
  error: unknown
): ResourceError<string, unknown> =>
  new ResourceError({ resource, error, attempts, path, elapsed, ...(item === undefined ? {} : { item }) })

const mapping = (f: (error: unknown) => unknown): Lens => ({
  label: "mapError",
  recovers: "errors",
  keepsFailing: true,
  ancestors: false,
  onSuccess: undefined,
  onFailure: (error) => Exit.fail(f(error)),
  settle: (run, index, _step, parent) => {
    const value = run.valueOf(parent)
    if (value !== Failed) return run.succeed(index, value)
    const cause = run.causeOf(parent)! as Cause.Cause<ResourceError<string, unknown>>
    if (recoverable(cause) === undefined) return run.conclude(index, cause)
    let mapped: Cause.Cause<unknown>
    try {
      mapped = Cause.map(cause, (named) => renamed(named, f(named.error)))
    } catch (defect) {
      return run.fail(index, withDefect(unnamed(cause), defect))
    }
    run.conclude(index, mapped)
  }
})

/**
 * Replaces a resource's own typed error by another one, those of the policies piped before included.
 *
 * It never sees an ancestor's error, a defect or an interruption, nor an error that ended the run by `Saga.abortIf`. The
 * `ResourceError` keeps its attempts, path and item.
 *
 * @example
 * ```ts
 * import { Data, Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * class NoUser extends Data.TaggedError("NoUser")<{ readonly reason: string }> {}
 *
 * const user = Resource.make("user", { load: () => Effect.fail("404") }).pipe(
 *   Resource.mapError((reason) => new NoUser({ reason }))
 * )
 * console.log(Effect.runSync(Effect.flip(Loader.load(Loader.make({ user })))).error.reason) // 404
 * ```
 *
 * @since 0.1.0
 * @category error handling
 */
export const mapError: {
  <N extends string, E, E2>(
    f: (error: OwnError<N, E>) => E2
  ): <A, R, In, U>(self: Resource<N, A, E, R, In, U>) => Resource<N, A, MappedError<N, E, E2>, R, In, U>
  <N extends string, A, E, R, In, U, E2>(
    self: Resource<N, A, E, R, In, U>,
    f: (error: OwnError<N, E>) => E2
  ): Resource<N, A, MappedError<N, E, E2>, R, In, U>
} = /* @__PURE__ */ dual(2, (self: Any, f: (error: unknown) => unknown): never => through(self, f, mapping(f)))

/** A resource's errors with another one of its own: nothing to map, where it has none. */
export type MappedError<N extends string, E, E2> = [OwnError<N, E>] extends [never] ? E : WithoutOwn<N, E> | Own<N, E2>
