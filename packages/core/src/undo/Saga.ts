/**
 * What one run has done that could be undone, and when it is.
 *
 * What is done is kept in frames, one inside the other as the effects are: an attempt's, a resource's, the run's, and that
 * of a run around. A frame that ends well hands what it holds to the one around it; one that does not undoes it at once.
 * So whatever fails has undone its own parts by the time that it has failed, and the run holds only what succeeded.
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

/** Where what is done is kept for now. */
export interface UndoFrame {
  readonly done: Array<Done>
  /** Where runs inside hand over what they did: the step that may run some, and its resource. */
  readonly keeper: Keeper | undefined
}

export interface Keeper {
  readonly index: number
  readonly resource: string
}

/** The frame that what runs here is inside of. None where nothing is ever undone, as in `settle`. */
const CurrentFrame: Context.Reference<UndoFrame | undefined> =
  /* @__PURE__ */ RunLocal.makeOfStep<UndoFrame>("UndoFrame")

/** One by one: there can be more than a call takes arguments. */
const moveTo = (outer: UndoFrame, inner: UndoFrame): void => {
  for (const done of inner.done) outer.done.push(done)
}

/** The frame of whoever runs this. */
export const frameIn = (context: Context.Context<never>): UndoFrame | undefined => Context.get(context, CurrentFrame)

export interface SagaSetup {
  readonly program: Program
  readonly hooks: () => Hooks
  /** How many compensations may run at once. */
  readonly limit: number
  /** Whether what is done is kept, to be undone if the run fails. */
  readonly keeps: boolean
}

export class Saga {
  /** What could not be undone so far. */
  readonly failures: Array<CompensationError> = []
  private readonly setup: SagaSetup
  private readonly frame: UndoFrame = { done: [], keeper: undefined }

  constructor(setup: SagaSetup) {
    this.setup = setup
  }

  /** All of a resource's load: what it has done is the run's when it succeeds. `keeper`: where it may run other loaders. */
  whole(self: AnyEffect, keeper: Keeper | undefined): AnyEffect {
    return this.setup.keeps ? this.framed(self, () => this.frame, keeper) : self
  }

  /** An attempt that others may follow. */
  attempt(self: AnyEffect): AnyEffect {
    return this.setup.keeps ? this.framed(self, frameIn) : self
  }

  /** A load, with what undoes it or cleans up after it. */
  undoable(place: LoadPlace, self: AnyEffect, undo: UndoFunction): AnyEffect {
    return undo._tag === "Cleanup" ? this.cleanedUp(place, self, undo.undo) : this.compensated(place, self, undo.undo)
  }

  /**
   * Undoes all that the run has done. What is done is done when this is called: nothing of the run runs any more.
   */
  rollback(cause: Cause.Cause<unknown>): Effect.Effect<void> {
    const { limit, program } = this.setup
    return undoAll(program, this.frame.done.splice(0), limit, this.rollbackOf(cause))
  }

  /** Undoes what was done by steps that do not stay. */
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

  /** Hands all that the run has done to a run around it, as one thing that this step of that one did. */
  handOver({ done: kept, keeper }: UndoFrame): void {
    const done = this.frame.done.splice(0)
    if (done.length === 0 || keeper === undefined) return
    const { index, resource } = keeper
    const { limit, program } = this.setup
    const undo = (rollback: Rollback) =>
      undoAll(program, done, limit, { ...rollback, inside: { resource, around: rollback.inside } })
    kept.push({ index, undo })
  }

  /** What could not be undone since this was last asked, as one error; `undefined` if everything was. */
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

  /** In the step in which the load succeeds, what undoes it is kept: nothing can come between. */
  private compensated(place: LoadPlace, self: AnyEffect, undo: CompensationFunction["undo"]): AnyEffect {
    if (!this.setup.keeps) return self
    return Effect.withFiber((fiber) => {
      const outer = frameIn(fiber.context)!
      const services = RunLocal.outsideStep(fiber.context)
      // What is inside is undone after it.
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
