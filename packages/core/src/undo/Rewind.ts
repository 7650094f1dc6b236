import { decide } from "../model/UserEffect.ts"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import { undoing } from "./Account.ts"
import { fromLayers } from "../attempt/FromLayers.ts"
import type { Policy, PolicyFor } from "../model/Policy.ts"
import type { Any, OwnError, Resource } from "../model/Resource.ts"

/**
 * How often and when a run rewinds.
 *
 * - `times`: the maximal number of rewinds in one run.
 * - `schedule`: the pauses before the run continues; when it ends, the run fails. Default: no pause.
 * - `while`: a predicate: the run rewinds only for errors for which it is true.
 *
 * @since 0.1.0
 * @category models
 */
export interface RewindOptions<E> {
  readonly times: number
  readonly schedule?: Schedule.Schedule<unknown, unknown>
  readonly while?: (error: E) => boolean
}

const check = ({ times }: RewindOptions<never>): void => {
  if (Number.isInteger(times) && times > 0) return
  throw new Cause.IllegalArgumentError(`Saga.rewind: times must be a whole number from 1, got ${times}`)
}

/**
 * Rewinds the run to an earlier resource when everything piped before it fails, and loads forward from there: if a seat is
 * taken before the payment, the run chooses another seat.
 *
 * - `to`: an ancestor of this resource. It and all its dependents are undone, by their compensations, and load again. Values of
 *   all other resources are kept; resources that are still running are interrupted, cleaned up after, and start again.
 * - After `times` rewinds, or when its `schedule` has ended, the failure is like any other.
 * - If a compensation fails during a rewind, the run fails, and everything else is undone.
 *
 * In `settle`, which undoes nothing, it has no effect.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource, Saga } from "effect-loader"
 *
 * const log: Array<string> = []
 * const seats = ["1A", "1B"]
 * const trip = Resource.make("trip", { load: () => Effect.sync(() => (log.push("trip"), "Rome")) })
 * const seat = Resource.make("seat", {
 *   deps: { trip },
 *   load: () => Effect.sync(() => seats.shift()!)
 * }).pipe(Saga.compensate((seat) => Effect.sync(() => log.push(`${seat} released`))))
 * const ticket = Resource.make("ticket", {
 *   deps: { seat },
 *   load: ({ seat }) => (seat === "1A" ? Effect.fail("seat is gone") : Effect.succeed(`ticket for ${seat}`))
 * }).pipe(Saga.rewind(seat, { times: 3 }))
 *
 * console.log(Effect.runSync(Loader.load(Loader.make({ ticket }))).ticket, log)
 * // ticket for 1B [ "trip", "1A released" ]
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const rewind: {
  (to: Any, options: RewindOptions<unknown> & { readonly while?: never }): Policy
  <N extends string, A, E, R, In, U>(
    to: Any,
    options: RewindOptions<OwnError<N, E>> & {
      readonly while: string extends N ? never : (error: OwnError<N, E>) => boolean
    }
  ): (self: Resource<N, A, E, R, In, U>) => Resource<N, A, E, R, In, U>
  (to: Any, options: RewindOptions<unknown>): Policy
  <E0>(to: Any, options: RewindOptions<E0> & { readonly while: (error: E0) => boolean }): PolicyFor<E0>
} = (to: Any, options: RewindOptions<never>): never => {
  check(options)
  const { schedule, times, while: holds } = options
  const rewind = { to: to.name, times, schedule }
  const label = `rewind(${to.name}, ${times})`
  return fromLayers([
    {
      kind: "rewind",
      label,
      repeats: false,
      continues: false,
      refused: undefined,
      rewind,
      extension: undoing,
      wrap: (self, observer) =>
        Effect.catchCause(self, (cause) => {
          const failure = Cause.hasDies(cause) ? undefined : cause.reasons.find(Cause.isFailReason)
          if (failure === undefined) return Effect.failCause(cause)
          const ask = () => holds === undefined || holds(failure.error as never)
          return decide(cause, { name: observer.resource }, `\`while\` of ${label}`, ask, () =>
            observer.rewinding(cause, rewind) ? Effect.interrupt : undefined
          )
        })
    }
  ]) as never
}
