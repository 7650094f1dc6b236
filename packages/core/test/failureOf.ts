import { Cause, Exit } from "effect"
import { assert } from "vitest"

/** What an exit failed with, typed; that it did is asserted. */
export const failureOf = <E>(exit: Exit.Exit<unknown, E>): E => {
  const failure = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason) : undefined
  return failure === undefined ? assert.fail("there was no failure") : failure.error
}
