/**
 * Loads without a key, whose values go to other callers, too. Such a value must not depend on the services of the caller
 * that loads it, so the load does not get them.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { AnyEffect } from "../base/AnyEffect.ts"
import { isCallers, mayDecide } from "../base/Callers.ts"
import * as RunLocal from "../base/RunLocal.ts"

/** The services that a cache's layer captured, for the load inside that cache which has no key. */
const Shared = /* @__PURE__ */ RunLocal.makeOfStep<Context.Context<never>>("Shared")

/** Marks the load inside a cache as one whose value is shared without a key. */
export const sharing = (self: AnyEffect, services: Context.Context<never>): AnyEffect =>
  RunLocal.provideOfStep(self, Shared, services)

/** The load of a resource. If its value is shared without a key, it has the captured services and no others. */
export const sealed = (self: AnyEffect, resource: string): AnyEffect =>
  Effect.withFiber(({ context }) => {
    const shared = Context.get(context as Context.Context<never>, Shared)
    if (shared === undefined) return self
    const ownServices = (key: string): boolean => mayDecide(key) && !isCallers(key)
    const inside = Context.merge(RunLocal.without(context, ownServices), shared as Context.Context<unknown>)
    const missed = (defect: unknown): string | undefined => {
      if (!(defect instanceof Error) || !defect.message.startsWith(notFound)) return undefined
      const key = defect.message.slice(notFound.length)
      return context.mapUnsafe.has(key) && !inside.mapUnsafe.has(key) ? key : undefined
    }
    return Effect.catchCause(
      Effect.updateContext(self, () => inside),
      (cause) => Effect.failCause(explained(cause, resource, missed))
    )
  })

/** The beginning of Effect's message about a missing service. */
const notFound = "Service not found: "

const explained = (
  cause: Cause.Cause<unknown>,
  resource: string,
  missed: (defect: unknown) => string | undefined
): Cause.Cause<unknown> =>
  Cause.fromReasons(
    cause.reasons.map((reason) => {
      if (!Cause.isDieReason(reason)) return reason
      const { defect } = reason
      const key = missed(defect)
      return key === undefined ? reason : Cause.makeDieReason(new Error(messageOf(resource, key), { cause: defect }))
    })
  )

const messageOf = (resource: string, service: string): string =>
  `resource "${resource}" is cached without a \`key\`, so its load has no service "${service}": a value that depends on a ` +
  "caller's service must not go to another caller. Give it a `key` that says what the value depends on, or name the " +
  "service in the `services` of the cache, whose layer then provides it"
