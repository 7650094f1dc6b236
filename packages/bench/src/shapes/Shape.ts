/**
 * A page of another shape than `page.ts`: declared as resources, and written by hand in two forms.
 *
 * A call takes the seed of a node and the values before it, so that all forms load equal values.
 */
import type { Effect } from "effect"
import type { Body } from "../body.ts"
import type { Library } from "../contenders/ours.ts"
import { mix } from "../workload.ts"

export type Values = Readonly<Record<string, number>>

export type Call<Result> = (seed: number, ...before: ReadonlyArray<number>) => Result

/** Prepares what does not depend on the run, and makes the effect of each run. */
type Form = (call: Call<Effect.Effect<number>>) => () => Effect.Effect<Values>

export interface Shape {
  readonly name: string
  /** What is loaded, in the order of the values. */
  readonly names: ReadonlyArray<string>
  readonly expected: (call: Call<number>) => Values
  readonly ours: (library: Library) => Form
  readonly effectAll: Form
  readonly effectGen: Form
}

export const effectCalls =
  (body: Body): Call<Effect.Effect<number>> =>
  (seed, ...before) =>
    body.effect(() => mix(seed, before))

export const valuesOf =
  ({ names }: Shape) =>
  (values: Values): ReadonlyArray<number> =>
    names.map((name) => values[name]!)

export const expectedOf = (shape: Shape): ReadonlyArray<number> =>
  valuesOf(shape)(shape.expected((seed, ...before) => mix(seed, before)))
