import * as Effect from "effect/Effect"
import { guarded } from "../base/Refusal.ts"
import type { Layer } from "../model/Node.ts"
import { type Protecting, protection } from "../model/Protection.ts"

/**
 * A layer that may refuse an attempt before it begins, and reports that it did.
 *
 * Slots and permits are taken inside it: a refusal takes none, and a wait holds none.
 */
export const guard = (kind: string, label: string, protecting: Protecting): Layer => ({
  kind,
  label,
  repeats: true,
  continues: false,
  refused: undefined,
  protects: protection(label, protecting),
  wrap: (self, observer) =>
    Effect.flatMap(Effect.service(protecting.key), (service) =>
      guarded(
        self,
        (inside) => protecting.around(service, inside, observer.resource),
        (error) => {
          observer.refused({ policy: label, error })
          return Effect.fail(error)
        }
      )
    )
})
