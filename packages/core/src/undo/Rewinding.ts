/**
 * A run that may be taken back goes in legs. Each is a run of the same program that starts with what stays of the one before;
 * who watches sees one run.
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import { monotonicNow } from "../base/Monotonic.ts"
import { misplacedOn } from "../attempt/Check.ts"
import { isBefore } from "../compile/Layout.ts"
import type { Program } from "../compile/Program.ts"
import { isThere } from "../model/Absent.ts"
import type { UndoSink } from "../model/Extension.ts"
import type { GraphIssue } from "../model/GraphIssue.ts"
import type { Rewind } from "../model/Node.ts"
import type { Run } from "../run/Run.ts"
import type { Saga } from "./Saga.ts"

/** Why a run has stopped to be taken back. */
export interface Rewound {
  readonly because: string
  readonly cause: Cause.Cause<unknown>
  readonly rewind: Rewind
}

/** The steps that stay when a run is taken back, and the values of all. */
export interface Kept {
  readonly keep: Uint8Array
  readonly values: ReadonlyArray<unknown>
}

/** How a run is taken back, and goes on. */
export interface Legs {
  readonly saga: Saga
  readonly watch: () => UndoSink | undefined
  /** Why the leg that has just ended has stopped to be taken back, if it has. */
  readonly rewound: () => Rewound | undefined
  /** How long all legs together may take. */
  readonly timeout: Duration.Duration | undefined
  readonly schedule: (run: Run, timeout: Duration.Duration | undefined) => Effect.Effect<unknown, unknown>
  readonly next: (kept: Kept) => Run
  readonly restore: <A, E>(self: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** The last leg, and how it ended. */
interface Ended {
  readonly run: Run
  readonly ended: Exit.Exit<unknown, unknown>
}

/** What stays when a run is taken back to a step: every value that is there and has nothing before it that is not. */
const keptWithout = ({ program: { optional, steps }, values }: Run, to: string): Kept => {
  const keep = new Uint8Array(steps.length)
  // A value that is given stays, and what depends on it is loaded again all the same.
  const isSame = (j: number): boolean => keep[j] === 1 && steps[j]!.name !== to
  steps.forEach(({ choice, given, name, waitsFor }, i) => {
    const mayStay = choice === undefined && optional?.[i] !== 1 && name !== to && isThere(values[i])
    keep[i] = given !== undefined || (mayStay && waitsFor.every(isSame)) ? 1 : 0
  })
  return { keep, values }
}

/** A run that goes on from another one: what was there is there from the start. */
export const goOn = (run: Run, { keep, values }: Kept): Run => {
  const { dependents, steps, urgency } = run.program
  steps.forEach(({ given }, i) => {
    if (keep[i] !== 1 || given !== undefined) return
    run.values[i] = values[i]
    run.remaining--
    for (let k = dependents.start[i]!; k < dependents.start[i + 1]!; k++) run.missing[dependents.items[k]!]!--
  })
  run.roots = Array.from(steps.keys())
    .filter((i) => steps[i]!.given === undefined && run.isReady(i))
    .sort((a, b) => urgency[a]! - urgency[b]!)
  return run
}

/** A run can only be taken back to what comes before. */
export const misplacedRewinds = ({ steps }: Program): ReadonlyArray<GraphIssue> =>
  steps.flatMap(({ attempts, name }, i) =>
    [attempts, attempts?.items]
      .flatMap((wrapped) => (wrapped === undefined ? [] : [...wrapped.inner, ...wrapped.outer]))
      .flatMap(({ label, rewind }) =>
        rewind === undefined || isBefore(steps, rewind.to, i)
          ? []
          : [
              misplacedOn(
                name,
                label,
                `it does not depend on "${rewind.to}", so nothing would change by going back there`
              )
            ]
      )
  )

type Step = (now: number, error: unknown) => Effect.Effect<readonly [unknown, Duration.Duration], unknown>

/** The pauses of each way back, as their schedules say. */
class Pauses {
  private readonly steps = new Map<Rewind, Step>()

  /** How long to wait before going forward again; `undefined` when the schedule has ended. */
  next(rewind: Rewind, now: number, error: unknown): Effect.Effect<Duration.Duration | undefined> {
    const { schedule } = rewind
    if (schedule === undefined) return Effect.succeed(Duration.zero)
    const known = this.steps.get(rewind)
    const step =
      known === undefined
        ? Effect.tap(Schedule.toStep(schedule), (step) => this.keep(rewind, step))
        : Effect.succeed(known)
    return Effect.flatMap(step, (step) => Effect.exit((step as Step)(now, error))).pipe(
      Effect.map((exit) => (Exit.isSuccess(exit) ? exit.value[1] : undefined))
    )
  }

  private keep(rewind: Rewind, step: unknown): Effect.Effect<void> {
    return Effect.sync(() => this.steps.set(rewind, step as Step))
  }
}

/** What is left of a time, from some start. */
const left = (timeout: Duration.Duration | undefined, startedAt: number, now: number): Duration.Duration | undefined =>
  timeout === undefined ? undefined : Duration.subtract(timeout, Duration.millis(now - startedAt))

/** Runs a run, and again from each step that it is taken back to. */
export const runLegs = Effect.fnUntraced(function* (first: Run, legs: Legs): Effect.fn.Return<Ended> {
  const { next, restore, rewound, saga, schedule, timeout, watch } = legs
  const clock = yield* Clock.Clock
  const now = (): number => monotonicNow(clock)
  const startedAt = now()
  const pauses = new Pauses()
  let run = first
  let ended = yield* Effect.exit(restore(schedule(run, timeout)))
  for (let back = rewound(); Exit.isSuccess(ended) && back !== undefined; back = rewound()) {
    const { because, cause, rewind } = back
    const pause = yield* pauses.next(rewind, clock.currentTimeMillisUnsafe(), cause)
    const rest = left(timeout, startedAt, now())
    if (pause === undefined || (rest !== undefined && !Duration.isGreaterThan(rest, pause))) break
    const kept = keptWithout(run, rewind.to)
    yield* saga.rewind(kept.keep, cause)
    // On what could not be undone nothing is built.
    if (saga.failures.length > 0) break
    watch()?.rewound(kept.keep, rewind.to, because, pause)
    ended = Duration.isZero(pause) ? ended : yield* Effect.exit(restore(Effect.sleep(pause)))
    if (Exit.isFailure(ended)) break
    run = next(kept)
    ended = yield* Effect.exit(restore(schedule(run, left(timeout, startedAt, now()))))
  }
  return { run, ended }
})
