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

export interface Deed {
  /** It may have left something half done. */
  begun: boolean
  /** It has given a value. */
  made: boolean
}

const CurrentDeed: Context.Reference<Deed | undefined> = /* @__PURE__ */ RunLocal.makeOfStep<Deed>("Deed")

/** From here on something is done. */
export const beginning = (self: AnyEffect): AnyEffect =>
  Effect.withFiber((fiber) => {
    const deed = fiber.getRef(CurrentDeed)
    if (deed !== undefined) deed.begun = true
    return self
  })

/** What does something, and when it succeeds has done it. */
export const doing = (self: AnyEffect): AnyEffect =>
  Effect.withFiber((fiber) => {
    const deed = fiber.getRef(CurrentDeed)
    if (deed === undefined) return self
    deed.begun = true
    return Effect.onExit(self, (exit) => {
      if (exit._tag === "Success") deed.made = true
      return Effect.void
    })
  })

/** Notes what is done inside; `onExit` is told in the step in which that ends. */
export const noting = (
  self: AnyEffect,
  onExit: (exit: Exit.Exit<unknown, unknown>, deed: Deed) => Effect.Effect<void> = () => Effect.void
): AnyEffect =>
  Effect.withFiber((fiber) => {
    const around = fiber.getRef(CurrentDeed)
    const deed: Deed = { begun: false, made: false }
    return Effect.onExit(Effect.provideService(self, CurrentDeed, deed), (exit) => {
      if (around !== undefined) {
        around.begun ||= deed.begun
        around.made ||= deed.made && exit._tag === "Success"
      }
      return onExit(exit, deed)
    })
  })
