/** What users wrote, as effects: their loads, and the layers around these. */
import { Effect, Exit } from "effect"
import type { Load, Step } from "../compile/Program.ts"
import type { AnyEffect, Dependencies, Layer, LayerObserver } from "../model/Node.ts"

/** What a user's function gives; what it throws is a defect. */
export const call = <A>(f: (argument: A) => unknown, argument: A): unknown => {
  try {
    return f(argument)
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** What a message calls by its name. */
export type Named = Pick<Step, "name">

export const notAnEffect = (step: Named, value: unknown): Exit.Exit<never> =>
  Exit.die(
    new TypeError(
      `resource "${step.name}" gave ${value === null ? "null" : typeof value} where an Effect was expected: ` +
        "its `load`, the handler of its `catch`, and a policy around it must return an Effect"
    )
  )

/** What a user's function gave, if it is an effect, and otherwise a defect that says so. */
export const asEffect = (step: Named, value: unknown): AnyEffect =>
  Effect.isEffect(value) ? (value as AnyEffect) : notAnEffect(step, value)

/** A load, made when it is run. */
export const loadOf = (step: Load, deps: Dependencies): AnyEffect =>
  Effect.suspend(() => asEffect(step, call(step.load, deps)))

/** The layers around an effect. One that throws, or gives no effect, is a defect like any other of the resource. */
export const wrapIn = (
  step: Named,
  layers: ReadonlyArray<Layer>,
  self: AnyEffect,
  observer: LayerObserver
): AnyEffect =>
  layers.reduce((effect, layer) => Effect.suspend(() => asEffect(step, layer.wrap(effect, observer))), self)
