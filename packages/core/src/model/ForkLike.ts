import { type Context, Effect, type Fiber } from "effect"

/** Starts fibers at once, in a context, and as interruptible as the caller is. */
export const forkLike = (parent: Fiber.Fiber<unknown, unknown>, context: Context.Context<never>) => {
  const fork = Effect.runForkWith(context)
  // Effect's own concurrent operators read it too; its type only leaves it out.
  const { interruptible } = parent as { readonly interruptible?: boolean }
  return interruptible === false
    ? (self: Effect.Effect<unknown, unknown, unknown>) => fork(self as never, { uninterruptible: true })
    : (fork as (self: Effect.Effect<unknown, unknown, unknown>) => Fiber.Fiber<unknown, unknown>)
}
