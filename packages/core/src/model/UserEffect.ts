/**
 * What users give, checked where it is used: effects, lists, and plain answers of functions.
 *
 * Whatever comes instead is a defect that names the resource and the place, says what came and what to do. Nothing here
 * runs for values that are right, beyond the question whether they are.
 */
import { Cause, type Duration, Effect, Exit, Scope } from "effect"
import { toDuration } from "../base/DurationInput.ts"
import { describe } from "../base/ErrorText.ts"
import { kindOf, valueText } from "../base/ValueText.ts"
import type { AnyEffect, Layer, Seal } from "./Node.ts"

/** What a message calls by its name. */
export interface Named {
  readonly name: string
}

/** Whose function it is: a resource, or anything else in words. */
export type Owner = Named | string

const subjectOf = (of: Owner): string => (typeof of === "string" ? of : `resource "${of.name}"`)

/** A kind of value that users' functions give. `read` gives `undefined` for anything else. */
export interface Expected<A> {
  readonly text: string
  readonly read: (value: unknown) => A | undefined
  /** What to do about a value of this kind. */
  readonly advice?: (kind: string) => string | undefined
}

const adviceOnEffects: Readonly<Record<string, string>> = {
  undefined: "did you forget `return`?",
  Promise: "wrap it in Effect.tryPromise",
  thenable: "wrap it in Effect.tryPromise",
  Generator: "wrap its function in Effect.gen",
  "generator function": "wrap it in Effect.gen",
  "async function": "call it in Effect.tryPromise",
  function: "call it",
  resource: "name it in `deps` and use its value",
  loader: "run it with Loader.load, or declare it with Resource.fromLoader",
  Option: "use Effect.fromOption",
  Result: "use Effect.fromResult",
  Layer: "use Resource.fromLayer, or Layer.build",
  Stream: "run it, with Stream.runCollect for all its values",
  AsyncGenerator: "make a Stream of it and run that",
  "async iterable": "make a Stream of it and run that",
  "Effect of another major version of effect": "use the `effect` that effect-loader uses"
}

const anEffect: Pick<Expected<AnyEffect>, "text" | "advice"> = {
  text: "an Effect",
  advice: (kind) => adviceOnEffects[kind] ?? "wrap a value in Effect.succeed"
}

const adviceOnAnswers = (kind: string): string | undefined => {
  if (kind === "undefined") return "did you forget `return`?"
  return kind === "Promise" || kind === "Effect" || kind === "thenable" ? "it must give its answer at once" : undefined
}

/** The error that says what came in the place of something else. The reason of a promise becomes its `cause`. */
const unexpected = (
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

/** What a user's function gives; what it throws is a defect. */
export const call = <A>(f: (argument: A) => unknown, argument: A): unknown => {
  try {
    return f(argument)
  } catch (defect) {
    return Exit.die(defect)
  }
}

export const notAnEffect = (of: Owner, what: string, value: unknown): Exit.Exit<never> =>
  Exit.die(unexpected(of, what, anEffect, value))

/** What a user's function gave, if it is an effect, and otherwise a defect that says so. `what`: which function. */
export const asEffect = (of: Owner, what: string, value: unknown): AnyEffect =>
  Effect.isEffect(value) ? (value as AnyEffect) : notAnEffect(of, what, value)

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

/** A failure with a defect of what was asked about it: the failure stays. */
export const withDefect = <E>(cause: Cause.Cause<E>, defect: unknown): Cause.Cause<E> =>
  Cause.combine(cause, Cause.die(defect))

/** What a handler makes of a failure. One that throws, or gives no effect, leaves the failure, with the defect added. */
export const handledBy = (
  of: Owner,
  what: string,
  handler: (failure: unknown) => unknown,
  failure: unknown,
  cause: Cause.Cause<unknown>
): AnyEffect => {
  let defect: unknown
  try {
    const given = handler(failure)
    if (Effect.isEffect(given)) return given as AnyEffect
    defect = unexpected(of, what, anEffect, given)
  } catch (thrown) {
    defect = thrown
  }
  return Exit.failCause(withDefect(cause, defect))
}

/**
 * What is done about a failure, where a user's function says that it is to be. One that throws, or gives no answer, leaves
 * the failure, with the defect added.
 */
export const decide = (
  cause: Cause.Cause<unknown>,
  of: Owner,
  what: string,
  ask: () => unknown,
  then: () => AnyEffect | undefined
): AnyEffect => {
  try {
    if (!answerOf(of, what, aBoolean, ask)) return Exit.failCause(cause)
  } catch (defect) {
    return Exit.failCause(withDefect(cause, defect))
  }
  return then() ?? Exit.failCause(cause)
}

/** What a list is made of. Texts, Effects, Options and Results can be iterated over, too, and are no lists. */
export type List<I> = Iterable<I> & {
  readonly charAt?: never
  readonly "~effect/Effect"?: never
  readonly _tag?: never
}

/** How many items a list may have that does not say how many it has: such a one can be endless. */
const mostUncounted = 1_000_000

const adviceOnLists: Readonly<Record<string, string>> = {
  undefined: "did you forget `return`?",
  Promise: "load it in a resource of its own, and name that in `deps`",
  Effect: "load it in a resource of its own, and name that in `deps`",
  thenable: "load it in a resource of its own, and name that in `deps`",
  string: "split it, or give an array of one",
  AsyncGenerator: "load it in a resource of its own with Stream.runCollect, and name that in `deps`",
  "async iterable": "load it in a resource of its own with Stream.runCollect, and name that in `deps`",
  Stream: "load it in a resource of its own with Stream.runCollect, and name that in `deps`",
  resource: "name it in `deps` and use its value",
  object: "give the array in it, or its Object.values",
  Option: "use Option.toArray"
}

/** Can be iterated over, for `yield*`, and are no lists. */
const singles: ReadonlyArray<string> = ["string", "Effect", "Option", "Result"]

/** What one-shot iterators gave: each can be read only once, however often its list is loaded. */
const onceRead = new WeakMap<object, () => ReadonlyArray<unknown>>()

const readAll = (of: Owner, given: Iterable<unknown>): ReadonlyArray<unknown> => {
  const all: Array<unknown> = []
  for (const item of given) {
    if (all.length === mostUncounted) {
      throw new RangeError(
        `${subjectOf(of)}: \`items\` has not ended after ${mostUncounted} items: give an array where there are more`
      )
    }
    all.push(item)
  }
  return all
}

const readOnce = (of: Owner, given: object, iterator: Iterable<unknown>): ReadonlyArray<unknown> => {
  let known = onceRead.get(given)
  if (known === undefined) {
    try {
      const all = readAll(of, iterator)
      known = () => all
    } catch (defect) {
      known = () => {
        throw defect
      }
    }
    onceRead.set(given, known)
  }
  return known()
}

/** The items of a list. Throws a defect that says what came otherwise. */
export const itemsOf = (of: Owner, given: unknown): ReadonlyArray<unknown> => {
  if (Array.isArray(given)) return Array.from(given as ReadonlyArray<unknown>)
  const isIterable = typeof given === "object" && given !== null && Symbol.iterator in given
  if (!isIterable || singles.includes(kindOf(given))) {
    throw unexpected(of, "`items`", { text: "a list", advice: (kind) => adviceOnLists[kind] }, given)
  }
  const list = given as Iterable<unknown>
  if (list instanceof Set || list instanceof Map) return Array.from(list)
  const iterator = list[Symbol.iterator]()
  // An iterator that gives itself is used up by reading it.
  return (iterator as unknown) === given ? readOnce(of, given, list) : readAll(of, list)
}

/** What a layer does with what is inside. */
type Wrap = (layer: Layer, self: AnyEffect) => unknown

/** The layers around an effect. One that throws, or gives no effect, is a defect like any other of the resource. */
export const wrapIn = (of: Owner, layers: ReadonlyArray<Layer>, self: AnyEffect, wrap: Wrap): AnyEffect =>
  layers.reduce(
    (effect, layer) => Effect.suspend(() => asEffect(of, `the policy ${layer.label}`, wrap(layer, effect))),
    self
  )

/**
 * Refuses options that could not work when they are used. Throws an `IllegalArgumentError`.
 *
 * - `what`, `name`: the constructor, and the name of what it declares.
 * - `required`, `optional`: the options that have to be functions, and those that have to be where they are given.
 */
export const checkFunctions = (
  what: string,
  name: string,
  options: unknown,
  required: ReadonlyArray<string>,
  optional: ReadonlyArray<string> = []
): void => {
  if (typeof options !== "object" || options === null) {
    throw new Cause.IllegalArgumentError(`${what}("${name}") needs an object of options, got ${valueText(options)}`)
  }
  const given = options as Readonly<Record<string, unknown>>
  const wrong = [...required, ...optional.filter((option) => given[option] !== undefined)].find(
    (option) => typeof given[option] !== "function"
  )
  if (wrong === undefined) return
  throw new Cause.IllegalArgumentError(
    `${what}("${name}"): \`${wrong}\` must be a function, got ${valueText(given[wrong])}`
  )
}

/** A load inside of the seal that a layer around it asks for. */
export const sealIn = (seal: Seal | undefined, { name }: Named, self: AnyEffect): AnyEffect =>
  seal === undefined ? self : seal(self, name)

/** Runs an attempt in a scope of its own, which is closed with it if it fails, and with `parent` otherwise. */
export const inChildScope = (self: AnyEffect, parent: Scope.Scope): AnyEffect =>
  Effect.suspend(() => {
    const child = Scope.makeUnsafe()
    return Effect.onExit(Effect.provideService(self, Scope.Scope, child), (exit) => {
      if (child.state._tag === "Empty") return Effect.void
      return Exit.isSuccess(exit)
        ? Scope.addFinalizerExit(parent, (end) => Scope.close(child, end))
        : Scope.close(child, exit)
    })
  })
