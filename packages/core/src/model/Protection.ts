/** Layers that protect a backend, and how they move to its calls. The policies that make such layers import this. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { guarded, refused, surface } from "../base/Refusal.ts"
import type { AnyEffect, Protection } from "./Node.ts"

/** What protects by means of a service. */
export interface Protecting {
  readonly key: Context.Key<unknown, unknown>
  /** Lets an effect run, or fails before it has begun. */
  readonly around: (service: unknown, self: AnyEffect, resource: string) => AnyEffect
  readonly sharedBy?: Protection["sharedBy"]
}

/** Wherever a layer moves, its refusals go to where it was piped: to each that waits there, who is told of. */
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
