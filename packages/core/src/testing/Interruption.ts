/**
 * Interruption at every step: what a program leaves behind, whenever it is cut short.
 *
 * @since 0.1.0
 */
import { Effect, Fiber } from "effect"
import { observe } from "../run/Observer.ts"
import { type Recorded, record } from "./RunLog.ts"

/**
 * Runs an effect again and again: interrupted at its first event, at its second, and so on until it runs to its end.
 *
 * - `self`: made anew for each run, so that it can start from a clean state.
 * - `check`: looks at what each run left behind.
 * - `whileRunning`: what moves time on, such as `TestClock.adjust("1 hour")`; runs beside each run.
 *
 * Gives how often it ran.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Interruption } from "effect-loader/testing"
 *
 * let open = 0
 * const connection = Resource.make("connection", {
 *   load: () => Effect.acquireRelease(Effect.sync(() => open++), () => Effect.sync(() => open--))
 * })
 * const program = Effect.scoped(Loader.load(Loader.make({ connection })))
 *
 * const runs = Interruption.atEveryEvent(() => program, {
 *   check: () => Effect.sync(() => console.assert(open === 0))
 * })
 * Effect.runPromise(runs).then((times) => console.log(times > 1)) // true
 * ```
 *
 * @since 0.1.0
 * @category interrupting
 */
export const atEveryEvent = <A, E, R, R2 = never, R3 = never>(
  self: () => Effect.Effect<A, E, R>,
  options: {
    readonly check: (recorded: Recorded<A, E>, interruptedAt: number) => Effect.Effect<void, never, R2>
    readonly whileRunning?: Effect.Effect<void, never, R3>
  }
): Effect.Effect<number, never, R | R2 | R3> =>
  Effect.gen(function* () {
    for (let k = 0; ; k++) {
      const recorded = yield* interruptAt(self, k, options.whileRunning ?? Effect.void)
      yield* options.check(recorded, k)
      if (recorded.events.length <= k) return k + 1
    }
  })

const interruptAt = <A, E, R, R2>(
  self: () => Effect.Effect<A, E, R>,
  k: number,
  whileRunning: Effect.Effect<void, never, R2>
): Effect.Effect<Recorded<A, E>, never, R | R2> =>
  Effect.gen(function* () {
    let seen = 0
    const watched = Effect.withFiber<A, E, R>((current) =>
      observe(Effect.suspend(self), () => {
        if (seen++ === k) current.interruptUnsafe()
      })
    )
    // The recording stands around the fiber, so that it outlives the interruption.
    return yield* record(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkDetach(watched, { startImmediately: true })
        yield* whileRunning
        return yield* Fiber.join(fiber)
      })
    )
  })
