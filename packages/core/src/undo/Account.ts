/**
 * The account of a load: its side effects, and what happens to them when the load ends. Settling the account cannot be
 * interrupted:
 *
 *  1. If the load failed or was interrupted, its side effects are undone.
 *  2. If it succeeded inside a step of another run, that run takes over its side effects.
 *  3. Observers learn that the run has ended. Failed compensations are reported.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { isBefore } from "../compile/Layout.ts"
import type { Program } from "../compile/Program.ts"
import type { Extension, Hooks, LoadPlace } from "../model/Extension.ts"
import type { AnyEffect, Layer, Rewind } from "../model/Node.ts"
import { asEffect } from "../model/UserEffect.ts"
import {
  type AnyExit,
  causesOf,
  combine,
  type Execution,
  exitOf,
  type Runnable,
  type RunHooks
} from "../run/Execution.ts"
import type { Run } from "../run/Run.ts"
import { beside, type RollbackError } from "./CompensationError.ts"
import { goOn, misplacedRewinds, type Rewound, runWithRewinds } from "./Rewinding.ts"
import { frameIn, Saga } from "./Saga.ts"
import { beginning, doing, noting } from "./SideEffect.ts"
import { apart } from "./Undoing.ts"

/** How a loader undoes side effects, and the hooks on the ends of its loads. */
export interface Accounted extends Runnable {
  readonly declaration: {
    readonly options: {
      readonly concurrency?: number | "unbounded"
      /** How many compensations may run at once; default: `concurrency`. */
      readonly compensationConcurrency?: number | "unbounded"
      readonly onCompensationFailure?: (error: RollbackError) => unknown
    }
    readonly onExit?: ReadonlyArray<(exit: AnyExit) => unknown>
  }
}

const limitOf = ({ declaration: { options } }: Accounted): number => {
  const limit = options.compensationConcurrency ?? options.concurrency ?? "unbounded"
  return limit === "unbounded" ? Infinity : limit
}

class Account {
  readonly saga: Saga
  private readonly execution: Execution
  private readonly runnable: Accounted
  private run: Run
  /** How often each policy has rewound this load. */
  private readonly rewinds = new Map<Rewind, number>()
  private rewound: Rewound | undefined = undefined

  constructor(execution: Execution, run: Run) {
    this.execution = execution
    this.runnable = execution.runnable as Accounted
    this.run = run
    this.saga = new Saga({
      program: run.program,
      hooks: () => this.run.hooks,
      limit: limitOf(this.runnable),
      keeps: run.failFast
    })
  }

  hooksOf(run: Run): RunHooks {
    this.run = run
    const { saga } = this
    const undoes = (index: number): boolean => run.program.steps[index]!.attempts!.undoes
    return {
      around: (first) => this.around(first),
      load: (place, self) => (undoes(place.index) ? doing(self) : self),
      layer: (place, layer, isLoad, wrap, self) => this.layer(place, layer, isLoad, wrap, self),
      retried: (index, self) => (undoes(index) ? saga.attempt(self) : self),
      rewinding: (index, cause, rewind) => this.rewind(index, cause, rewind),
      whole: (index, self) => {
        const { attempts, name } = run.program.steps[index]!
        if (!undoes(index)) return self
        const runsLoaders = attempts!.isLoader || attempts!.items !== undefined
        return saga.whole(self, runsLoaders ? { index, resource: name } : undefined)
      }
    }
  }

  private layer(
    place: LoadPlace,
    { mayKnow, undo }: Layer,
    isLoad: boolean,
    wrap: (self: AnyEffect) => AnyEffect,
    self: AnyEffect
  ): AnyEffect {
    if (undo !== undefined) return this.saga.undoable(place, self, undo)
    const wrapped = wrap(mayKnow === true ? noting(self) : self)
    return isLoad ? beginning(wrapped) : wrapped
  }

  /** A step asks for a rewind. Returns whether it is allowed; if so, the current run stops. */
  private rewind(index: number, cause: Cause.Cause<unknown>, rewind: Rewind): boolean {
    const { rewinds, run } = this
    const { steps } = run.program
    const count = rewinds.get(rewind) ?? 0
    if (!run.failFast || run.stopped !== undefined || count >= rewind.times) return false
    // A value that was given in the place of a resource may cut the path to the earlier one.
    if (!isBefore(steps, rewind.to, index)) return false
    rewinds.set(rewind, count + 1)
    this.rewound = { because: steps[index]!.name, cause, rewind }
    run.hooks.attempts!.abort(index, cause)
    return true
  }

  private around(first: Run): Effect.Effect<unknown, unknown> {
    const { execution, runnable, saga } = this
    const { failFast, inputs, reversible } = execution.options
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function* () {
        const { ended, run } = yield* runWithRewinds(first, {
          saga,
          restore,
          timeout: runnable.timeout,
          sink: () => this.run.hooks.undone,
          rewound: () => this.rewound,
          schedule: (run, timeout) => execution.schedule(run, timeout, over, over),
          next: (kept) => {
            this.rewound = undefined
            const next = goOn(execution.run(), kept)
            execution.giveInputs(next)
            return next
          }
        })
        // An interruption counts until here, also one that came after the last step had ended.
        const interrupted = Exit.isFailure(ended) ? ended : yield* Effect.exit(restore(Effect.void))
        if (Exit.isFailure(interrupted)) run.stop({ _tag: "Interrupted" })
        const ownExit = Exit.isFailure(interrupted) ? withFailures(interrupted.cause, run) : exitOf(run)
        run.hooks.rest?.()
        const exit = Exit.isFailure(ownExit) && failFast ? yield* undone(ownExit.cause, saga) : ownExit
        if (Exit.isSuccess(exit) && failFast && reversible !== true) this.handOver()
        run.finish()
        const because = Exit.isFailure(exit) ? exit.cause : Cause.empty
        const notUndone = saga.notUndone(inputs, because)
        if (notUndone !== undefined) yield* apart(tellOf(notUndone, runnable))
        const told =
          notUndone === undefined || Exit.isSuccess(exit) ? exit : Exit.failCause(beside(exit.cause, notUndone))
        if (failFast) yield* runHooks(told, runnable)
        return yield* Exit.isFailure(interrupted) ? told : execution.options.conclude(run, told, execution)
      })
    )
  }

  private handOver(): void {
    const frame = frameIn(this.execution.fiber.context)
    if (frame !== undefined) this.saga.handOver(frame)
  }
}

/** One run of the load has ended; another one may follow after a rewind. */
const over = ({ hooks }: Run): Effect.Effect<void> => {
  hooks.ended?.()
  return Exit.void
}

/** Undoes the side effects of a failed load. A defect of undoing follows the failures of the load in the cause. */
const undone = (cause: Cause.Cause<unknown>, saga: Saga): Effect.Effect<Exit.Exit<never, unknown>> =>
  Effect.map(Effect.exit(saga.rollback(cause)), (exit) =>
    Exit.failCause(combine(Exit.isFailure(exit) ? [cause, exit.cause] : [cause]))
  )

const withFailures = (interruption: Cause.Cause<unknown>, run: Run): AnyExit =>
  Exit.failCause(combine([interruption, ...causesOf(run)]))

/** Reports failed compensations to the loader's function, or to the log. */
const tellOf = (error: RollbackError, { declaration }: Accounted): Effect.Effect<void> => {
  const { onCompensationFailure: handler } = declaration.options
  return handler === undefined
    ? logNotUndone(error)
    : logFailure(error.loader, "`onCompensationFailure`", () => handler(error))
}

/** Logs one line with the first causes, so that people can read it. */
const logNotUndone = ({ failures, message }: RollbackError): Effect.Effect<void> => {
  const causes = failures.slice(0, mostCauses).map(({ failure }) => failure)
  // oxlint-disable-next-line effect-loader/no-call-spread -- a few
  return Effect.logError(message, ...causes)
}

const mostCauses = 100

/** Runs the hooks on the end of a load, one after the other. */
const runHooks = (exit: AnyExit, { declaration: { onExit = [] }, program }: Accounted): Effect.Effect<void> =>
  Effect.forEach(onExit, (hook) => apart(logFailure(program.name, "a hook of Loader.onExit", () => hook(exit))), {
    discard: true
  })

/** Runs a hook. A failure is logged and does not change the exit of the load. */
const logFailure = (loader: string, what: string, hook: () => unknown): Effect.Effect<void> => {
  const owner = `loader "${loader}"`
  const run = Effect.suspend(() => asEffect(owner, what, hook())) as Effect.Effect<unknown, unknown>
  return Effect.catchCause(Effect.asVoid(run), (cause) => Effect.logError(`${owner}: ${what} failed`, cause))
}

/** Undoes the side effects of failed loads. Steps whose loads can be undone bring it, and loaders with hooks on their ends. */
export const undoing: Extension = {
  prepare: ({ steps }: Program): boolean => steps.some(({ attempts }) => attempts?.undoes === true),
  check: misplacedRewinds,
  open: (run: Run, undoes: boolean | undefined, execution: Execution): Hooks | undefined => {
    const { onExit = [] } = (execution.runnable as Accounted).declaration
    if (undoes !== true && !(run.failFast && onExit.length > 0)) return undefined
    return execution.stateOf(undoing, () => new Account(execution, run)).hooksOf(run)
  }
}

/** The side effects of a load; `undefined` if no step can have any. */
export const sagaOf = (execution: Execution): Saga | undefined =>
  execution.stateOf<Account | undefined>(undoing, () => undefined)?.saga
