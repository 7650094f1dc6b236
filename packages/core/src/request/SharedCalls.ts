/** Answers that the attempts after one call of a resolver share, since they share the next call, too. */
import * as Effect from "effect/Effect"
import { shared } from "../base/Shared.ts"
import type { SharedCall } from "../model/Node.ts"

/** By the call, then by what was asked and the instant at which the next attempts begin. */
type Answers = WeakMap<object, Map<object, Map<number, boolean>>>

const answers = /* @__PURE__ */ shared("answers of budgets", (): Answers => new WeakMap())

const answersOf = (call: object, asked: object): Map<number, boolean> => {
  let byAsked = answers.get(call)
  if (byAsked === undefined) answers.set(call, (byAsked = new Map()))
  let byInstant = byAsked.get(asked)
  if (byInstant === undefined) byAsked.set(asked, (byInstant = new Map()))
  return byInstant
}

export const sharedCall = (call: object): SharedCall => ({
  once: (asked, instant, ask) => {
    const known = answersOf(call, asked)
    const answer = known.get(instant)
    if (answer !== undefined) return Effect.succeed(answer)
    return Effect.map(ask, (answer) => {
      known.set(instant, answer)
      return answer
    })
  }
})
