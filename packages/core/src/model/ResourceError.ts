/**
 * The failure of one resource.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import { durationText } from "../base/DurationText.ts"
import { describe, toPlain } from "../base/ErrorText.ts"
import { isTagged } from "../base/Tagged.ts"
import { NotNow, notNow } from "../base/NotNow.ts"

const sentence = (props: {
  readonly resource: string
  readonly error: unknown
  readonly attempts: number
  readonly path: ReadonlyArray<string>
  readonly elapsed: Duration.Duration
  readonly item?: FailedItem
}): string => {
  const tries = props.attempts === 1 ? "" : `${props.attempts} attempts, `
  const elapsed = durationText(props.elapsed)
  const needed = props.path.length > 1 ? `, needed by ${props.path.slice(0, -1).reverse().join(", needed by ")}` : ""
  const where = props.item === undefined ? "" : ` at item ${props.item.index}`
  return `resource "${props.resource}" failed${where} (${tries}${elapsed}${needed}): ${describe(props.error)}`
}

/**
 * An item of a list: its index, from 0, and its value.
 *
 * @since 0.1.0
 * @category models
 */
export interface FailedItem {
  readonly index: number
  readonly value: unknown
}

/**
 * The typed failure of a resource: which one failed, why, and after how many attempts.
 *
 * A load's error type has one member per resource that can fail, so `resource` narrows `error`:
 * `e.resource === "org"` makes `e.error` the error of `org`.
 *
 * - `resource`: the name of the resource that failed.
 * - `error`: the error of its load or of one of its policies (`TimeoutError`).
 * - `attempts`: the number of attempts of the resource or its item: 1 without a retry, 0 if a policy refused them all.
 * - `path`: the shortest path from a target that needs it to the resource, both names included.
 * - `elapsed`: from the start of its first attempt to its failure, including the pauses of a retry.
 * - `item`: of a list, the item that failed.
 *
 * `message` is one sentence with all of this, `cause` is `error`, and `toJSON` returns plain data (`elapsed` in milliseconds).
 *
 * @example
 * ```ts
 * import { Data, Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}
 *
 * const org = Resource.make("org", { load: () => Effect.fail(new NotFound({ id: "acme" })) })
 *
 * const answer = Loader.load(Loader.make({ org })).pipe(
 *   Effect.catchTag("ResourceError", (e) => Effect.succeed(`${e.resource}: no ${e.error.id}`))
 * )
 * console.log(Effect.runSync(answer)) // org: no acme
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class ResourceError<out Name extends string, out E> extends Data.TaggedError("ResourceError")<{
  readonly message: string
  readonly resource: string
  readonly error: unknown
  readonly cause: unknown
  readonly attempts: number
  readonly path: ReadonlyArray<string>
  readonly elapsed: Duration.Duration
  readonly item?: FailedItem
}> {
  declare readonly resource: Name
  declare readonly error: E

  constructor(props: {
    readonly resource: Name
    readonly error: E
    readonly attempts: number
    readonly path: ReadonlyArray<string>
    readonly elapsed: Duration.Duration
    readonly item?: FailedItem
  }) {
    super({ ...props, cause: props.error, message: sentence(props) })
    // The stack of this error leads into the library; the useful stack is that of `cause`.
    Object.defineProperty(this, "stack", { value: `${this.name}: ${this.message}`, configurable: true, writable: true })
  }

  /** @internal */
  get [NotNow](): NotNow | undefined {
    return notNow(this.error)
  }

  /** Plain data for logs: the error once, without circular references. It never throws. */
  override toJSON(): unknown {
    const { _tag, attempts, elapsed, error, item, message, path, resource } = this
    return toPlain({ _tag, message, resource, attempts, path, elapsed: Duration.toMillis(elapsed), item, error })
  }
}

/** Whether an error is a `ResourceError`, also of another copy of the library. */
export const isResourceError = (error: unknown): error is ResourceError<string, unknown> =>
  isTagged(error, "ResourceError", "resource")
