import { Effect } from "effect"
import type { AnyEffect, Layer } from "../model/Node.ts"

/**
 * What may say no before anything begins, as a layer. One that does is told of.
 *
 * What is inside is where slots and permits are taken, so that a no takes none, and a wait holds none.
 */
export const guard = (kind: string, label: string, guarded: (self: AnyEffect) => AnyEffect): Layer => ({
  kind,
  label,
  repeats: true,
  continues: false,
  refused: undefined,
  wrap: (self, observer) =>
    Effect.suspend(() => {
      let begun = false
      const inside = Effect.suspend(() => {
        begun = true
        return self
      })
      const tell = (error: unknown) =>
        Effect.sync(() => {
          if (!begun) observer.refused({ policy: label, error })
        })
      return Effect.tapError(guarded(inside), tell)
    })
})
