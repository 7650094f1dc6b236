import { aPause, pauseOf, type RetryAfter } from "./RetryAfter.ts"
import { valueText } from "../base/ValueText.ts"
import { aBoolean, answerOf, withDefect } from "../base/UserValue.ts"
import { checkFunctions } from "../model/UserEffect.ts"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { LayerObserver } from "../model/Node.ts"
import { fromLayers } from "../attempt/FromLayers.ts"
import type { Policy, PolicyFor } from "../model/Policy.ts"
import type { OwnError, Resource } from "../model/Resource.ts"
import { budgetFor, type RetryBudget, type Spending } from "./RetryBudget.ts"

/**
 * How often to retry, and after which pauses: at least one of `times` and `schedule`. With both, the first to end wins, so retries
 * are finite unless you give only an endless schedule.
 *
 * - `times`: retries after the first attempt, so `3` means at most four attempts.
 * - `schedule`: the pauses between attempts, and when to stop. Default: no pause.
 *
 * @since 0.1.0
 * @category models
 */
export type RetryBound<E> =
  | { readonly times: number; readonly schedule?: Schedule.Schedule<unknown, E> }
  | { readonly times?: number; readonly schedule: Schedule.Schedule<unknown, E> }

/**
 * How a retry reads the resource's own error.
 *
 * - `while`: retries only errors for which it is true.
 * - `retryAfter`: the pause that the server asks for. The pause is then at least as long. See {@link retryAfterHeader}.
 *
 * An exception, or an invalid answer, ends the retries: the resource fails with its error, and a defect in addition.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryReading<E> {
  readonly while?: (error: E) => boolean
  readonly retryAfter?: (error: E) => RetryAfter
}

/**
 * The limit of retries during an outage.
 *
 * - `budget`: the key of a {@link RetryBudget} from which each retry takes. If it is spent, the resource fails with the error of
 *   its last attempt.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetrySpending<B> {
  readonly budget?: Context.Key<B, RetryBudget>
}

type Options = RetryBound<never> & RetryReading<never> & RetrySpending<unknown>

const labelOf = (options: Options): string =>
  [options.times, options.schedule === undefined ? undefined : "schedule", options.budget?.key]
    .filter((part) => part !== undefined)
    .join(", ")

const checkBound = (options: RetryBound<never>): void => {
  if (options.times === undefined && options.schedule === undefined) {
    throw new Cause.IllegalArgumentError("Policy.retry needs `times` or `schedule`: without either it would never end")
  }
  if (options.schedule !== undefined && !Schedule.isSchedule(options.schedule)) {
    throw new Cause.IllegalArgumentError(
      `Policy.retry: \`schedule\` must be a Schedule, got ${valueText(options.schedule)}`
    )
  }
  if (options.times !== undefined && !(typeof options.times === "number" && options.times >= 0)) {
    throw new Cause.IllegalArgumentError(`Policy.retry: \`times\` must be 0 or more, got ${options.times}`)
  }
}

/** Whether the budget allows another attempt. Called last, after all other conditions. */
const isAllowed = (
  budget: Spending,
  pause: Duration.Duration,
  policy: string,
  observer: LayerObserver,
  error: unknown
): Effect.Effect<boolean> =>
  Effect.map(budget.withdraw(pause), (isAllowed) => {
    if (!isAllowed) observer.refused({ policy, error })
    return isAllowed
  })

/** The schedule of retries, which reports each pause to `observer`. */
const toSchedule = (
  { schedule = Schedule.forever, times = Infinity }: Options,
  label: string,
  budget: Spending,
  observer: LayerObserver,
  reading: Reading
): Schedule.Schedule<unknown, never> =>
  schedule.pipe(
    Schedule.while(({ attempt, input }) => (attempt <= times ? reading.allows(input) : Effect.succeed(false))),
    Schedule.while(({ duration, input }) => isAllowed(budget, duration, label, observer, input)),
    Schedule.modifyDelay(({ duration }) =>
      Effect.sync(() => {
        const pause = Duration.max(duration, reading.pause)
        observer.pausing(pause)
        return pause
      })
    )
  )

/** A schedule whose defects, also those of the budget, end the retries with the last failure. */
const withoutDefects = (
  schedule: Schedule.Schedule<unknown, never>,
  reading: Reading
): Schedule.Schedule<unknown, never> =>
  Schedule.fromStep(
    Effect.map(
      Schedule.toStep(schedule),
      (step) => (now: number, input: never) =>
        Effect.catchDefect(
          Effect.suspend(() => step(now, input)),
          (value) => {
            reading.defect = { value }
            return Cause.done(undefined)
          }
        )
    )
  )

/** The answers of the functions of one retry for an error. */
class Reading {
  /** The pause that the last error asks for. */
  pause = Duration.zero
  /** The defect of a function that ended the retries. */
  defect: { readonly value: unknown } | undefined
  private readonly options: Options
  private readonly what: string
  private readonly owner: { readonly name: string }

  constructor(options: Options, label: string, name: string) {
    this.options = options
    this.what = label
    this.owner = { name }
  }

  allows(error: never): Effect.Effect<boolean> {
    const { retryAfter, while: holds } = this.options
    return Effect.clockWith((clock) =>
      Effect.sync(() => {
        try {
          if (holds !== undefined && !answerOf(this.owner, `\`while\` of ${this.what}`, aBoolean, () => holds(error))) {
            return false
          }
          if (retryAfter === undefined) return true
          const after = answerOf(this.owner, `\`retryAfter\` of ${this.what}`, aPause, () => retryAfter(error))
          this.pause = pauseOf(after, clock)
          return true
        } catch (value) {
          this.defect = { value }
          return false
        }
      })
    )
  }
}

/**
 * Retries everything piped before it when that fails with a typed error.
 *
 * - `times`, `schedule`: see {@link RetryBound}.
 * - `while`, `retryAfter`: see {@link RetryReading}. Piped inline they know the type of the resource's own error. In a policy
 *   made beforehand their parameter is `unknown`, and the policy fits all resources; annotated, it fits resources with such an
 *   error. A server may ask for a longer pause than the load has time for: refuse it in `while`, or pipe a `timeout` after the
 *   retry.
 * - `budget`: see {@link RetrySpending}.
 *
 * Defects and interruptions are not retried. The resource's slot is free during a pause. After the last attempt the resource
 * fails with the error of that attempt.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 *
 * let attempts = 0
 * const flaky = Resource.make("flaky", {
 *   load: () => (++attempts < 3 ? Effect.fail("busy") : Effect.succeed("done"))
 * }).pipe(Policy.retry({ times: 5, while: (error) => error === "busy" }))
 *
 * Effect.runPromise(Loader.load(Loader.make({ flaky }))).then(({ flaky }) => console.log(flaky, attempts)) // done 3
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const retry: {
  <B = never>(
    options: RetryBound<unknown> & RetrySpending<B> & { readonly while?: never; readonly retryAfter?: never }
  ): Policy<never, B>
  <N extends string, A, E, R, In, U, B = never>(
    options: RetryBound<OwnError<N, E>> & RetrySpending<B> & (string extends N ? never : RetryReading<OwnError<N, E>>)
  ): (self: Resource<N, A, E, R, In, U>) => Resource<N, A, E, R | B, In, U>
  <B = never>(options: RetryBound<unknown> & RetrySpending<B> & RetryReading<unknown>): Policy<never, B>
  <E0, B = never>(
    options:
      | (RetryBound<E0> & RetrySpending<B> & RetryReading<E0>)
      | "give `times`, `schedule` or both: Policy.retry({ times: 3 })"
  ): PolicyFor<E0, B>
} = (given: Options | string): never => {
  if (typeof given !== "object" || given === null) {
    throw new Cause.IllegalArgumentError(
      `Policy.retry needs an object, as in Policy.retry({ times: 3 }), got ${valueText(given)}`
    )
  }
  const options: Options = given
  checkFunctions("Policy.retry", "options", options, [], ["while", "retryAfter"])
  checkBound(options)
  const label = `retry(${labelOf(options)})`
  return fromLayers([
    {
      kind: "retry",
      label,
      repeats: true,
      continues: false,
      refused: undefined,
      wrap: (self, observer) =>
        Effect.flatMap(budgetFor(options.budget, observer), (budget) => {
          const reading = new Reading(options, label, observer.resource)
          const schedule = withoutDefects(toSchedule(options, label, budget, observer, reading), reading)
          const retried = Effect.retry(self as Effect.Effect<unknown, never, unknown>, schedule)
          return Effect.catchCause(retried, (cause) =>
            Effect.failCause(reading.defect === undefined ? cause : withDefect(cause, reading.defect.value))
          )
        })
    }
  ]) as never
}
