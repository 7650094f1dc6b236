/** Matchers for what was recorded of runs. */
import type { Report } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import { eventsOf } from "./Received.ts"
import { resourceText, type Verdict, verdict } from "./Story.ts"

const both = (received: unknown, first: string, second: string) => (): string =>
  `${resourceText(received, first)}\n${resourceText(received, second)}`

export const haveStartedBefore = (received: unknown, first: string, second: string): Verdict =>
  verdict(received, {
    pass: RunLog.startedBefore(eventsOf("toHaveStartedBefore", received), first, second),
    subject: `"${first}"`,
    should: `have started before "${second}"`,
    happened: both(received, first, second)
  })

export const haveEndedBefore = (received: unknown, first: string, second: string): Verdict =>
  verdict(received, {
    pass: RunLog.endedBefore(eventsOf("toHaveEndedBefore", received), first, second),
    subject: `"${first}"`,
    should: `have ended before "${second}" started`,
    happened: both(received, first, second)
  })

export const haveOverlapped = (received: unknown, first: string, second: string): Verdict =>
  verdict(received, {
    pass: RunLog.overlapped(eventsOf("toHaveOverlapped", received), first, second),
    subject: `"${first}" and "${second}"`,
    should: "have overlapped",
    happened: both(received, first, second)
  })

export const haveRunAtMost = (received: unknown, limit: number, resources?: ReadonlyArray<string>): Verdict => {
  const most = RunLog.maxConcurrency(eventsOf("toHaveRunAtMost", received), resources)
  return verdict(received, {
    pass: most <= limit,
    subject: resources === undefined ? "the runs" : `"${resources.join('", "')}"`,
    should: `have run at most ${limit} at once`,
    happened: () => `${most} ran at once`
  })
}

export const haveNeverRun = (received: unknown, resource: string): Verdict =>
  verdict(received, {
    pass: RunLog.neverRan(eventsOf("toHaveNeverRun", received), resource),
    subject: `"${resource}"`,
    should: "have never run",
    happened: () => resourceText(received, resource)
  })

export const haveAttempted = (received: unknown, resource: string, times: number): Verdict => {
  const tried = RunLog.attempts(eventsOf("toHaveAttempted", received), resource)
  return verdict(received, {
    pass: tried === times,
    subject: `"${resource}"`,
    should: `have had ${times} ${times === 1 ? "attempt" : "attempts"}`,
    happened: () => `it had ${tried}\n${resourceText(received, resource)}`
  })
}

export const haveEndedAs = (received: unknown, resource: string, tag: Report.Outcome["_tag"]): Verdict =>
  verdict(received, {
    pass: RunLog.outcome(eventsOf("toHaveEndedAs", received), resource)?._tag === tag,
    subject: `"${resource}"`,
    should: `have ended as ${tag}`,
    happened: () => resourceText(received, resource)
  })

export const haveSkipped = (received: unknown, resource: string, because: string | undefined): Verdict => {
  const reason = RunLog.skippedBecause(eventsOf("toHaveSkipped", received), resource)
  return verdict(received, {
    pass: reason !== undefined && (because === undefined || reason === because),
    subject: `"${resource}"`,
    should: `have been skipped${because === undefined ? "" : ` because of ${because}`}`,
    happened: () => resourceText(received, resource)
  })
}
