/**
 * Circuit breakers: services that refuse calls to a failing backend until it has had time to recover.
 *
 * A closed breaker lets everything through and counts failures. An open breaker refuses everything. After a pause it lets one
 * attempt through, the probe: a success closes the breaker; a failure, or a probe that takes too long, opens it again. The
 * breakers are Effect's own (`effect/persistence/CircuitBreaker`) with a time limit for probes, which the stores here add.
 *
 * @since 0.1.0
 */
import { aBoolean, answerOf, withDefect } from "../base/UserValue.ts"
import { aPause, pauseOf, type RetryAfter } from "../policy/RetryAfter.ts"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { durationOf, positiveDurationOf } from "../base/DurationInput.ts"
import { countInstance } from "../base/Instances.ts"
import { byMonotonicTime } from "../base/Monotonic.ts"
import { notNow } from "../base/NotNow.ts"
import * as Effects from "effect/persistence/CircuitBreaker"
import { isRefusal } from "../base/Refusal.ts"
import { tookTooLong } from "../base/TimeUp.ts"
import { CircuitOpen } from "./CircuitOpen.ts"

/**
 * When a breaker opens.
 *
 * - `failures`: after this number of failures in a row, in the order of their ends.
 * - `threshold`, `size`: when at least this fraction, from 0 to 1, of the last `size` results were failures, but not before
 *   `minimumCalls` results, which is `size` by default.
 *
 * @since 0.1.0
 * @category options
 */
export type Trip =
  | { readonly failures: number }
  | { readonly threshold: number; readonly size: number; readonly minimumCalls?: number }

/**
 * The options of a breaker.
 *
 * - `opens`: when it opens: see {@link Trip}.
 * - `openDuration`: how long it stays open; a schedule gives the pauses of successive openings.
 * - `isFailure`: which typed errors are failures of the backend. Default: all of them. Any other error, such as a "not
 *   found", shows that the backend answers, and counts as a success.
 * - `retryAfter`: the pause that the backend asks for in an error. A breaker that opens with this error stays open at least
 *   as long, up to an hour: see `Policy.RetryAfter`.
 * - `probeTimeout`: the time limit of a probe. After it the breaker opens again, as after a failure; the attempt itself continues,
 *   and its end does not count. Finite and longer than 0; default 30 seconds. Choose it longer than a slow answer: a breaker whose
 *   probes are all too slow stays open.
 * - `many`: whether many breakers of the class may exist at the same time. Default `false`: ten at once cause a warning in the
 *   log, since that is usually a layer that each handler provides.
 *
 * Defects are failures. Of several errors at once, one that is not a failure is enough to show that the backend answers.
 * Interruptions, and refusals by a limiter, a rate limit or another breaker, do not count.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly opens: Trip
  readonly openDuration: Duration.Input | Schedule.Schedule<unknown, number>
  readonly isFailure?: (error: unknown) => boolean
  readonly retryAfter?: (error: unknown) => RetryAfter
  readonly probeTimeout?: Duration.Input
  readonly many?: boolean
}

/**
 * The state of a breaker. `Open` lasts until the next attempt, even if `retryAfter` has passed. `Unknown` means that a shared
 * store cannot be reached.
 *
 * @since 0.1.0
 * @category models
 */
export type State =
  | { readonly _tag: "Closed" }
  | { readonly _tag: "Open"; readonly retryAfter: Duration.Duration }
  | { readonly _tag: "HalfOpen" }
  | { readonly _tag: "Unknown" }

/**
 * The service of a breaker. `withBreaker` runs an effect, or fails with `CircuitOpen`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitBreaker {
  readonly withBreaker: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | CircuitOpen, R>
  readonly state: Effect.Effect<State>
}

/**
 * The class of a breaker's service.
 *
 * - `withBreaker`, `state`: through the service.
 * - `layer`: a breaker of this process.
 * - `layerShared`: a breaker that processes share through a store of Effect, such as `layerStoreRedis` of
 *   `effect/persistence/CircuitBreaker`. Classes with the same id share a breaker. If the store cannot be reached, the breaker lets
 *   everything through, and Effect logs it.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitBreakerClass<Self, Id extends string> extends Context.ServiceClass<Self, Id, CircuitBreaker> {
  readonly withBreaker: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | CircuitOpen, R | Self>
  readonly state: Effect.Effect<State, never, Self>
  readonly layer: (options: Options) => Layer.Layer<Self>
  readonly layerShared: (options: Options) => Layer.Layer<Self, never, Effects.CircuitBreakerStore>
}

/** Calls the functions of the options. Throws if one of them throws, or returns a wrong value. */
const outcomeOfError = (error: unknown, { clock, id, isFailure, retryAfter }: ErrorReading): Effects.Outcome => {
  if (notNow(error) === "Refused") return Effects.ignored
  const owner = `circuit breaker "${id}"`
  if (isFailure !== undefined && !answerOf(owner, "`isFailure`", aBoolean, () => isFailure(error)))
    return Effects.success
  if (retryAfter === undefined) return Effects.failure()
  return Effects.failure({
    retryAfter: pauseOf(
      answerOf(owner, "`retryAfter`", aPause, () => retryAfter(error)),
      clock
    )
  })
}

/** The functions that read errors. */
interface ErrorReading extends Pick<Options, "isFailure" | "retryAfter"> {
  readonly id: string
  readonly clock: Clock.Clock
}

/** The outcome of several errors: a success if one of them shows that the backend answers, else a failure if there is one. */
const outcomeOfErrors = (errors: ReadonlyArray<unknown>, options: ErrorReading): Effects.Outcome => {
  const outcomes = errors.map((error) => outcomeOfError(error, options))
  const first = (tag: Effects.Outcome["_tag"]) => outcomes.find(({ _tag }) => _tag === tag)
  return first("Success") ?? first("Failure") ?? Effects.ignored
}

/** The outcome that an exit has for the breaker. */
const outcomeOf = (exit: Exit.Exit<unknown, unknown>, options: ErrorReading): Effects.Outcome => {
  if (Exit.isSuccess(exit)) return Effects.success
  const { cause } = exit
  if (tookTooLong(cause)) return outcomeOfError(new Cause.TimeoutError(), options)
  if (Cause.hasInterrupts(cause) || isRefusal(cause)) return Effects.ignored
  if (Cause.hasDies(cause)) return Effects.failure()
  return outcomeOfErrors(
    cause.reasons.filter(Cause.isFailReason).map(({ error }) => error),
    options
  )
}

/** The exit of a call, and its outcome for the breaker. */
interface Classified {
  readonly exit: Exit.Exit<unknown, unknown>
  readonly outcome: Effects.Outcome
}

const toTrip = (trip: Trip): Effects.TripPolicy =>
  "failures" in trip ? Effects.consecutive(trip.failures) : Effects.rate(trip)

type OpenDuration = Duration.Duration | Schedule.Schedule<unknown, number>

const toOpenDuration = (id: string, given: Options["openDuration"]): OpenDuration =>
  Schedule.isSchedule(given) ? given : durationOf(`circuit breaker "${id}": \`openDuration\``, given)

/** The duration of the `nth` opening in a row. A schedule runs on a clock of its own, as in Effect's breaker. */
const durationOfOpening = (given: OpenDuration, nth: number): Effect.Effect<Duration.Duration> => {
  if (!Schedule.isSchedule(given)) return Effect.succeed(given)
  return Effect.gen(function* () {
    const step = yield* Schedule.toStep(given)
    let now = yield* Clock.currentTimeMillis
    let pause = Duration.zero
    for (let k = 1; k <= nth; k++) {
      const stepped = yield* Effect.exit(step(now, k))
      if (Exit.isFailure(stepped)) break
      pause = stepped.value[1]
      now += Duration.toMillis(pause)
    }
    return pause
  })
}

type Store = typeof Effects.CircuitBreakerStore.Service

/**
 * A store that records a failure for a probe which takes too long. The probe's own end then belongs to an earlier generation,
 * which stores ignore. The timer lives in the probe's scope, on a fiber of its own, since the probe may be uninterruptible.
 */
const withProbeTimeout = (
  store: Store,
  limit: Duration.Duration,
  tripPolicy: Effects.TripPolicy,
  openDuration: OpenDuration
): Store => {
  const expire = (key: string, { consecutiveOpenings, generation }: Effects.Admission) =>
    durationOfOpening(openDuration, consecutiveOpenings + 1).pipe(
      Effect.flatMap((openFor) => store.record({ key, generation, outcome: "Failure", tripPolicy, openFor })),
      // Without a retry, a breaker whose store cannot be reached would stay half-open until the probe ends.
      Effect.retry(Schedule.spaced(limit)),
      Effect.orDie,
      Effect.delay(limit)
    )
  return {
    ...store,
    admit: (key) =>
      Effect.tap(store.admit(key), (admission) =>
        admission.probe ? Effect.forkScoped(Effect.interruptible(expire(key, admission))) : Effect.void
      )
  }
}

const toState = (state: Effects.State): State => {
  switch (state._tag) {
    case "Open":
      return { _tag: "Open", retryAfter: state.retryAfter }
    default:
      return { _tag: state._tag }
  }
}

const make = (
  id: string,
  options: Options
): Effect.Effect<CircuitBreaker, never, Effects.CircuitBreakerStore | Scope.Scope> => {
  const tripPolicy = toTrip(options.opens)
  const making = Effect.flatMap(Effects.CircuitBreakerStore, (store) => {
    const openDuration = toOpenDuration(id, options.openDuration)
    const limit = positiveDurationOf(`circuit breaker "${id}": \`probeTimeout\``, options.probeTimeout ?? "30 seconds")
    const timed = Duration.isFinite(limit) ? withProbeTimeout(store, limit, tripPolicy, openDuration) : store
    return Effect.provideService(Effects.make({ tripPolicy, openDuration }), Effects.CircuitBreakerStore, timed)
  })
  return Effect.map(making, (breaker) => {
    const refusal = ({ reason }: Effects.CircuitBreakerError): CircuitOpen =>
      new CircuitOpen({ breaker: id, retryAfter: reason._tag === "CircuitOpen" ? reason.retryAfter : Duration.zero })
    const read = (exit: Exit.Exit<unknown, unknown>, clock: Clock.Clock): Classified => {
      try {
        return { exit, outcome: outcomeOf(exit, { ...options, id, clock }) }
      } catch (defect) {
        const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
        return { exit: Exit.failCause(withDefect(cause, defect)), outcome: Effects.failure() }
      }
    }
    const classify = (exit: Exit.Exit<Classified>) => (Exit.isSuccess(exit) ? exit.value.outcome : Effects.failure())
    // The exit is a value for Effect's breaker: it could not tell its own errors from ours, and ignores interruptions.
    const withBreaker = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | CircuitOpen, R> =>
      Effect.uninterruptibleMask((restore) => {
        const classified = Effect.clockWith((clock) =>
          Effect.map(Effect.exit(restore(self)), (exit) => read(exit, clock))
        )
        return breaker.execute(classified, { key: id, classify }).pipe(
          Effect.mapError(refusal),
          Effect.flatMap(({ exit }) => exit as Exit.Exit<A, E>)
        )
      })
    return {
      withBreaker,
      state: Effect.match(breaker.state(id), { onSuccess: toState, onFailure: () => ({ _tag: "Unknown" }) })
    }
  })
}

/** A store in this process, by the monotonic clock. Effect's own store uses the wall clock. */
const layerStoreOwn = () =>
  Layer.effect(
    Effects.CircuitBreakerStore,
    Effect.map(Effects.CircuitBreakerStore, (store) => ({
      admit: (key) => byMonotonicTime(store.admit(key)),
      record: (options) => byMonotonicTime(store.record(options)),
      state: (key) => byMonotonicTime(store.state(key))
    }))
  ).pipe(Layer.provide(Effects.layerStoreMemory()))

/**
 * Makes the class of a circuit breaker, one for each backend. All runs and effects that use the class share the breaker.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { CircuitBreaker } from "effect-loader/resilience"
 *
 * class Payments extends CircuitBreaker.Service<Payments>()("app/Payments") {}
 *
 * const pay = Effect.flip(Payments.withBreaker(Effect.fail("down")))
 * const program = Effect.andThen(Effect.andThen(pay, pay), pay)
 *
 * const layer = Payments.layer({ opens: { failures: 2 }, openDuration: "30 seconds" })
 * Effect.runPromise(program.pipe(Effect.provide(layer))).then((error) => console.log(String(error)))
 * // CircuitOpen: circuit breaker "app/Payments" lets nothing through for another ...
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service: {
  <Self>(): <const Id extends string>(id: Id) => CircuitBreakerClass<Self, Id>
  <_Self>(id: "call it first: class Payments extends CircuitBreaker.Service<Payments>()(id) {}"): new () => object
} = (): never =>
  (<Self, const Id extends string>(id: Id): CircuitBreakerClass<Self, Id> => {
    const tag = Context.Service<Self, CircuitBreaker>()(id)
    const layerShared = (options: Options) => Layer.effect(tag, make(id, options))
    const statics: Pick<CircuitBreakerClass<Self, Id>, "withBreaker" | "state" | "layer" | "layerShared"> = {
      withBreaker: (self) => Effect.flatMap(Effect.service(tag), ({ withBreaker }) => withBreaker(self)),
      state: Effect.flatMap(Effect.service(tag), ({ state }) => state),
      layer: (options) =>
        Layer.provide(
          Layer.effect(tag, Effect.andThen(countInstance(tag, "circuit breaker", options.many), make(id, options))),
          layerStoreOwn()
        ),
      layerShared
    }
    return Object.assign(tag, statics) as never
  }) as never
