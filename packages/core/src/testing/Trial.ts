/**
 * One run of a program for all to see: recorded, on a clock of its own, and with nothing left behind.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { counted, Fibers } from "./Fibers.ts"
import { clear, type Ledger, problems, watched } from "./Ledger.ts"
import { type Recorded, record, timeline } from "./RunLog.ts"
import { moveOn } from "./VirtualTime.ts"

/**
 * What one run of a program came to.
 *
 * - `hung`: whether it did not end by itself within a day of virtual time. It was interrupted then.
 *
 * @since 0.1.0
 * @category models
 */
export interface Trial<out A, out E> extends Recorded<A, E> {
  readonly hung: boolean
}

/**
 * How each run is made, and what it is held against.
 *
 * - `check`: looks at each run, and throws, dies, or fails an expectation where it does not like what it sees.
 * - `ledger`: what the program's resources write into. It is emptied before each run, and must balance after it.
 * - `live`: whether the runs are on the caller's clock, as they must be where they wait for real servers. By default each
 *   has a virtual clock of its own, which moves on by itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<T, Step, R = never> {
  readonly check?: (trial: T, step: Step) => void | Effect.Effect<void, never, R>
  readonly ledger?: Ledger
  readonly live?: boolean
}

/**
 * A trial did not go well. The message says which, what was wrong, and what ran when; `cause` is what the check threw.
 *
 * @since 0.1.0
 * @category errors
 */
export class TrialError extends Data.TaggedError("TrialError")<{
  readonly message: string
  readonly trial: string
  readonly cause?: unknown
}> {}

/** What moves a run on, besides time: an interruption at some instant. */
export type Meanwhile = (fiber: Fiber.Fiber<unknown, unknown>) => Effect.Effect<void>

const nothing: Meanwhile = () => Effect.void

/** Whatever was let go of without anybody waiting for it has some turns of the event loop to end in. */
const settle = (fibers: Fibers): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let turn = 0; turn < 5 && fibers.alive > 0; turn++) yield* Effect.yieldNow
  })

const inTime = <A, E, R>(self: Effect.Effect<A, E, R>, meanwhile: Meanwhile): Effect.Effect<Trial<A, E>, never, R> =>
  Effect.gen(function* () {
    let hung = false
    const recorded = yield* record(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(self, { startImmediately: true })
        yield* meanwhile(fiber)
        yield* moveOn(fiber)
        if (fiber.pollUnsafe() === undefined) {
          hung = true
          fiber.interruptUnsafe()
          yield* moveOn(fiber)
        }
        return yield* Fiber.join(fiber)
      })
    )
    return { ...recorded, hung }
  })

const live = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<Trial<A, E>, never, R> =>
  Effect.map(record(Effect.flatMap(Effect.forkChild(self, { startImmediately: true }), Fiber.join)), (recorded) => ({
    ...recorded,
    hung: false
  }))

const leftBehind = (fibers: Fibers, ledger: Ledger | undefined): ReadonlyArray<string> => {
  const alive = fibers.alive === 0 ? [] : [`${fibers.alive} ${fibers.alive === 1 ? "fiber" : "fibers"} outlived it`]
  return [...(ledger === undefined ? [] : problems(ledger)), ...alive]
}

const messageOf = (defect: unknown): string => (defect instanceof Error ? defect.message : String(defect))

const fail = (trial: string, what: string, { events }: Recorded<unknown, unknown>, cause?: unknown) =>
  Effect.die(
    new TrialError({
      trial,
      message: `${trial}: ${what}\n\n${timeline(events)}`.trimEnd(),
      ...(cause === undefined ? {} : { cause })
    })
  )

/**
 * Runs `self` once, in a scope of its own, looks at what it left behind, and has it checked.
 *
 * - `name`: which trial this is, in words, of what had come by then.
 */
export const tryOut = <A, E, R, T extends Trial<A, E>, Step, R2>(
  self: Effect.Effect<A, E, R>,
  setup: {
    readonly options: Options<T, Step, R2>
    readonly step: Step
    readonly name: (trial: Trial<A, E>) => string
    readonly toTrial: (trial: Trial<A, E>) => T
    readonly meanwhile?: Meanwhile
  }
): Effect.Effect<T, never, Exclude<R, Scope.Scope> | R2> => {
  const { meanwhile = nothing, name, options, step, toTrial } = setup
  const { check, ledger } = options
  const program = Effect.gen(function* () {
    if (ledger !== undefined) clear(ledger)
    const fibers = new Fibers(yield* Metric.FiberRuntimeMetrics)
    const observed = counted(watched(Effect.scoped(self)), fibers)
    const trial = toTrial(yield* options.live === true ? live(observed) : inTime(observed, meanwhile))
    yield* settle(fibers)
    const wrong = leftBehind(fibers, ledger)
    if (wrong.length > 0) return yield* fail(name(trial), wrong.join("; "), trial)
    const checked = Effect.suspend(() => check?.(trial, step) ?? Effect.void)
    yield* Effect.catchDefect(checked, (defect) => fail(name(trial), messageOf(defect), trial, defect))
    return trial
  })
  return options.live === true ? program : Effect.provide(program, TestClock.layer())
}
