/** What users wrote that asks, as effects. */
import { Request } from "effect"
import type { AnyRequest } from "../batching/AnyResolver.ts"
import type { Load } from "../compile/Program.ts"
import type { Dependencies } from "../model/Node.ts"
import { call, type Named } from "./Wrapping.ts"

/** What a user's function gave, if it is a request; otherwise a defect that says so. */
export const asRequest = ({ name }: Named, value: unknown): AnyRequest => {
  if (Request.isRequest(value)) return value
  const given = value === null ? "null" : typeof value
  throw new TypeError(`resource "${name}" gave ${given} where a Request was expected: its \`request\` must return one`)
}

/** What loads a step that has nothing around it: an effect, unless a user's `load` gave something else. */
export const loadOf = (step: Load, deps: Dependencies): unknown => {
  if (step.asks === undefined) return call(step.load, deps)
  const { means, resolver } = step.asks
  return means.ask(means.batchesOf(resolver), () => asRequest(step, step.load(deps)))
}
