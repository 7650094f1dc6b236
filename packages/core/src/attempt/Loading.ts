/** How a load, or the load of one item of a list, becomes an effect. */
import * as Effect from "effect/Effect"
import type { Named } from "../base/UserValue.ts"
import type { AnyEffect } from "../model/Node.ts"
import { asEffect, call } from "../model/UserEffect.ts"
import type { Attempts } from "./Attempts.ts"
import type { PolicyStack } from "./PolicyStack.ts"

/** `given` is what the user's function gives: an effect, a request... */
export interface Loading {
  /** In an attempt of a run. */
  readonly inRun: (attempts: Attempts, stack: PolicyStack, given: () => unknown) => AnyEffect
  /** For work that belongs to no run, such as a refresh of a cache. */
  readonly outside: (of: Named, given: () => unknown) => AnyEffect
}

const effectOf = (of: Named, given: () => unknown): AnyEffect =>
  Effect.suspend(() => asEffect(of, "`load`", call(given, undefined)))

/** The user's function gives an effect. */
export const effects: Loading = {
  inRun: (_attempts, { step }, given) => effectOf(step, given),
  outside: effectOf
}
