/**
 * Calls users' functions and checks the effects that they return. `base/UserValue.ts` checks plain answers, `List.ts` lists.
 *
 * Any other value is a defect that names the resource, the place and the value, and says what to do. A valid value costs
 * one check.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { anEffect, asEffect } from "../base/ExpectedEffect.ts"
import { aBoolean, answerOf, type Named, type Owner, unexpected, withDefect } from "../base/UserValue.ts"
import { valueText } from "../base/ValueText.ts"
import type { AnyEffect, Layer, Seal } from "./Node.ts"

export { asEffect, notAnEffect } from "../base/ExpectedEffect.ts"

/** Calls a user's function. If it throws, that is a defect. */
export const call = <A>(f: (argument: A) => unknown, argument: A): unknown => {
  try {
    return f(argument)
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** The effect of a handler. If it throws, or returns no effect, the failure stays, with the defect added. */
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
 * Handles a failure if a user's predicate accepts it. If the predicate throws, or returns no boolean, the failure stays, with
 * the defect added.
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

/** How a layer wraps the effect inside it. */
type WrapLayer = (layer: Layer, self: AnyEffect) => unknown

/** An effect wrapped in layers. A layer that throws, or returns no effect, is a defect of the resource. */
export const wrapIn = (of: Owner, layers: ReadonlyArray<Layer>, self: AnyEffect, wrap: WrapLayer): AnyEffect =>
  layers.reduce(
    (effect, layer) => Effect.suspend(() => asEffect(of, `the policy ${layer.label}`, wrap(layer, effect))),
    self
  )

const illegal = (what: string, name: string, problem: string, got: unknown): Cause.IllegalArgumentError =>
  new Cause.IllegalArgumentError(`${what}("${name}")${problem}, got ${valueText(got)}`)

/**
 * Checks that options are functions. Throws an `IllegalArgumentError`.
 *
 * - `what`, `name`: the constructor, and the name of the declared resource.
 * - `required`, `optional`: options that must be functions, and options that must be functions if they are given.
 */
export const checkFunctions = (
  what: string,
  name: string,
  options: unknown,
  required: ReadonlyArray<string>,
  optional: ReadonlyArray<string> = []
): void => {
  if (typeof options !== "object" || options === null) throw illegal(what, name, " needs an object of options", options)
  const given = options as Readonly<Record<string, unknown>>
  const wrong = [...required, ...optional.filter((option) => given[option] !== undefined)].find(
    (option) => typeof given[option] !== "function"
  )
  if (wrong !== undefined) throw illegal(what, name, `: \`${wrong}\` must be a function`, given[wrong])
}

/** Checks that a value was made by `Saga.compensate` or `Saga.cleanup`. Throws an `IllegalArgumentError`. */
export const checkUndo = (what: string, name: string, undo: object): void => {
  if ("~effect-loader/Undo" in Object(undo)) return
  throw illegal(what, name, ": after the options come only Saga.compensate(...) and Saga.cleanup(...)", undo)
}

/** Applies the seal that a cache around a load asks for. */
export const sealIn = (seal: Seal | undefined, { name }: Named, self: AnyEffect): AnyEffect =>
  seal === undefined ? self : seal(self, name)

/** Runs an attempt in a child scope, which closes with the attempt if that fails, and with `parent` otherwise. */
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
