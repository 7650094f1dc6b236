/** An observer that prints a line for each thing that happens to a resource, as it happens. */
import { Cause } from "effect"
import type { Observer, RunEvent } from "effect-loader"
import { bad, dim, good, warn } from "./Text.ts"

const whyOf = (cause: Cause.Cause<unknown>): string => Cause.prettyErrors(cause)[0]?.message ?? "interrupted"

const sign = (event: RunEvent.RunEvent): string | undefined => {
  switch (event._tag) {
    case "AttemptStarted":
      return `${dim("▶")} ${event.resource}${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`
    case "AttemptFailed":
      return `${warn("↻")} ${event.resource}  ${whyOf(event.cause)}`
    case "ResourceSucceeded":
      return `${good("✓")} ${event.resource}`
    case "ResourceDegraded":
      return `${warn("~")} ${event.resource}`
    case "ResourceFailed":
    case "ResourceDied":
      return `${bad("✗")} ${event.resource}  ${whyOf(event.cause)}`
    default:
      return undefined
  }
}

/** The observer of one run. */
export const make = (write: (line: string) => void): Observer.OnEvent => {
  let startedAt = 0
  return (event) => {
    if (event._tag === "RunStarted") startedAt = event.at
    const line = sign(event)
    if (line === undefined) return
    const at = `+${Math.round(event.at - startedAt)}ms`
    write(`${dim(at.padStart(7))}  ${line}`)
  }
}
