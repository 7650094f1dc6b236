/**
 * Queries on the exit of a load: which resource failed, with which error, at which depth.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { isTagged } from "../base/Tagged.ts"
import { isResourceError } from "../model/ResourceError.ts"
import type { LoadTimeout } from "../run/LoadTimeout.ts"
import { FailedResource } from "../run/Failure.ts"

export interface NamedFailure<N, X> {
  readonly _tag: "ResourceError"
  readonly resource: N
  readonly error: X
}

/** The path from an outer resource to the one that failed inside it. */
export type Way<E> = E extends NamedFailure<infer N, infer X> ? readonly [N] | readonly [N, ...Way<X>] : never

/**
 * The failure to look for: the name of a resource, or the names on the path to it in nested loads.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Where<E> = unknown extends E
  ? string | ReadonlyArray<string>
  : E extends NamedFailure<infer N, infer _X>
    ? N | Way<E>
    : never

/**
 * The errors of the resource at this path.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ErrorAt<E, W> = unknown extends E
  ? unknown
  : W extends readonly [infer N, ...infer Rest]
    ? Rest extends readonly []
      ? ErrorAt<E, N>
      : ErrorAt<ErrorAt<E, N>, Rest>
    : E extends NamedFailure<infer N, infer X>
      ? W extends N
        ? X
        : never
      : never

const inside = (error: unknown, [name, ...rest]: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  if (!isResourceError(error) || error.resource !== name) return []
  return rest.length === 0 ? [error.error] : inside(error.error, rest)
}

const reasonsOf = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<Cause.Reason<unknown>> =>
  Exit.isFailure(exit) ? exit.cause.reasons : []

/**
 * The errors of one resource, out of all errors of the load.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fake, LoadExit } from "effect-loader/testing"
 *
 * const inner = Loader.make({ org: Fake.fail("org", "down") })
 * const page = Loader.make({ page: Resource.make("page", { load: () => Loader.load(inner) }) })
 *
 * const exit = Effect.runSyncExit(Loader.load(page))
 * console.log(LoadExit.errorsAt(exit, ["page", "org"])) // [ "down" ]
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const errorsAt = <A, E, const W extends Where<E>>(
  exit: Exit.Exit<A, E>,
  where: W
): ReadonlyArray<ErrorAt<E, W>> => {
  const way = typeof where === "string" ? [where] : (where as ReadonlyArray<string>)
  const found = reasonsOf(exit).flatMap((reason) => (Cause.isFailReason(reason) ? inside(reason.error, way) : []))
  return found as ReadonlyArray<ErrorAt<E, W>>
}

/**
 * The defect of a resource. In nested loads, the innermost resource has it.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, LoadExit } from "effect-loader/testing"
 *
 * const exit = Effect.runSyncExit(Loader.load(Loader.make({ org: Fake.die("org", "a bug") })))
 * console.log(LoadExit.defectsAt(exit, "org")) // [ "a bug" ]
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const defectsAt = (exit: Exit.Exit<unknown, unknown>, resource: string): ReadonlyArray<unknown> =>
  reasonsOf(exit).flatMap((reason) =>
    Cause.isDieReason(reason) && reason.annotations.get(FailedResource.key) === resource ? [reason.defect] : []
  )

/**
 * The `LoadTimeout` of the loader, if the load exceeded its time limit.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, LoadExit, VirtualTime } from "effect-loader/testing"
 *
 * const page = Loader.make({ slow: Fake.hang("slow") }, { timeout: "2 seconds" })
 * Effect.runPromise(VirtualTime.run(Effect.exit(Loader.load(page)))).then((exit) => {
 *   console.log(LoadExit.timeout(exit)?.inFlight) // [ "slow" ]
 * })
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const timeout = (exit: Exit.Exit<unknown, unknown>): LoadTimeout | undefined => {
  for (const reason of reasonsOf(exit)) {
    if (Cause.isFailReason(reason) && isTagged(reason.error, "LoadTimeout", "inFlight")) {
      return reason.error as LoadTimeout
    }
  }
  return undefined
}
