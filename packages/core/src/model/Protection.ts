/** Layers that protect a backend, and how they move to its calls. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { guarded, refused, surface } from "../base/Refusal.ts"
import type { AnyEffect, Protection } from "./Node.ts"

/** A protection by a service. */
export interface Protecting {
  readonly key: Context.Key<unknown, unknown>
  /** Runs an effect, or fails before the effect begins. */
  readonly around: (service: unknown, self: AnyEffect, resource: string) => AnyEffect
  readonly sharedBy?: Protection["sharedBy"]
}

/** A moved layer sends its refusals back to its old place, to each waiter there, and reports them. */
export const protection = (label: string, { around, key, sharedBy }: Protecting): Protection => {
  const aroundCall: Protection["aroundCall"] = (service, self, resource) =>
    guarded(
      self,
      (inside) => around(service, inside, resource),
      (error) => refused(label, error)
    )
  return {
    key,
    sharedBy,
    aroundCall,
    furtherIn: (self, { resource }) =>
      Effect.flatMap(Effect.service(key), (service) => aroundCall(service, self, resource)),
    inPlace: (self, observer) => surface(self, label, (error) => observer.refused({ policy: label, error }))
  }
}
