/** Checks the values that functions of users return. A wrong value is a defect that names the owner of the function. */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import { anyDuration, toDuration } from "./DurationInput.ts"
import { describe } from "./ErrorText.ts"
import { kindOf, valueText } from "./ValueText.ts"

/** A declaration that a message names. */
export interface Named {
  readonly name: string
}

/** The owner of a function: a resource, or a description. */
export type Owner = Named | string

export const subjectOf = (of: Owner): string => (typeof of === "string" ? of : `resource "${of.name}"`)

/** A kind of value that a user's function returns. `read` returns `undefined` for any other. */
export interface Expected<A> {
  readonly text: string
  readonly read: (value: unknown) => A | undefined
  /** Advice about a value of this kind. */
  readonly advice?: (kind: string) => string | undefined
}

const adviceOnAnswers = (kind: string): string | undefined => {
  if (kind === "undefined") return "did you forget `return`?"
  return kind === "Promise" || kind === "Effect" || kind === "thenable" ? "it must give its answer at once" : undefined
}

/** The error about an unexpected value. If that is a promise, its rejection is handled and becomes the `cause`. */
export const unexpected = (
  of: Owner,
  what: string,
  { advice, text }: Pick<Expected<unknown>, "text" | "advice">,
  came: unknown
): TypeError => {
  const todo = advice?.(kindOf(came))
  const error = new TypeError(
    `${subjectOf(of)}: ${what} gave ${valueText(came)} where ${text} was expected${todo === undefined ? "" : `: ${todo}`}`
  )
  return withReason(error, came)
}

/** If a value is a promise, handles its rejection: the reason becomes the `cause` of an error. */
export const withReason = (error: TypeError, value: unknown): TypeError => {
  try {
    // Not the `then` of the value: that of a lazy promise or a query builder would start work. Throws for other values.
    const noteReason = (reason: unknown) => void Object.assign(error, { cause: reason })
    void Promise.prototype.then.call(value, undefined, noteReason)
  } catch {}
  return error
}

/** The value of a user's function if it is of the expected kind. Otherwise throws a defect that describes the value. */
export const checked = <A>(of: Owner, what: string, expected: Expected<A>, value: unknown): A => {
  const read = expected.read(value)
  if (read === undefined) throw unexpected(of, what, { advice: adviceOnAnswers, ...expected }, value)
  return read
}

/** The answer of a user's function. If the function throws, or returns another kind of value, throws a defect that names it. */
export const answerOf = <A>(of: Owner, what: string, expected: Expected<A>, f: () => unknown): A => {
  let value: unknown
  try {
    value = f()
  } catch (thrown) {
    throw new Error(`${subjectOf(of)}: ${what} threw: ${describe(thrown)}`, { cause: thrown })
  }
  return checked(of, what, expected, value)
}

export const aBoolean: Expected<boolean> = {
  text: "true or false",
  read: (value) => (typeof value === "boolean" ? value : undefined)
}

export const aString: Expected<string> = {
  text: "a string",
  read: (value) => (typeof value === "string" ? value : undefined)
}

export const aDuration: Expected<Duration.Duration> = {
  text: "a duration of 0 or more",
  read: toDuration
}

/** A time to live. A negative one counts as zero. */
export const aTimeToLive: Expected<Duration.Duration> = {
  text: "a duration",
  read: anyDuration
}

/** A cause with the defect of the function that examined it. The failure stays visible. */
export const withDefect = <E>(cause: Cause.Cause<E>, defect: unknown): Cause.Cause<E> =>
  Cause.combine(cause, Cause.die(defect))
