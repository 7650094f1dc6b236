/**
 * Inputs that a run cannot do without.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * A run was started without all of its inputs. The types rule it out, so it is a defect: only code that went around
 * them sees it. Nothing has run.
 *
 * - `loader`: the loader's name.
 * - `missing`: the names of the inputs that were not given.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const page = Loader.make({ orgId: Resource.input<string>()("orgId") }, { name: "page" })
 *
 * const untyped = JSON.parse("{}")
 * const message = Effect.catchDefect(Loader.load(page, untyped), (defect) => Effect.succeed(String(defect)))
 * console.log(Effect.runSync(message)) // InputError: loader "page" was run without its input "orgId"; nothing was loaded
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class InputError extends Data.TaggedError("InputError")<{
  readonly message: string
  readonly loader: string
  readonly missing: ReadonlyArray<string>
}> {
  constructor(props: { readonly loader: string; readonly missing: ReadonlyArray<string> }) {
    const names = props.missing.map((name) => `"${name}"`).join(", ")
    super({ ...props, message: `loader "${props.loader}" was run without its input ${names}; nothing was loaded` })
  }
}
