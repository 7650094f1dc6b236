/** How attempts take permits: together with their slots, unless they are refused. */
import * as Effect from "effect/Effect"
import { type Attempts, isRefused, permitsOf, type Taking } from "../attempt/Attempts.ts"
import { wrappedIn } from "../attempt/LayersInside.ts"
import type { PolicyStack } from "../attempt/PolicyStack.ts"
import type { SlotTurn } from "../model/Extension.ts"
import type { AnyEffect } from "../model/Node.ts"
import type { Limited } from "../model/Step.ts"

/** The effect of a refused attempt: it fails where its limit was piped. */
const refusal = (attempts: Attempts, stack: PolicyStack, limit: Limited, turn: SlotTurn): AnyEffect => {
  const { refusal: error } = turn.answer!
  stack.state.refusals++
  stack.refused({ policy: limit.label, error })
  const failure = attempts.run.hooks.permits!.refuse(limit, error)
  return attempts.inScope(stack.withinRefused(wrappedIn(stack).inner.slice(limit.inside), failure))
}

export const limitedAttempts: Taking = {
  /** An attempt begins at its turn. The first attempt uses the turn of its step. */
  attempt: (attempts, stack, { gate, limit, place, self }) => {
    const { state } = stack
    const given = state.turn
    state.turn = undefined
    if (given !== undefined && !isRefused(given)) attempts.take(state, place, given)
    // It must not hold a slot while it waits for permits.
    if (given === undefined) attempts.offerSlots(state)
    const turn: Effect.Effect<SlotTurn> =
      given === undefined ? attempts.waitForTurn(state, place, gate, limit) : Effect.succeed(given)
    return Effect.flatMap(turn, (turn) =>
      isRefused(turn)
        ? refusal(attempts, stack, limit, turn)
        : attempts.trying(state, place, attempts.run.hooks.permits!.lend(permitsOf(turn), self))
    )
  },
  whole: (attempts, stack, limit, self) => {
    const turn = stack.state.turn!
    if (isRefused(turn)) return refusal(attempts, stack, limit, turn)
    attempts.run.sink?.(stack.index, undefined, { _tag: "AttemptStarted", attempt: 1 })
    return attempts.run.hooks.permits!.lend(permitsOf(turn), self)
  }
}
