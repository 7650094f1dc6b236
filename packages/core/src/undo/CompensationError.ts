/** What could not be undone. */
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
 * A resource was to be undone, and its compensation failed: what it did is still there.
 *
 * It is never among the errors of a load. It stands beside the cause that the load fails with (see {@link RollbackError}),
 * and is what a loader's `onCompensationFailure` gets.
 *
 * - `resource`: whose compensation, or cleanup, failed.
 * - `path`: from the resource of the loader that failed to `resource`, through the loaders inside; otherwise only that.
 * - `value`: what was to be undone, as the compensation got it; `undefined` for a cleanup.
 * - `item`: of a list, the item.
 * - `error`: what the compensation failed or died with; `failure` is its whole cause.
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

  /** Plain data for logs: the error once, circles cut, and without the value. It never throws. */
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

/** A message is for people: of many failures it has the first. `failures` has them all. */
const mostTold = 50

const summary = (loader: string, failures: ReadonlyArray<CompensationError>): string => {
  const told = failures.slice(0, mostTold).map(({ message }) => message)
  if (told.length < failures.length) told.push(`and ${failures.length - told.length} more`)
  return `loader "${loader}": ${failures.length} of what was to be undone is still there: ${told.join("; ")}`
}

/**
 * All that could not be undone when a load ended.
 *
 * - `loader`: the loader's name; `inputs`: what it was run with.
 * - `failures`: one for each compensation that failed, in the order of time. All others have been run.
 * - `because`: what the load itself failed with; empty where it succeeded in the end.
 *
 * A load that fails carries it beside what it failed with, as an annotation: `RollbackError.of(cause)`.
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
   * What could not be undone when a load failed with this cause; `undefined` if everything was.
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

/** Beside each part of a cause: what could not be undone after it. */
class RollbackAnnotation extends Context.Service<RollbackAnnotation, RollbackError>()("effect-loader/NotUndone") {}

/** The same cause, with what could not be undone beside it. */
export const beside = (cause: Cause.Cause<unknown>, error: RollbackError): Cause.Cause<unknown> =>
  Cause.annotate(cause, Context.make(RollbackAnnotation, error))
