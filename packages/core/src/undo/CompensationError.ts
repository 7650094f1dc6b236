/** The errors of failed compensations and cleanups. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import { describe, describeCause, toPlain } from "../base/ErrorText.ts"
import type { FailedItem } from "../model/ResourceError.ts"

const sentence = (
  path: ReadonlyArray<string>,
  item: FailedItem | undefined,
  cleanup: boolean,
  error: unknown
): string => {
  const resource = path.map((name) => `"${name}"`).join(" > ")
  const where = item === undefined ? "" : ` at item ${item.index}`
  const what = cleanup ? "was not cleaned up after" : "was not undone"
  return `resource ${resource}${where} ${what}: ${describe(error)}`
}

/**
 * A compensation or cleanup failed, so the side effect of the resource remains.
 *
 * It is never among the errors of a load. The cause of the load carries it as an annotation (see {@link RollbackError}), and a
 * loader's `onCompensationFailure` gets it.
 *
 * - `resource`: the resource whose compensation or cleanup failed.
 * - `path`: the names from a resource of the failed loader through nested loaders to `resource`.
 * - `value`: the value that the compensation got; `undefined` for a cleanup.
 * - `item`: the item, if the resource is a list.
 * - `error`: the error or defect of the compensation; `failure` is its whole cause.
 * - `cleanup`: whether it was a `Saga.cleanup`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource, Saga } from "effect-loader"
 *
 * const seat = Resource.make("seat", { load: () => Effect.succeed("12A") }).pipe(
 *   Saga.compensate(() => Effect.fail("offline"))
 * )
 * const ticket = Resource.make("ticket", { deps: { seat }, load: () => Effect.fail("card refused") })
 * const order = Loader.make(
 *   { ticket },
 *   {
 *     onCompensationFailure: ({ failures }) =>
 *       Effect.sync(() => failures.forEach(({ error, resource, value }) => console.log(resource, value, error)))
 *   }
 * )
 * Effect.runSync(Effect.exit(Loader.load(order))) // seat 12A offline
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class CompensationError extends Data.TaggedError("CompensationError")<{
  readonly message: string
  readonly resource: string
  readonly path: ReadonlyArray<string>
  readonly value: unknown
  readonly item?: FailedItem
  readonly error: unknown
  readonly cause: unknown
  readonly failure: Cause.Cause<unknown>
  readonly cleanup: boolean
}> {
  constructor(props: {
    readonly path: ReadonlyArray<string>
    readonly value: unknown
    readonly item?: FailedItem
    readonly failure: Cause.Cause<unknown>
    readonly cleanup: boolean
  }) {
    const error = Cause.squash(props.failure)
    const message = sentence(props.path, props.item, props.cleanup, error)
    super({ ...props, resource: props.path.at(-1)!, error, cause: error, message })
  }

  /** Plain data for logs: the error once, without circular references and without the value. It never throws. */
  override toJSON(): unknown {
    const { _tag, cleanup, error, item, message, path, resource } = this
    return toPlain({
      _tag,
      message,
      resource,
      path,
      ...(item === undefined ? {} : { item: item.index }),
      cleanup,
      error
    })
  }
}

/** The message has the first failures; `failures` has all. */
const mostTold = 50

const summary = (loader: string, failures: ReadonlyArray<CompensationError>): string => {
  const told = failures.slice(0, mostTold).map(({ message }) => message)
  if (told.length < failures.length) told.push(`and ${failures.length - told.length} more`)
  return `loader "${loader}": ${failures.length} of what was to be undone is still there: ${told.join("; ")}`
}

/**
 * All compensations and cleanups of a load that failed.
 *
 * - `loader`: the loader's name; `inputs`: the inputs of the run.
 * - `failures`: one error for each failed compensation, in the order of time. All others ran.
 * - `because`: the cause of the load; empty if the load succeeded.
 *
 * The cause of a failed load carries it as an annotation: `RollbackError.of(cause)`.
 *
 * @since 0.1.0
 * @category errors
 */
export class RollbackError extends Data.TaggedError("RollbackError")<{
  readonly message: string
  readonly loader: string
  readonly inputs: unknown
  readonly failures: ReadonlyArray<CompensationError>
  readonly because: Cause.Cause<unknown>
}> {
  constructor(props: {
    readonly loader: string
    readonly inputs: unknown
    readonly failures: ReadonlyArray<CompensationError>
    readonly because: Cause.Cause<unknown>
  }) {
    super({ ...props, message: summary(props.loader, props.failures) })
  }

  /** Plain data for logs, without the inputs. It never throws. */
  override toJSON(): unknown {
    const { _tag, because, failures, loader, message } = this
    return toPlain({ _tag, message, loader, failures, because: describeCause(because) })
  }

  /**
   * The failed compensations of a load that failed with this cause; `undefined` if all succeeded.
   *
   * @example
   * ```ts
   * import { Effect } from "effect"
   * import { Loader, Resource, Saga } from "effect-loader"
   *
   * const seat = Resource.make("seat", { load: () => Effect.succeed("12A") }).pipe(
   *   Saga.compensate(() => Effect.fail("offline"))
   * )
   * const ticket = Resource.make("ticket", { deps: { seat }, load: () => Effect.fail("card refused") })
   *
   * const cause = Effect.runSync(Effect.flip(Effect.sandbox(Loader.load(Loader.make({ ticket })))))
   * console.log(Saga.RollbackError.of(cause)?.failures[0]?.message) // resource "seat" was not undone: offline
   * ```
   *
   * @since 0.1.0
   */
  static of(cause: Cause.Cause<unknown>): RollbackError | undefined {
    for (const { annotations } of cause.reasons) {
      const found = annotations.get(RollbackAnnotation.key)
      if (found !== undefined) return found as RollbackError
    }
    return undefined
  }
}

/** The annotation on the reasons of a cause. */
class RollbackAnnotation extends Context.Service<RollbackAnnotation, RollbackError>()("effect-loader/NotUndone") {}

/** The same cause, annotated with the failed compensations. */
export const beside = (cause: Cause.Cause<unknown>, error: RollbackError): Cause.Cause<unknown> =>
  Cause.annotate(cause, Context.make(RollbackAnnotation, error))
