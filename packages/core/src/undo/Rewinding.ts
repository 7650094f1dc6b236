/**
 * Rewinds: when a step asks to go back, the current run stops, its side effects from the named resource on are undone, and another
 * run of the same program continues with the values that are kept. Observers see one run.
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

/** A rewind that a step has asked for. */
export interface Rewound {
  readonly because: string
  readonly cause: Cause.Cause<unknown>
  readonly rewind: Rewind
}

/** The steps whose values survive a rewind, and the values of all steps. */
export interface Kept {
  readonly keep: Uint8Array
  readonly values: ReadonlyArray<unknown>
}

/** How a load rewinds: its runs one after the other, the timeout that they share, and the saga that undoes. */
export interface RewindingSetup {
  readonly saga: Saga
  readonly sink: () => UndoSink | undefined
  /** The rewind because of which the last run stopped, if any. */
  readonly rewound: () => Rewound | undefined
  /** The time limit of the load, all its runs together. */
  readonly timeout: Duration.Duration | undefined
  readonly schedule: (run: Run, timeout: Duration.Duration | undefined) => Effect.Effect<unknown, unknown>
  readonly next: (kept: Kept) => Run
  readonly restore: <A, E>(self: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** The last run of a load, and its exit. */
interface Ended {
  readonly run: Run
  readonly ended: Exit.Exit<unknown, unknown>
}

/** A rewind to a step keeps each value that is there, if all that it depends on is kept, too. */
const keptWithout = ({ program: { optional, steps }, values }: Run, to: string): Kept => {
  const keep = new Uint8Array(steps.length)
  // A given value is always kept, but if the run goes back to it, its dependents load again.
  const isSame = (j: number): boolean => keep[j] === 1 && steps[j]!.name !== to
  steps.forEach(({ choice, given, name, waitsFor }, i) => {
    const mayStay = choice === undefined && optional?.[i] !== 1 && name !== to && isThere(values[i])
    keep[i] = given !== undefined || (mayStay && waitsFor.every(isSame)) ? 1 : 0
  })
  return { keep, values }
}

/** Starts a run with the values that a rewind kept. */
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

/** Reports rewinds to resources that do not come before the resource that rewinds. */
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

type ScheduleStep = (now: number, error: unknown) => Effect.Effect<readonly [unknown, Duration.Duration], unknown>

/** The pauses before each rewind, by its schedule. */
class Pauses {
  private readonly steps = new Map<Rewind, ScheduleStep>()

  /** The pause before the load continues; `undefined` when the schedule has ended. */
  next(rewind: Rewind, now: number, error: unknown): Effect.Effect<Duration.Duration | undefined> {
    const { schedule } = rewind
    if (schedule === undefined) return Effect.succeed(Duration.zero)
    const known = this.steps.get(rewind)
    const step =
      known === undefined
        ? Effect.tap(Schedule.toStep(schedule), (step) => this.keep(rewind, step))
        : Effect.succeed(known)
    return Effect.flatMap(step, (step) => Effect.exit((step as ScheduleStep)(now, error))).pipe(
      Effect.map((exit) => (Exit.isSuccess(exit) ? exit.value[1] : undefined))
    )
  }

  private keep(rewind: Rewind, step: unknown): Effect.Effect<void> {
    return Effect.sync(() => this.steps.set(rewind, step as ScheduleStep))
  }
}

/** The part of a timeout that is left. */
const left = (timeout: Duration.Duration | undefined, startedAt: number, now: number): Duration.Duration | undefined =>
  timeout === undefined ? undefined : Duration.subtract(timeout, Duration.millis(now - startedAt))

/** Runs a load to its end, with all rewinds on the way. */
export const runWithRewinds = Effect.fnUntraced(function* (first: Run, setup: RewindingSetup): Effect.fn.Return<Ended> {
  const { next, restore, rewound, saga, schedule, sink, timeout } = setup
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
    // After a failed compensation the state is unknown: the load fails instead of continuing.
    if (saga.failures.length > 0) break
    sink()?.rewound(kept.keep, rewind.to, because, pause)
    ended = Duration.isZero(pause) ? ended : yield* Effect.exit(restore(Effect.sleep(pause)))
    if (Exit.isFailure(ended)) break
    run = next(kept)
    ended = yield* Effect.exit(restore(schedule(run, left(timeout, startedAt, now()))))
  }
  return { run, ended }
})
