/**
 * Whether a load had a side effect that may have to be undone or cleaned up. It had none if a cache knew the value, if another
 * reader loaded it, or if the attempt was refused before it began.
 *
 * Side effects are nested as effects are: an inner one counts for the outer one, too. Concurrent attempts each have their own.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as RunLocal from "../base/RunLocal.ts"
import type { AnyEffect } from "../model/Node.ts"

export interface SideEffect {
  /** Whether it began: it may have left partial work behind. */
  begun: boolean
  /** Whether it has succeeded. */
  made: boolean
}

const CurrentSideEffect: Context.Reference<SideEffect | undefined> =
  /* @__PURE__ */ RunLocal.makeOfStep<SideEffect>("SideEffect")

/** Marks the beginning of a side effect. */
export const beginning = (self: AnyEffect): AnyEffect =>
  Effect.withFiber((fiber) => {
    const sideEffect = fiber.getRef(CurrentSideEffect)
    if (sideEffect !== undefined) sideEffect.begun = true
    return self
  })

/** Marks an effect as a side effect, which is complete when the effect succeeds. */
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

/** Observes side effects inside an effect. `onExit` runs at the moment at which the effect ends. */
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
