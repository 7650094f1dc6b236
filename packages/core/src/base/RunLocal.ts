/**
 * The entries of a context that belong to a run. All are made here, so that work which outlives the run can clear them.
 *
 * A layer, a refresh or a call of a resolver that kept one of them would act in a run that has ended: it would hand
 * compensations to its undo frame, or borrow its permits. So captured services, background work and shared calls clear
 * them all.
 *
 * Some entries belong to a single step: a run inside that step, and a compensation, do not see them. Others say what waits for an
 * effect, such as the permits that its callers hold. Calls of resolvers keep those, since otherwise a call could wait for a
 * permit that its own callers hold.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { AnyEffect } from "./AnyEffect.ts"

const prefix = "effect-loader/run/"
const waitPrefix = `${prefix}wait/`

/** The prefix is the same in every copy of the library, so that one copy clears the entries of another one. */
export const isRunLocal = (key: string): boolean => key.startsWith(prefix)

/** An entry that everything inside an effect sees, runs inside and compensations included. */
export const make = <A>(name: string, defaultValue: () => A): Context.Reference<A> =>
  Context.Reference<A>(prefix + name, { defaultValue })

/** An entry that says what waits for an effect. */
export const makeOfWait = <A>(name: string, defaultValue: () => A): Context.Reference<A> =>
  Context.Reference<A>(waitPrefix + name, { defaultValue })

export const isOfWait = (key: string): boolean => key.startsWith(waitPrefix)

type OfStep = Context.Reference<unknown>

const ofSteps: Array<OfStep> = []

/** An entry of a single step: `undefined` in a run inside that step, and in a compensation. */
export const makeOfStep = <A>(name: string): Context.Reference<A | undefined> => {
  const key = make<A | undefined>(name, () => undefined)
  ofSteps.push(key as OfStep)
  return key
}

/** A context without the entries that `isLeft` names: the same object where it has none of them. */
export const without = <R>(context: Context.Context<R>, isLeft: (key: string) => boolean): Context.Context<R> => {
  const left = new Map<string, unknown>()
  context.mapUnsafe.forEach((value, key) => {
    if (!isLeft(key)) left.set(key, value)
  })
  return left.size === context.mapUnsafe.size ? context : Context.makeUnsafe(left)
}

/** A context without anything that belongs to a run. */
export const clear = <R>(context: Context.Context<R>): Context.Context<R> => without(context, isRunLocal)

/** Whether any entry of a step may be set: each run asks, and most are inside no step. */
const InStep = /* @__PURE__ */ make<true | undefined>("InStep", () => undefined)

/** An effect with an entry of its step, made from the one further out. */
export const updateOfStep = <A>(
  self: AnyEffect,
  key: Context.Reference<A | undefined>,
  f: (around: A | undefined) => A
): AnyEffect =>
  Effect.updateContext(self, (context) =>
    Context.add(Context.add(context, InStep, true), key, f(Context.get(context, key)))
  )

/** An effect with an entry of its step. */
export const provideOfStep = <A>(self: AnyEffect, key: Context.Reference<A | undefined>, value: A): AnyEffect =>
  updateOfStep(self, key, () => value)

/** The context outside of its step: the same object where it is inside none. */
export const outsideStep = <R>(context: Context.Context<R>): Context.Context<R> => {
  if (Context.get(context, InStep) === undefined) return context
  let outside = Context.add(context, InStep, undefined)
  for (const key of ofSteps) {
    if (Context.get(context, key) !== undefined) outside = Context.add(outside, key, undefined)
  }
  return outside
}
