/**
 * The limit of a whole run.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import { NotNow } from "../base/NotNow.ts"

/**
 * A run took longer than its loader's `timeout`. What was running has been interrupted and its finalizers are done.
 *
 * - `loader`: the loader's name; `limit`: how long it may take.
 * - `done`: the resources that had been loaded; `inFlight`: those that were being loaded, or waited for another
 *   attempt; `notStarted`: those whose turn had not come, or never would have.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, VirtualTime } from "effect-loader/testing"
 *
 * const slow = Fake.hang("slow")
 * const page = Loader.make({ slow }, { name: "page", timeout: "2 seconds" })
 *
 * const program = Loader.load(page).pipe(
 *   Effect.as("loaded"),
 *   Effect.catchTag("LoadTimeout", ({ inFlight, loader }) => Effect.succeed(`${loader} waited for ${inFlight.join()}`))
 * )
 * Effect.runPromise(VirtualTime.run(program)).then((text) => console.log(text)) // page waited for slow
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class LoadTimeout extends Data.TaggedError("LoadTimeout")<{
  readonly message: string
  readonly loader: string
  readonly limit: Duration.Duration
  readonly done: ReadonlyArray<string>
  readonly inFlight: ReadonlyArray<string>
  readonly notStarted: ReadonlyArray<string>
}> {
  constructor(props: {
    readonly loader: string
    readonly limit: Duration.Duration
    readonly done: ReadonlyArray<string>
    readonly inFlight: ReadonlyArray<string>
    readonly notStarted: ReadonlyArray<string>
  }) {
    const inFlight = props.inFlight.length === 0 ? "nothing" : props.inFlight.join(", ")
    super({
      ...props,
      message:
        `loader "${props.loader}" did not finish within ${Duration.format(props.limit)}: ${props.done.length} loaded, ` +
        `still loading ${inFlight}, ${props.notStarted.length} not started`
    })
  }

  /** @internal */
  get [NotNow](): NotNow {
    return "Late"
  }
}
