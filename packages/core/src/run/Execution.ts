/**
 * One run of a loader, from its inputs to what the caller gets.
 *
 * Where nothing can have to be undone, what a run comes to is known when nothing of it runs any more. Otherwise that is
 * followed by an account, which cannot be interrupted:
 *
 *  1. What the run did is undone, if it failed or was interrupted.
 *  2. If it succeeded, a run around it keeps what it did.
 *  3. The run has ended, and everybody is told: who watches, and who wants to know of what could not be undone.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { longestPaths } from "../permits/LongestPaths.ts"
import type { Limited } from "../compile/Program.ts"
import { Held } from "../base/Held.ts"
import * as RunLocal from "../base/RunLocal.ts"
import type { RunPermits } from "../permits/RunPermits.ts"
import { asEffect } from "../model/UserEffect.ts"
import { type AnyLoader, type Compiled, compiledOf, valuesOf } from "../loader/Compiled.ts"
import { Enclosing } from "../nested/ParentRun.ts"
import { LoadTimeout } from "./LoadTimeout.ts"
import type { OuterSlots } from "../nested/ParentSlots.ts"
import { type Legs, runLegs } from "../undo/Rewinding.ts"
import { Run, type RunSetup } from "./Run.ts"
import type { Reporter, RunWatch } from "../watch/RunWatch.ts"
import { beside, type RollbackError } from "../undo/CompensationError.ts"
import { frameIn, Saga } from "../undo/Saga.ts"
import { apart } from "../undo/Undoing.ts"
import { schedule } from "./Scheduler.ts"
import { Slots } from "./Slots.ts"
import { Watched } from "../watch/Watched.ts"

type AnyExit = Exit.Exit<unknown, unknown>

/** How a loader is run this time. */
export interface Execution {
  readonly inputs: unknown
  readonly failFast: boolean
  /** Who watches this run beside those who watch all runs. */
  readonly reporter: Reporter | undefined
  /** Whether the caller keeps what the run did, to undo it later: then nobody else does. */
  readonly reversible?: boolean
  /** What the caller gets of a run that was not interrupted; `exit` is what a load gives. */
  readonly conclude: (run: Run, exit: AnyExit) => Effect.Effect<unknown, unknown>
}

/** What a run's failures come to, the first in time first. */
const combine = (causes: ReadonlyArray<Cause.Cause<unknown>>): Cause.Cause<unknown> =>
  causes.length === 1 ? causes[0]! : Cause.fromReasons(causes.flatMap((cause) => cause.reasons))

const timedOut = (run: Run): ReadonlyArray<Cause.Cause<unknown>> => {
  if (run.stopped?._tag !== "TimedOut") return []
  const { limit, progress } = run.stopped
  return [Cause.fail(new LoadTimeout({ loader: run.program.name, limit, ...progress }))]
}

/** What a load comes to when nothing of it runs any more. */
const exitOf = (run: Run): AnyExit =>
  run.stopped === undefined ? Exit.succeed(run.result()) : Exit.failCause(combine([...timedOut(run), ...run.failures]))

/**
 * What the interruption of a run adds to it: what failed while it ended. A finalizer has no errors by its type, but the
 * cause that it joins is the load's, and these are the load's errors.
 */
const concludeInterruption = (run: Run): Effect.Effect<void> => {
  run.finish()
  return run.failures.length === 0 ? Exit.void : Exit.failCause(combine(run.failures) as Cause.Cause<never>)
}

/** What watches a run, if anything does. */
const watchFor = (
  compiled: Compiled,
  fiber: Fiber.Fiber<unknown, unknown>,
  own: Reporter | undefined,
  enclosing: Enclosing | undefined
): RunWatch | undefined => {
  const around = enclosing?.reporter
  const watchRun = fiber.getRef(Watched) ?? own?.watchRun ?? around?.watchRun
  if (watchRun === undefined) return undefined
  const reporters = [own, around].filter((reporter) => reporter !== undefined)
  return watchRun({ compiled, fiber, parent: enclosing?.parent, reporters })
}

const limitsFor = ({ program, timeout }: Compiled, fiber: Fiber.Fiber<unknown, unknown>): RunPermits | undefined => {
  const { limiters } = program
  const [limiter] = limiters
  if (limiter === undefined) return undefined
  const takers = { limiters, longestPaths: (usual: (limit: Limited) => number) => longestPaths(program, usual) }
  return limiter.make(takers, fiber, timeout === undefined ? Infinity : Duration.toMillis(timeout))
}

/** What slots are taken from where nothing is held around the run: who has one needs no slot of any other such run. */
const outermost = {}

/** What a run's slots are taken from, where somebody may wait in a cache for what waits for them. */
const supplyFor = (
  { limit = Infinity, program }: Compiled,
  fiber: Fiber.Fiber<unknown, unknown>,
  outer: OuterSlots | undefined
): object | undefined => {
  const areEndless = limit === Infinity && (outer?.limit ?? Infinity) === Infinity
  if (areEndless || !(program.sharesLoads || outer !== undefined)) return undefined
  return fiber.getRef(Held) === undefined ? outermost : {}
}

const slotsFor = (
  compiled: Compiled,
  fiber: Fiber.Fiber<unknown, unknown>,
  enclosing: Enclosing | undefined,
  limits: RunPermits | undefined
): Slots | undefined => {
  const { limit, program } = compiled
  const outer = enclosing?.slots
  if (limit === undefined && outer === undefined && limits === undefined) return undefined
  return new Slots(limit ?? Infinity, program.urgency, outer, limits, supplyFor(compiled, fiber, outer))
}

const setupFor = (
  compiled: Compiled,
  fiber: Fiber.Fiber<unknown, unknown>,
  context: Context.Context<never>,
  enclosing: Enclosing | undefined,
  { failFast, reporter }: Execution
): RunSetup => {
  const { declaration, inBatches, nested, program, undoLimit } = compiled
  const isAccounted = program.undoes || (failFast && declaration.onExit !== undefined)
  const limits = limitsFor(compiled, fiber)
  const watch = watchFor(compiled, fiber, reporter, enclosing)
  return {
    program,
    context,
    failFast,
    slots: slotsFor(compiled, fiber, enclosing, limits),
    limits,
    watch,
    // Level by level, nothing of a later level can come to a batch of this one.
    foreseen: inBatches ? undefined : nested.foreseen,
    inside: enclosing?.inside,
    saga: isAccounted ? new Saga({ program, watch, limit: undoLimit, keeps: failFast }) : undefined,
    rewinds: program.undoes && failFast ? new Map() : undefined
  }
}

/** Runs a loader once. */
export const execute = (self: AnyLoader, execution: Execution): Effect.Effect<unknown, unknown> =>
  Effect.withFiber((fiber) => {
    const compiled = compiledOf(self)
    const context = RunLocal.outsideStep(fiber.context)
    // Most runs are inside no step, and have nothing to look for.
    const enclosing = context === fiber.context ? undefined : fiber.getRef(Enclosing)
    const setup = setupFor(compiled, fiber, context, enclosing, execution)
    const run = new Run(setup)
    const unusable = run.giveInputs(execution.inputs, valuesOf(self))
    if (unusable !== undefined) return Exit.die(unusable)
    if (setup.saga !== undefined) {
      const next: Legs["next"] = (kept) => {
        const leg = new Run({ ...setup, slots: slotsFor(compiled, fiber, enclosing, setup.limits), kept })
        leg.giveInputs(execution.inputs, valuesOf(self))
        return leg
      }
      return accounted(run, { ...setup, saga: setup.saga, next }, fiber, compiled, execution)
    }
    const conclude = (run: Run): Effect.Effect<unknown, unknown> => {
      run.finish()
      return execution.conclude(run, exitOf(run))
    }
    return schedule(run, fiber, compiled, conclude, concludeInterruption)
  })

/** Nothing more is to come of a leg. */
const over = (run: Run): Effect.Effect<void> => {
  run.foresight?.end()
  return Exit.void
}

/** A run whose end is followed by an account: see the top. */
const accounted = (
  first: Run,
  { next, saga, watch }: Pick<Legs, "next" | "saga" | "watch">,
  fiber: Fiber.Fiber<unknown, unknown>,
  compiled: Compiled,
  execution: Execution
): Effect.Effect<unknown, unknown> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scheduled: Legs["schedule"] = (run, timeout) =>
        schedule(run, fiber, { inBatches: compiled.inBatches, timeout }, over, over)
      const { timeout } = compiled
      const { ended, run } = yield* runLegs(first, { saga, watch, timeout, schedule: scheduled, next, restore })
      // Until here an interruption counts, also one that came when nothing ran any more.
      const interrupted = Exit.isFailure(ended) ? ended : yield* Effect.exit(restore(Effect.void))
      if (Exit.isFailure(interrupted)) run.stop({ _tag: "Interrupted" })
      const ownExit = Exit.isFailure(interrupted) ? withFailures(interrupted.cause, run) : exitOf(run)
      run.skipRest()
      const exit = Exit.isFailure(ownExit) && execution.failFast ? yield* undone(ownExit.cause, saga) : ownExit
      if (Exit.isSuccess(exit) && execution.failFast && execution.reversible !== true) handOver(saga, fiber)
      run.finish()
      const because = Exit.isFailure(exit) ? exit.cause : Cause.empty
      const notUndone = saga.notUndone(execution.inputs, because)
      if (notUndone !== undefined) yield* apart(tellOf(notUndone, compiled))
      const told =
        notUndone === undefined || Exit.isSuccess(exit) ? exit : Exit.failCause(beside(exit.cause, notUndone))
      if (execution.failFast) yield* runHooks(told, compiled)
      return yield* Exit.isFailure(interrupted) ? told : execution.conclude(run, told)
    })
  )

/** Undoes what a load has done that failed. A defect of the undoing follows what the load failed with. */
const undone = (cause: Cause.Cause<unknown>, saga: Saga): Effect.Effect<Exit.Exit<never, unknown>> =>
  Effect.map(Effect.exit(saga.rollback(cause)), (exit) =>
    Exit.failCause(combine(Exit.isFailure(exit) ? [cause, exit.cause] : [cause]))
  )

const withFailures = (interruption: Cause.Cause<unknown>, run: Run): AnyExit =>
  Exit.failCause(combine([interruption, ...timedOut(run), ...run.failures]))

const handOver = (saga: Saga, fiber: Fiber.Fiber<unknown, unknown>): void => {
  const frame = frameIn(fiber.context)
  if (frame !== undefined) saga.handOver(frame)
}

/** Tells whoever wants to know of what could not be undone. */
const tellOf = (error: RollbackError, { declaration }: Compiled): Effect.Effect<void> => {
  const { onCompensationFailure: handler } = declaration.options
  if (handler === undefined) return logNotUndone(error)
  return logFailure(error.loader, "`onCompensationFailure`", () => handler(error))
}

/** One line for all, with the causes of the first: a log is read by people. */
const logNotUndone = ({ failures, message }: RollbackError): Effect.Effect<void> => {
  const causes = failures.slice(0, mostCauses).map(({ failure }) => failure)
  // oxlint-disable-next-line effect-loader/no-call-spread -- a few
  return Effect.logError(message, ...causes)
}

const mostCauses = 100

/** Whatever is hung on the end of a load is run, one after the other. */
const runHooks = (exit: AnyExit, { declaration: { onExit = [] }, program }: Compiled): Effect.Effect<void> =>
  Effect.forEach(onExit, (hook) => apart(logFailure(program.name, "a hook of Loader.onExit", () => hook(exit))), {
    discard: true
  })

/** Runs something that others have hung on to a run: when it fails, that is logged, and changes nothing. */
const logFailure = (loader: string, what: string, hook: () => unknown): Effect.Effect<void> => {
  const owner = `loader "${loader}"`
  const run = Effect.suspend(() => asEffect(owner, what, hook())) as Effect.Effect<unknown, unknown>
  return Effect.catchCause(Effect.asVoid(run), (cause) => Effect.logError(`${owner}: ${what} failed`, cause))
}
