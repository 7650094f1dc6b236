/**
 * One run of a program: recorded, on a clock of its own, with a check that it leaves nothing behind.
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
import { clear, watched } from "./Acquisitions.ts"
import { type Ledger, problems } from "./Ledger.ts"
import { type Recorded, record, timeline } from "./RunLog.ts"
import { moveOn } from "./MoveOn.ts"

/**
 * The result of one run of a program.
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
 * The options of each run.
 *
 * - `check`: checks each run. It throws, dies, or fails an expectation to reject the run.
 * - `ledger`: the ledger of the program's resources. It is emptied before each run, and must balance after it.
 * - `live`: whether the runs use the caller's clock, as they must if they wait for real servers. By default each run has a
 *   virtual clock of its own, which advances by itself.
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
 * A trial failed. The message names the trial, the problem, and what ran when; `cause` is the error of the check.
 *
 * @since 0.1.0
 * @category errors
 */
export class TrialError extends Data.TaggedError("TrialError")<{
  readonly message: string
  readonly trial: string
  readonly cause?: unknown
}> {}

/** Runs during a trial and drives it, besides time: such as an interruption at some instant. */
export type Meanwhile = (fiber: Fiber.Fiber<unknown, unknown>) => Effect.Effect<void>

const nothing: Meanwhile = () => Effect.void

/** Turns of the event loop in which interrupted fibers that no fiber awaits can end. */
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
 * Runs `self` once in a scope of its own, and checks what it left behind.
 *
 * - `name`: describes the trial, from its events so far.
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
