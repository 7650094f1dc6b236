/**
 * Whether a load has done anything that could have to be undone, or cleaned up after: not where a cache had its value or
 * somebody else loaded it, and not where it was refused before it began.
 *
 * Effects are nested, and so are deeds: what is done inside of one is done in it. Attempts side by side each have their own.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as RunLocal from "../base/RunLocal.ts"
import type { AnyEffect } from "../model/Node.ts"

export interface SideEffect {
  /** It may have left something half done. */
  begun: boolean
  /** It has given a value. */
  made: boolean
}

const CurrentSideEffect: Context.Reference<SideEffect | undefined> =
  /* @__PURE__ */ RunLocal.makeOfStep<SideEffect>("SideEffect")

/** From here on something is done. */
export const beginning = (self: AnyEffect): AnyEffect =>
  Effect.withFiber((fiber) => {
    const sideEffect = fiber.getRef(CurrentSideEffect)
    if (sideEffect !== undefined) sideEffect.begun = true
    return self
  })

/** What does something, and when it succeeds has done it. */
export const doing = (self: AnyEffect): AnyEffect =>
  Effect.withFiber((fiber) => {
    const sideEffect = fiber.getRef(CurrentSideEffect)
    if (sideEffect === undefined) return self
    sideEffect.begun = true
    return Effect.onExit(self, (exit) => {
      if (exit._tag === "Success") sideEffect.made = true
      return Effect.void
    })
  })

/** Notes what is done inside; `onExit` is told in the step in which that ends. */
export const noting = (
  self: AnyEffect,
  onExit: (exit: Exit.Exit<unknown, unknown>, sideEffect: SideEffect) => Effect.Effect<void> = () => Effect.void
): AnyEffect =>
  Effect.withFiber((fiber) => {
    const around = fiber.getRef(CurrentSideEffect)
    const sideEffect: SideEffect = { begun: false, made: false }
    return Effect.onExit(RunLocal.provideOfStep(self, CurrentSideEffect, sideEffect), (exit) => {
      if (around !== undefined) {
        around.begun ||= sideEffect.begun
        around.made ||= sideEffect.made && exit._tag === "Success"
      }
      return onExit(exit, sideEffect)
    })
  })
