/** Tests that promises which a user gives by mistake do not end the process. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"

/** Waits until Node.js has reported the rejections that nothing has handled: it does so before the next turn. */
export const untilHandled = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** Runs an effect, and fails if a promise rejects meanwhile whose rejection nothing handles. */
export const withoutUnhandledRejections = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const unhandled: Array<unknown> = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on("unhandledRejection", note)
    return self.pipe(
      Effect.tap(untilHandled),
      Effect.tap(Effect.sync(() => assert.deepStrictEqual(unhandled, []))),
      Effect.ensuring(Effect.sync(() => process.off("unhandledRejection", note)))
    )
  })
