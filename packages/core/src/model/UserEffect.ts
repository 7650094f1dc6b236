/** What users wrote, as effects: loads, layers around them, and the scope of an attempt. */
import { Effect, Exit, Scope } from "effect"
import type { AnyEffect, Layer } from "./Node.ts"

/** What a message calls by its name. */
export interface Named {
  readonly name: string
}

/** What a user's function gives; what it throws is a defect. */
export const call = <A>(f: (argument: A) => unknown, argument: A): unknown => {
  try {
    return f(argument)
  } catch (defect) {
    return Exit.die(defect)
  }
}

export const notAnEffect = ({ name }: Named, value: unknown): Exit.Exit<never> =>
  Exit.die(
    new TypeError(
      `resource "${name}" gave ${value === null ? "null" : typeof value} where an Effect was expected: ` +
        "its `load`, the handler of its `catch`, and a policy around it must return an Effect"
    )
  )

/** What a user's function gave, if it is an effect, and otherwise a defect that says so. */
export const asEffect = (of: Named, value: unknown): AnyEffect =>
  Effect.isEffect(value) ? (value as AnyEffect) : notAnEffect(of, value)

/** What a layer does with what is inside. */
type Wrap = (layer: Layer, self: AnyEffect) => unknown

/** The layers around an effect. One that throws, or gives no effect, is a defect like any other of the resource. */
export const wrapIn = (of: Named, layers: ReadonlyArray<Layer>, self: AnyEffect, wrap: Wrap): AnyEffect =>
  layers.reduce((effect, layer) => Effect.suspend(() => asEffect(of, wrap(layer, effect))), self)

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
