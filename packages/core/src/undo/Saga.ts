/**
 * The side effects of a load that can be undone, and when they are.
 *
 * Frames hold undo functions. They are nested as the effects are: the frames of an attempt, a resource, the run, and the parent
 * run. A frame that ends in a success passes its undo functions to the frame around it; a frame that ends in a failure runs
 * them at once. So a failed effect has undone its own parts when it ends, and the run holds only undo functions of successes.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as RunLocal from "../base/RunLocal.ts"
import type { Program } from "../compile/Program.ts"
import type { Hooks, LoadPlace } from "../model/Extension.ts"
import type { AnyEffect } from "../model/Node.ts"
import type { CleanupFunction, CompensationContext, CompensationFunction, UndoFunction } from "../model/Undo.ts"
import { CompensationError, RollbackError } from "./CompensationError.ts"
import { noting } from "./SideEffect.ts"
import { apart, type Done, type UndoOwner, type Rollback, runUndo, undoAll } from "./Undoing.ts"

/** Holds undo functions. */
export interface UndoFrame {
  readonly done: Array<Done>
  /** The step that may run nested runs, which pass their side effects to it, and its resource. */
  readonly keeper: Keeper | undefined
}

export interface Keeper {
  readonly index: number
  readonly resource: string
}

/** The frame around the current effect. There is none if nothing is undone, as in `settle`. */
const CurrentFrame: Context.Reference<UndoFrame | undefined> =
  /* @__PURE__ */ RunLocal.makeOfStep<UndoFrame>("UndoFrame")

/** One by one, since a call takes a limited number of arguments. */
const moveTo = (outer: UndoFrame, inner: UndoFrame): void => {
  for (const done of inner.done) outer.done.push(done)
}

/** The frame around the current effect. */
export const frameIn = (context: Context.Context<never>): UndoFrame | undefined => Context.get(context, CurrentFrame)

export interface SagaSetup {
  readonly program: Program
  readonly hooks: () => Hooks
  /** How many compensations may run at once. */
  readonly limit: number
  /** Whether undo functions are kept, for the case that the run fails. */
  readonly keeps: boolean
}

export class Saga {
  /** The failed compensations so far. */
  readonly failures: Array<CompensationError> = []
  private readonly setup: SagaSetup
  private readonly frame: UndoFrame = { done: [], keeper: undefined }

  constructor(setup: SagaSetup) {
    this.setup = setup
  }

  /** Wraps the whole load of a resource. A success passes its undo functions to the run. `keeper`: set if it may run loaders. */
  whole(self: AnyEffect, keeper: Keeper | undefined): AnyEffect {
    return this.setup.keeps ? this.framed(self, () => this.frame, keeper) : self
  }

  /** Wraps an attempt that other attempts may follow. */
  attempt(self: AnyEffect): AnyEffect {
    return this.setup.keeps ? this.framed(self, frameIn) : self
  }

  /** Wraps a load with its compensation or cleanup. */
  undoable(place: LoadPlace, self: AnyEffect, undo: UndoFunction): AnyEffect {
    return undo._tag === "Cleanup" ? this.cleanedUp(place, self, undo.undo) : this.compensated(place, self, undo.undo)
  }

  /**
   * Undoes all side effects of the run, after all its steps have ended.
   */
  rollback(cause: Cause.Cause<unknown>): Effect.Effect<void> {
    const { limit, program } = this.setup
    return undoAll(program, this.frame.done.splice(0), limit, this.rollbackOf(cause))
  }

  /** Undoes the side effects of steps that a rewind does not keep. */
  rewind(keep: Uint8Array, cause: Cause.Cause<unknown>): Effect.Effect<void> {
    const all = this.frame.done.splice(0)
    for (const done of all) if (keep[done.index] === 1) this.frame.done.push(done)
    const { limit, program } = this.setup
    return undoAll(
      program,
      all.filter(({ index }) => keep[index] !== 1),
      limit,
      this.rollbackOf(cause)
    )
  }

  /** Passes all undo functions of the run to the parent run, as one undo function of its step. */
  handOver({ done: kept, keeper }: UndoFrame): void {
    const done = this.frame.done.splice(0)
    if (done.length === 0 || keeper === undefined) return
    const { index, resource } = keeper
    const { limit, program } = this.setup
    const undo = (rollback: Rollback) =>
      undoAll(program, done, limit, { ...rollback, inside: { resource, around: rollback.inside } })
    kept.push({ index, undo })
  }

  /** The failed compensations since the last call, as one error; `undefined` if there are none. */
  notUndone(inputs: unknown, because: Cause.Cause<unknown>): RollbackError | undefined {
    if (this.failures.length === 0) return undefined
    return new RollbackError({ loader: this.setup.program.name, inputs, failures: this.failures.splice(0), because })
  }

  private rollbackOf(cause: Cause.Cause<unknown>): Rollback {
    return { cause, hooks: this.setup.hooks(), failures: this.failures, inside: undefined }
  }

  private framed(
    self: AnyEffect,
    into: (context: Context.Context<never>) => UndoFrame | undefined,
    keeper?: Keeper
  ): AnyEffect {
    return Effect.withFiber((fiber) => {
      const outer = into(fiber.context)!
      const frame: UndoFrame = { done: [], keeper: keeper ?? outer.keeper }
      return Effect.onExit(RunLocal.provideOfStep(self, CurrentFrame, frame), (exit) => {
        if (frame.done.length === 0) return Effect.void
        if (exit._tag === "Failure") return this.undoFrame(frame, exit.cause)
        moveTo(outer, frame)
        return Effect.void
      })
    })
  }

  private undoFrame(frame: UndoFrame, cause: Cause.Cause<unknown>): Effect.Effect<void> {
    return undoAll(undefined, frame.done.splice(0), this.setup.limit, this.rollbackOf(cause))
  }

  private cleanedUp(place: LoadPlace, self: AnyEffect, undo: CleanupFunction["undo"]): AnyEffect {
    return Effect.withFiber((fiber) =>
      noting(self, (exit, { begun }) => {
        if (exit._tag === "Success" || !begun) return Effect.void
        const cleanup = {
          run: (context: CompensationContext) => undo(place.deps, context),
          value: undefined,
          cleanup: true
        }
        return apart(runUndo(ofPlace(place), this.rollbackOf(exit.cause), RunLocal.outsideStep(fiber.context), cleanup))
      })
    )
  }

  /** The undo function is kept at the moment at which the load succeeds, so that no interruption comes in between. */
  private compensated(place: LoadPlace, self: AnyEffect, undo: CompensationFunction["undo"]): AnyEffect {
    if (!this.setup.keeps) return self
    return Effect.withFiber((fiber) => {
      const outer = frameIn(fiber.context)!
      const services = RunLocal.outsideStep(fiber.context)
      // Inner side effects are undone after it.
      const parts: UndoFrame = { done: [], keeper: outer.keeper }
      return noting(RunLocal.provideOfStep(self, CurrentFrame, parts), (exit, { made }) => {
        if (exit._tag === "Failure" || !made) {
          moveTo(outer, parts)
          return Effect.void
        }
        const { value } = exit
        const done = ofPlace(place)
        const run = (context: CompensationContext) => undo(value, place.deps, context)
        outer.done.push({
          index: place.index,
          undo: (rollback) =>
            Effect.andThen(
              runUndo(done, rollback, services, { run, value, cleanup: false }),
              undoAll(undefined, parts.done, this.setup.limit, rollback)
            )
        })
        return Effect.void
      })
    })
  }
}

const ofPlace = ({ begun, failedItem, step }: LoadPlace): UndoOwner => ({
  resource: step.name,
  attempts: begun,
  item: failedItem
})
