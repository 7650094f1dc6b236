/** Checks that users give effects where effects are expected. Anything else is a defect that says what to do. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AnyEffect } from "./AnyEffect.ts"
import { type Expected, type Owner, unexpected } from "./UserValue.ts"

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

export const anEffect: Pick<Expected<AnyEffect>, "text" | "advice"> = {
  text: "an Effect",
  advice: (kind) => adviceOnEffects[kind] ?? "wrap a value in Effect.succeed"
}

export const notAnEffect = (of: Owner, what: string, value: unknown): Exit.Exit<never> =>
  Exit.die(unexpected(of, what, anEffect, value))

/** The value of a user's function if it is an effect, otherwise a defect that describes the value. `what` names the function. */
export const asEffect = (of: Owner, what: string, value: unknown): AnyEffect =>
  Effect.isEffect(value) ? (value as AnyEffect) : notAnEffect(of, what, value)

/** The effect that a user's function returns, which is called when this effect runs. */
export const effectOf = <A, E, R>(of: Owner, what: string, f: () => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => asEffect(of, what, f()) as Effect.Effect<A, E, R>)
