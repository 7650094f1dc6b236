/** How a user's function, called once per attempt, becomes an effect. */
import * as Effect from "effect/Effect"
import type { Named } from "../base/UserValue.ts"
import type { AnyEffect } from "../model/Node.ts"
import { asEffect, call } from "../model/UserEffect.ts"
import type { Attempts } from "./Attempts.ts"
import type { PolicyStack } from "./PolicyStack.ts"

/** `given` calls the user's function, which returns an effect, a request... */
export interface Loading {
  /** The effect in an attempt of a run. */
  readonly inRun: (attempts: Attempts, stack: PolicyStack, given: () => unknown) => AnyEffect
  /** The effect of one of several attempts. Default: an attempt that is counted and reported. */
  readonly again?: (attempts: Attempts, stack: PolicyStack, self: AnyEffect) => AnyEffect
  /** The effect outside of runs, as in a refresh of a cache. */
  readonly outside: (of: Named, given: () => unknown) => AnyEffect
}

const effectOf = (of: Named, given: () => unknown): AnyEffect =>
  Effect.suspend(() => asEffect(of, "`load`", call(given, undefined)))

/** For users' functions that return an effect. */
export const effects: Loading = {
  inRun: (_attempts, { step }, given) => effectOf(step, given),
  outside: effectOf
}
