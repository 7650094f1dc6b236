/**
 * What happens in a run, one fact at a time. Reports, logs, spans and viewers are all made from these.
 *
 * @since 0.1.0
 */
import type { Cause } from "effect"

/**
 * Why a resource never ran.
 *
 * - `DependencyFailed`: something it depends on failed, died or was interrupted; `resource` is that one, however far up.
 * - `RunFailed`: the run had failed before its turn came, and nothing new starts then; `resource` is what failed.
 * - `RunTimedOut`, `RunInterrupted`: the run was over before its turn came.
 *
 * @since 0.1.0
 * @category models
 */
export type SkipReason =
  | { readonly _tag: "DependencyFailed"; readonly resource: string }
  | { readonly _tag: "RunFailed"; readonly resource: string }
  | { readonly _tag: "RunTimedOut" }
  | { readonly _tag: "RunInterrupted" }

/**
 * How a run ended. A run that `settle` saw to its end has `Completed`, whatever failed in it.
 *
 * @since 0.1.0
 * @category models
 */
export type RunEnd = "Completed" | "Failed" | "TimedOut" | "Interrupted"

interface InRun {
  /** Which run, in this process. */
  readonly run: number
  /** When, by the run's clock: milliseconds since 1970, with fractions. It never goes backwards within a run. */
  readonly at: number
}

interface OfResource extends InRun {
  readonly resource: string
}

/**
 * One fact of a run, as it happens.
 *
 * Each resource that a run could load ends in exactly one of `ResourceSucceeded`, `ResourceDegraded`, `ResourceFailed`,
 * `ResourceDied`, `ResourceInterrupted` and `ResourceSkipped`. Inputs and constants are there from the start and have
 * no events.
 *
 * - `RunStarted`, `RunEnded`: the first and the last event of a run.
 * - `ResourceReady`: everything it waits for is there.
 * - `ResourceQueued`: it has to wait for a slot of the run's `concurrency` before attempt `attempt`.
 * - `AttemptStarted`: attempt `attempt` begins, counted from 1.
 * - `AttemptFailed`: an attempt failed inside a policy that may try again.
 * - `ResourceSucceeded`: its value is there.
 * - `ResourceDegraded`: it failed, and `fallback` gave a value in its place wherever it is needed.
 * - `ResourceFailed`: it failed with a typed error.
 * - `ResourceDied`: it failed with a defect.
 * - `ResourceInterrupted`: it was running when it was interrupted.
 * - `ResourceSkipped`: it never ran, and why.
 *
 * @since 0.1.0
 * @category models
 */
export type RunEvent =
  | (InRun & { readonly _tag: "RunStarted"; readonly loader: string; readonly resources: ReadonlyArray<string> })
  | (OfResource & { readonly _tag: "ResourceReady" })
  | (OfResource & { readonly _tag: "ResourceQueued"; readonly attempt: number })
  | (OfResource & { readonly _tag: "AttemptStarted"; readonly attempt: number })
  | (OfResource & {
      readonly _tag: "AttemptFailed"
      readonly attempt: number
      readonly cause: Cause.Cause<unknown>
    })
  | (OfResource & { readonly _tag: "ResourceSucceeded" })
  | (OfResource & { readonly _tag: "ResourceDegraded"; readonly fallback: string; readonly error: unknown })
  | (OfResource & { readonly _tag: "ResourceFailed"; readonly cause: Cause.Cause<unknown> })
  | (OfResource & { readonly _tag: "ResourceDied"; readonly cause: Cause.Cause<unknown> })
  | (OfResource & { readonly _tag: "ResourceInterrupted" })
  | (OfResource & { readonly _tag: "ResourceSkipped"; readonly because: SkipReason })
  | (InRun & { readonly _tag: "RunEnded"; readonly end: RunEnd })
