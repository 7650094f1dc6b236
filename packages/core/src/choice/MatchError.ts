/** The error of a choice without a matching case. */
import * as Data from "effect/Data"
import { describe } from "../base/ErrorText.ts"

/**
 * A `match` has no case for a value and no `orElse`.
 *
 * - `value`: the value of the deciding resource; `cases`: the values with cases.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const plan = Resource.succeed("plan", "trial" as string)
 * const footer = Resource.match("footer", { on: plan, cases: { free: Resource.succeed("ad", "9 builds left") } })
 *
 * const error = Effect.runSync(Effect.flip(Loader.load(Loader.make({ footer }))))
 * console.log(error.error.message) // there is no case for "trial": the cases are "free"
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class MatchError extends Data.TaggedError("MatchError")<{
  readonly message: string
  readonly value: unknown
  readonly cases: ReadonlyArray<string>
}> {
  constructor(props: { readonly value: unknown; readonly cases: ReadonlyArray<string> }) {
    const cases = props.cases.map((value) => JSON.stringify(value)).join(", ")
    super({
      ...props,
      message: `there is no case for ${JSON.stringify(describe(props.value))}: the cases are ${cases}`
    })
  }
}
