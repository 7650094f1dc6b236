import { Cause, Effect, Schedule } from "effect"
import type { LayerObserver } from "../model/Node.ts"
import { fromLayers, type Policy, type PolicyFor } from "../model/Policy.ts"
import type { OwnError, Resource } from "../model/Resource.ts"

/**
 * How often, and after which pauses, to try again: at least one of `times` and `schedule`. With both, the first to end
 * wins, so retries are finite unless a schedule alone says otherwise.
 *
 * - `times`: retries after the first attempt, so `3` means at most four attempts.
 * - `schedule`: the pauses between attempts, and when to stop; without it there is no pause.
 *
 * @since 0.1.0
 * @category models
 */
export type RetryBound<E> =
  | { readonly times: number; readonly schedule?: Schedule.Schedule<unknown, E> }
  | { readonly times?: number; readonly schedule: Schedule.Schedule<unknown, E> }

const labelOf = (options: RetryBound<never>): string =>
  [options.times, options.schedule === undefined ? undefined : "schedule"]
    .filter((part) => part !== undefined)
    .join(", ")

const checkBound = (options: RetryBound<never>): void => {
  if (options.times === undefined && options.schedule === undefined) {
    throw new Cause.IllegalArgumentError("Policy.retry needs `times` or `schedule`: without either it would never end")
  }
  if (options.times !== undefined && !(options.times >= 0)) {
    throw new Cause.IllegalArgumentError(`Policy.retry: \`times\` must be 0 or more, got ${options.times}`)
  }
}

/** When to try again, telling `observer` of each pause before it begins. */
const toSchedule = (
  options: RetryBound<never> & { readonly while?: (error: never) => boolean },
  observer: LayerObserver
): Schedule.Schedule<unknown, never> => {
  const { schedule = Schedule.forever, times = Infinity, while: holds = () => true } = options
  return schedule.pipe(
    Schedule.while(({ attempt, input }) => holds(input) && attempt <= times),
    Schedule.modifyDelay(({ duration }) =>
      Effect.sync(() => {
        observer.pausing(duration)
        return duration
      })
    )
  )
}

/**
 * Tries again what is piped before, when it fails with a typed error.
 *
 * - `times`, `schedule`: see {@link RetryBound}.
 * - `while`: retries only as long as it holds for the resource's own error. Piped inline it knows that error's type;
 *   in a policy made beforehand, annotate its parameter.
 *
 * Defects and interruptions are not retried. The resource's slot is free while a retry waits. After the last attempt
 * the resource fails with what that attempt failed with.
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
  (options: RetryBound<unknown> & { readonly while?: never }): Policy
  <N extends string, A, E, R, In>(
    options: RetryBound<OwnError<N, E>> & {
      readonly while: string extends N ? never : (error: OwnError<N, E>) => boolean
    }
  ): (self: Resource<N, A, E, R, In>) => Resource<N, A, E, R, In>
  <E0>(options: RetryBound<E0> & { readonly while?: (error: E0) => boolean }): PolicyFor<E0>
} = (options: RetryBound<never> & { readonly while?: (error: never) => boolean }): never => {
  checkBound(options)
  return fromLayers([
    {
      kind: "retry",
      label: `retry(${labelOf(options)})`,
      repeats: true,
      continues: false,
      refused: undefined,
      wrap: (self, observer) =>
        Effect.retry(self as Effect.Effect<unknown, never, unknown>, toSchedule(options, observer))
    }
  ]) as never
}
