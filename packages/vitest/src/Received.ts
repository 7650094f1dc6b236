/** What `expect` was given: an exit, events, or both; and nothing that matchers cannot read. */
import { Exit } from "effect"
import type { Report, RunEvent } from "effect-loader"
import { fromEvents } from "effect-loader/internal"
import { RunLog } from "effect-loader/testing"

type AnyExit = Exit.Exit<unknown, unknown>

const fieldOf = (received: unknown, field: string): unknown =>
  typeof received === "object" && received !== null ? (received as Readonly<Record<string, unknown>>)[field] : undefined

const refuse = (matcher: string, needed: string, received: unknown): never => {
  const got = received === null ? "null" : Array.isArray(received) ? "an array" : typeof received
  throw new TypeError(`${matcher} needs ${needed}; it was given ${got}`)
}

const isEvents = (value: unknown): value is ReadonlyArray<RunEvent.RunEvent> =>
  Array.isArray(value) && value.every((event) => typeof fieldOf(event, "run") === "number")

/** The exit of a load: as it is, or as part of what was recorded or reported. */
export const exitOf = (matcher: string, received: unknown): AnyExit => {
  for (const value of [received, fieldOf(received, "exit")]) if (Exit.isExit(value)) return value
  return refuse(matcher, "an exit, or what `RunLog.record` or `Loader.loadWithReport` gives", received)
}

/** The events of runs: as they are, or as part of what was recorded. */
export const eventsOf = (matcher: string, received: unknown): ReadonlyArray<RunEvent.RunEvent> => {
  for (const value of [received, fieldOf(received, "events")]) if (isEvents(value)) return value
  return refuse(matcher, "events, or what `RunLog.record` gives", received)
}

/** The reports of all runs that were given, where there are any. */
export const reportsOf = (received: unknown): ReadonlyArray<Report.Report> => {
  const events = [received, fieldOf(received, "events")].find(isEvents)
  if (events !== undefined) return RunLog.runs(events).flatMap((run) => fromEvents(run) ?? [])
  const report = fieldOf(received, "report")
  return fieldOf(report, "resources") === undefined ? [] : [report as Report.Report]
}
