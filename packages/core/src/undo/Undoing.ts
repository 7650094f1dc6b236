/**
 * Runs compensations and cleanups, each on its own fiber, which outer interruptions do not reach, so that a timeout or a retry
 * inside it works.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { enter, leave, putOff } from "../base/Nesting.ts"
import type { Program } from "../compile/Program.ts"
import type { CompensationContext } from "../model/Undo.ts"
import type { FailedItem } from "../model/ResourceError.ts"
import { asEffect } from "../model/UserEffect.ts"
import type { Hooks } from "../model/Extension.ts"
import { CompensationError } from "./CompensationError.ts"
import { UndoOrder } from "./UndoOrder.ts"

/** A rollback: its cause, and the failed compensations. */
export interface Rollback {
  readonly cause: Cause.Cause<unknown>
  readonly hooks: Hooks
  readonly failures: Array<CompensationError>
  /** The outer resource whose nested loader is being undone, if any. */
  readonly inside: InsideOf | undefined
}

/** An outer resource and the one around it, as a linked list, since loaders may be nested deep. */
interface InsideOf {
  readonly resource: string
  readonly around: InsideOf | undefined
}

/** The names from the run that rolls back inwards. */
const pathTo = (resource: string, inside: InsideOf | undefined): ReadonlyArray<string> => {
  const path = [resource]
  for (let at = inside; at !== undefined; at = at.around) path.push(at.resource)
  return path.reverse()
}

/** A side effect and its undo function, which never fails: failures are recorded in the rollback. */
export interface Done {
  readonly index: number
  readonly undo: (rollback: Rollback) => Effect.Effect<void>
}

/** The resource, or item, of an undo function. */
export interface UndoOwner {
  readonly resource: string
  readonly item: FailedItem | undefined
  readonly attempts: number
}

/** Runs an effect on its own interruptible fiber, which outer interruptions do not reach, and waits for its end. */
export const apart = <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.uninterruptible(
    Effect.withFiber((fiber) =>
      Effect.callback((resume) => {
        const started = Effect.runForkWith(fiber.context)(self)
        started.addObserver(resume)
      })
    )
  )

/** Runs one compensation or cleanup with the services of its resource's load. */
export const runUndo = (
  { attempts, item, resource }: UndoOwner,
  rollback: Rollback,
  services: Context.Context<never>,
  undo: { readonly run: (context: CompensationContext) => unknown; readonly value: unknown; readonly cleanup: boolean }
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { cause, failures, hooks, inside } = rollback
    const { cleanup, value } = undo
    const path = pathTo(resource, inside)
    const at = { path, item: item?.index, cleanup }
    const ofItem = item === undefined ? {} : { item }
    const what = cleanup ? "`cleanup`" : "`compensate`"
    const bare = Effect.suspend(() =>
      asEffect({ name: resource }, what, undo.run({ resource, cause, attempts, ...ofItem }))
    )
    const effect = hooks.wrapUndo?.(at, bare) ?? bare
    const placed = hooks.undone?.started(at, services) ?? services
    return Effect.flatMap(Effect.exit(Effect.updateContext(effect, () => placed as never)), (exit) => {
      if (Exit.isSuccess(exit)) {
        hooks.undone?.succeeded(at)
        return Exit.void
      }
      failures.push(new CompensationError({ path, value, failure: exit.cause, cleanup, ...ofItem }))
      hooks.undone?.failed(at, exit.cause)
      return Exit.void
    })
  })

/**
 * Undoes side effects of the steps of a program, `limit` at once; without a program, those of one step. `done` is in the order
 * of completion.
 */
export const undoAll = (
  program: Program | undefined,
  done: ReadonlyArray<Done>,
  limit: number,
  rollback: Rollback
): Effect.Effect<void> => {
  if (done.length === 0) return Effect.void
  return Effect.withFiber((parent) =>
    Effect.callback((resume) => {
      const fork = Effect.runForkWith(parent.context)
      const order = new UndoOrder(program, done)
      let running = 0
      let pumping = false
      const { scheduler } = parent.cache
      const pump = (): void => {
        if (pumping) return
        if (!enter(scheduler)) return putOff(pump)
        try {
          pumping = true
          while (running < limit) {
            const next = order.next()
            if (next === undefined) break
            start(next)
          }
          pumping = false
          if (running === 0) resume(Effect.void)
        } finally {
          leave()
        }
      }
      const start = (next: Done): void => {
        running++
        fork(next.undo(rollback)).addObserver(() => {
          running--
          order.undone(next)
          pump()
        })
      }
      pump()
    })
  )
}
