/** Turns views into layers around an effect. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { AnyEffect, Layer, Lens } from "../model/Node.ts"
import { recovered } from "../model/Recovery.ts"
import { handledBy } from "../model/UserEffect.ts"

const mapped = (self: AnyEffect, onSuccess: Lens["onSuccess"]): AnyEffect =>
  onSuccess === undefined ? self : Effect.map(self, onSuccess)

/** The function that makes a view, without its options. */
const nameOf = (label: string): string => label.replace("(ancestors)", "")

/** Turns a lens into a layer. A policy that is piped onto a view wraps the view, too. */
export const layerOf = ({ ancestors, keepsFailing, label, onFailure, onSuccess, recovers }: Lens): Layer => ({
  kind: label,
  label,
  repeats: false,
  continues: false,
  recovers: recovers !== undefined && keepsFailing !== true,
  changes: [onSuccess, onFailure],
  refused: ancestors
    ? `after ${nameOf(label)}({ ancestors: true }) nothing of it is left to fail: pipe policies before the ${nameOf(label)}`
    : undefined,
  wrap: (self, observer) => {
    if (onFailure === undefined) return mapped(self, onSuccess)
    return Effect.matchCauseEffect(self, {
      onSuccess: (value) => Effect.succeed(onSuccess === undefined ? value : onSuccess(value)),
      onFailure: (cause) => {
        const found = recovered(recovers, cause)
        if (found === undefined) return Effect.failCause(cause)
        const { error } = found
        const handled = handledBy({ name: observer.resource }, `the function of ${label}`, onFailure, error, cause)
        const failure = recovers === "causes" ? Cause.squash(cause) : error
        return Effect.tap(handled, () => Effect.sync(() => observer.degraded(label, failure)))
      }
    })
  }
})
