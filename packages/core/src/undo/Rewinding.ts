/**
 * A run that may be taken back goes in legs. Each is a run of the same program that starts with what stays of the one before;
 * who watches sees one run.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import { monotonicNow } from "../base/Monotonic.ts"
import type { Rewind } from "../model/Node.ts"
import type { Run } from "../run/Run.ts"
import type { RunWatch } from "../watch/RunWatch.ts"
import type { Saga } from "./Saga.ts"

/** How a run is taken back, and goes on. */
export interface Legs {
  readonly saga: Saga
  readonly watch: RunWatch | undefined
  /** How long all legs together may take. */
  readonly timeout: Duration.Duration | undefined
  readonly schedule: (run: Run, timeout: Duration.Duration | undefined) => Effect.Effect<void>
  readonly next: (kept: ReturnType<Run["keptWithout"]>) => Run
  readonly restore: <A, E>(self: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** The last leg, and how it ended. */
interface Ended {
  readonly run: Run
  readonly ended: Exit.Exit<void>
}

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

/** Runs a run, and again from wherever it is taken back to. */
export const runLegs = Effect.fnUntraced(function* (first: Run, legs: Legs): Effect.fn.Return<Ended> {
  const { next, restore, saga, schedule, timeout, watch } = legs
  const clock = yield* Clock.Clock
  const now = (): number => monotonicNow(clock)
  const startedAt = now()
  const pauses = new Pauses()
  let run = first
  let ended = yield* Effect.exit(restore(schedule(run, timeout)))
  while (Exit.isSuccess(ended) && run.rewound !== undefined) {
    const { because, cause, rewind } = run.rewound
    const pause = yield* pauses.next(rewind, clock.currentTimeMillisUnsafe(), cause)
    const rest = left(timeout, startedAt, now())
    if (pause === undefined || (rest !== undefined && !Duration.isGreaterThan(rest, pause))) break
    const kept = run.keptWithout(rewind.to)
    yield* saga.rewind(kept.keep, cause)
    // On what could not be undone nothing is built.
    if (saga.failures.length > 0) break
    watch?.rewound(kept.keep, rewind.to, because, pause)
    ended = Duration.isZero(pause) ? ended : yield* Effect.exit(restore(Effect.sleep(pause)))
    if (Exit.isFailure(ended)) break
    run = next(kept)
    ended = yield* Effect.exit(restore(schedule(run, left(timeout, startedAt, now()))))
  }
  return { run, ended }
})
