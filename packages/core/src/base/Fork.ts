/** Starts fibers in the asynchronous context of their work. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as AsyncContext from "./AsyncContext.ts"

/** Starts fibers at once, in a context, and as interruptible as the caller is. */
export const forkLike = (parent: Fiber.Fiber<unknown, unknown>, context: Context.Context<never>) => {
  const fork = Effect.runForkWith(context)
  // The public type lacks this property, which Effect's own concurrent operators read.
  const { interruptible } = parent as { readonly interruptible?: boolean }
  return interruptible === false
    ? (self: Effect.Effect<unknown, unknown, unknown>) => fork(self as never, { uninterruptible: true })
    : (fork as (self: Effect.Effect<unknown, unknown, unknown>) => Fiber.Fiber<unknown, unknown>)
}

/** Starts work that belongs to no caller, in the root asynchronous context. */
export const forkInRoot = <A, E, R>(context: Context.Context<R>, self: Effect.Effect<A, E, R>): Fiber.Fiber<A, E> =>
  AsyncContext.inRoot(() => Effect.runForkWith(context)(self))

/**
 * Runs an effect whose value several callers share: in the root asynchronous context, with the services of the caller. Its
 * fiber is interrupted with the caller, which waits for the end of the fiber.
 *
 * The fiber starts inside `callback`. Its first steps can interrupt the caller before the caller waits, so the finalizer of
 * `callback` must exist by then.
 */
export const shared = (self: Effect.Effect<unknown, unknown, unknown>): Effect.Effect<unknown, unknown, unknown> =>
  Effect.withFiber((parent) =>
    Effect.callback((resume) => {
      const fiber = AsyncContext.inRoot(() => forkLike(parent, parent.context)(self))
      fiber.addObserver(resume)
      return Effect.suspend(() => {
        fiber.interruptUnsafe(parent.id)
        return Effect.flatMap(Fiber.await(fiber), whileEnding)
      })
    })
  )

/** The failures of an interrupted effect's finalizers, added to the cause of the interruption. */
const whileEnding = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
  if (Exit.isSuccess(exit)) return Effect.void
  const reasons = exit.cause.reasons.filter((reason) => !Cause.isInterruptReason(reason))
  return reasons.length === 0 ? Effect.void : Exit.failCause(Cause.fromReasons(reasons) as Cause.Cause<never>)
}
