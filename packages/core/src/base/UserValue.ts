/** What users give, checked where it is used: plain answers of functions. Whose function it is, is named in the defect. */
import { Cause, type Duration } from "effect"
import { anyDuration, toDuration } from "./DurationInput.ts"
import { describe } from "./ErrorText.ts"
import { kindOf, valueText } from "./ValueText.ts"

/** What a message calls by its name. */
export interface Named {
  readonly name: string
}

/** Whose function it is: a resource, or anything else in words. */
export type Owner = Named | string

export const subjectOf = (of: Owner): string => (typeof of === "string" ? of : `resource "${of.name}"`)

/** A kind of value that users' functions give. `read` gives `undefined` for anything else. */
export interface Expected<A> {
  readonly text: string
  readonly read: (value: unknown) => A | undefined
  /** What to do about a value of this kind. */
  readonly advice?: (kind: string) => string | undefined
}

const adviceOnAnswers = (kind: string): string | undefined => {
  if (kind === "undefined") return "did you forget `return`?"
  return kind === "Promise" || kind === "Effect" || kind === "thenable" ? "it must give its answer at once" : undefined
}

/** The error that says what came in the place of something else. The reason of a promise becomes its `cause`. */
export const unexpected = (
  of: Owner,
  what: string,
  { advice = adviceOnAnswers, text }: Pick<Expected<unknown>, "text" | "advice">,
  came: unknown
): TypeError => {
  const todo = advice(kindOf(came))
  const error = new TypeError(
    `${subjectOf(of)}: ${what} gave ${valueText(came)} where ${text} was expected${todo === undefined ? "" : `: ${todo}`}`
  )
  try {
    // Not its own `then`: that of a lazy promise or a query builder would start its work. Anything but a promise throws.
    const noteReason = (reason: unknown) => void Object.assign(error, { cause: reason })
    void Promise.prototype.then.call(came, undefined, noteReason)
  } catch {}
  return error
}

/** What a user's function gave, if it is what is expected of it. Throws a defect that says what came otherwise. */
export const checked = <A>(of: Owner, what: string, expected: Expected<A>, value: unknown): A => {
  const read = expected.read(value)
  if (read === undefined) throw unexpected(of, what, expected, value)
  return read
}

/** What a user's function answers. Throws a defect that names the function where it throws, or gives something else. */
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
  text: "a text",
  read: (value) => (typeof value === "string" ? value : undefined)
}

export const aDuration: Expected<Duration.Duration> = {
  text: "a duration of 0 or more",
  read: toDuration
}

/** How long something lives: what is over already lives no time. */
export const aTimeToLive: Expected<Duration.Duration> = {
  text: "a duration",
  read: anyDuration
}

/** A failure with a defect of what was asked about it: the failure stays. */
export const withDefect = <E>(cause: Cause.Cause<E>, defect: unknown): Cause.Cause<E> =>
  Cause.combine(cause, Cause.die(defect))
