/** What is written of a run where nothing can be written over: a line for what is worth one. */
import type * as Cause from "effect/Cause"
import type { RunEvent } from "effect-loader"
import {
  count,
  describeCause,
  millis,
  pauseText,
  type Pen,
  printable,
  printableLabel,
  type Timeline
} from "effect-loader/internal"
import { toEnding } from "./Frame.ts"

const whyOf = (cause: Cause.Cause<unknown>): string => describeCause(cause).split("\n", 1)[0]!

/** Of a list, which item is undone; of a loader inside, what of it. */
const partOf = ({ inside = [], item }: { readonly inside?: ReadonlyArray<string>; readonly item?: number }): string =>
  [...(item === undefined ? [] : [`item ${item}`]), ...inside].map((part) => `${part} `).join("> ")

const textOf = (event: RunEvent.RunEvent): string | undefined => {
  switch (event._tag) {
    case "AttemptFailed":
      return `attempt ${event.attempt} failed: ${whyOf(event.cause)}`
    case "RetryScheduled":
      return `attempt ${event.attempt} follows ${pauseText(event)}`
    case "HedgeStarted":
      return `attempt ${event.attempt} starts as a hedge`
    case "PolicyRefused":
      return `refused by ${event.policy}`
    case "FallbackStarted":
      return `runs its fallback (${event.fallback})`
    case "ResourceRewound":
      return `is loaded again: ${event.failed} failed`
    case "CompensationSucceeded":
      return event.cleanup ? undefined : `${partOf(event)}is undone`
    case "CompensationFailed":
      return `${partOf(event)}${event.cleanup ? "was not cleaned up after" : "was not undone"}: ${whyOf(event.cause)}`
    default:
      return undefined
  }
}

/** The lines that an event is worth: none, for most. */
export const linesOf = (
  event: RunEvent.RunEvent,
  timeline: Timeline,
  columns: number,
  pen: Pen
): ReadonlyArray<string> => {
  if (event._tag === "RunStarted") {
    return [
      pen.fit(`"${printableLabel(event.loader)}" started, ${count(timeline.resources.size, "resource")}`, columns)
    ]
  }
  if (event._tag === "RunEnded") return [toEnding(timeline, columns, pen)]
  const text = textOf(event)
  if (text === undefined) return []
  const at = millis(event.at - timeline.startedAt)
  return [pen.fit(`  ${at.padStart(7)}  ${printableLabel(event.resource)}  ${printable(text)}`, columns)]
}
