/** Matchers for the exit of a load. */
import { defectsAt, errorsAt, timeout } from "effect-loader/internal"
import { expectedText, matches } from "./Expected.ts"
import { exitOf } from "./Received.ts"
import { exitText, type Verdict, verdict } from "./Story.ts"

type Contains = (actual: unknown, expected: unknown) => boolean

export const failedAt = (
  received: unknown,
  where: string | ReadonlyArray<string>,
  expected: unknown,
  contains: Contains
): Verdict => {
  const exit = exitOf("toHaveFailedAt", received)
  return verdict(received, {
    pass: errorsAt(exit, where).some((error) => matches(error, expected, contains)),
    subject: `resource "${typeof where === "string" ? where : where.join('" > "')}"`,
    should: `have failed${expectedText(expected)}`,
    happened: () => exitText(exit)
  })
}

export const diedAt = (received: unknown, resource: string, expected: unknown, contains: Contains): Verdict => {
  const exit = exitOf("toHaveDiedAt", received)
  return verdict(received, {
    pass: defectsAt(exit, resource).some((defect) => matches(defect, expected, contains)),
    subject: `resource "${resource}"`,
    should: `have died${expectedText(expected)}`,
    happened: () => exitText(exit)
  })
}

const isTimeout = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "TimeoutError"

export const timedOut = (received: unknown, where: string | ReadonlyArray<string> | undefined): Verdict => {
  const exit = exitOf("toHaveTimedOut", received)
  const pass = where === undefined ? timeout(exit) !== undefined : errorsAt(exit, where).some(isTimeout)
  const name = typeof where === "string" ? where : where?.join('" > "')
  return verdict(received, {
    pass,
    subject: name === undefined ? "the load" : `resource "${name}"`,
    should: "have timed out",
    happened: () => exitText(exit)
  })
}
