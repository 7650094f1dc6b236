/** The outcome of a resource, in a few words. */
import { describe } from "../base/ErrorText.ts"
import type { Outcome, ResourceReport } from "../watch/Report.ts"
import { count } from "./Count.ts"
import { printable } from "./Printable.ts"
import { whyOf as causeText } from "./Words.ts"

/** One sign for each outcome. */
export const signs = {
  Succeeded: "✓",
  Degraded: "~",
  Failed: "✗",
  Died: "!",
  Interrupted: "×",
  Skipped: "-",
  Compensated: "←",
  CompensationFailed: "≠",
  Unfinished: "…"
} satisfies Record<Outcome["_tag"], string>

const firstLine = (text: string): string => text.split("\n", 1)[0]!

type Told = Pick<ResourceReport, "attempts" | "caches" | "chosen" | "items" | "outcome" | "phases">

/** The current phase of a resource that has not ended. */
const stillDoing = ({ attempts, items, phases }: Told): string => {
  const phase = phases.at(-1)
  switch (phase?._tag) {
    case "Dependency":
      return phase.resource === undefined ? "waits" : `waits for ${phase.resource}`
    case "Batch":
      return "waits for its batch"
    case "Slot":
      return "waits for a slot"
    case "Permit":
      return "waits for a permit"
    case "FairShare":
      return "waits for its share of a limiter"
    case "Collecting":
      return "waits for the call that it shares"
    case "Thread":
      return "waits for the thread"
    case "Retry":
      return "waits to try again"
    case "Attempt":
      return attempts > 1 ? `runs, attempt ${attempts}` : "runs"
    case "Items":
      return items === undefined ? "runs" : `runs, ${items.loaded} of ${items.total} items loaded`
    case "Fallback":
      return `runs its fallback (${phase.fallback})`
    case "Policy":
      return "in its policies"
    case "Compensation":
      return "is undone"
    default:
      // It has just become ready.
      return attempts > 0 ? "runs" : "waits"
  }
}

const whyOf = (row: Told): string => {
  const { chosen, outcome } = row
  switch (outcome._tag) {
    case "Degraded":
      return `fell back (${outcome.fallback}) from ${firstLine(describe(outcome.error))}`
    case "Failed":
    case "Died":
      return firstLine(causeText(outcome.cause))
    case "Interrupted":
      return "interrupted"
    case "Skipped":
      if (outcome.because._tag === "NotChosen") return `not chosen by ${outcome.because.resource}`
      return "resource" in outcome.because
        ? `skipped because of ${outcome.because.resource}`
        : outcome.because._tag === "RunTimedOut"
          ? "skipped, the time was over"
          : "skipped, the run was interrupted"
    case "Compensated":
      return "undone"
    case "CompensationFailed":
      return `not undone: ${firstLine(causeText(outcome.cause))}`
    case "Unfinished":
      return stillDoing(row)
    case "Succeeded":
      return chosen === undefined ? "" : `chose ${chosen}`
  }
}

const triesOf = ({ attempts, items }: Told): string => {
  if (items === undefined) return attempts > 1 ? `${attempts} attempts` : ""
  const more = attempts > items.total ? `, ${attempts} attempts` : ""
  return (
    (items.loaded < items.total ? `${items.loaded} of ${count(items.total, "item")}` : count(items.total, "item")) +
    more
  )
}

/** The reads of caches that saved a load: hits, stale values and shared loads of each level, with their numbers for lists. */
const cachesOf = ({ caches = [], items }: Told): string =>
  caches
    .flatMap(({ cache, coalesced, hit, level, stale }) => {
      const from = level === "memory" ? cache : `${cache}, ${level}`
      const told = (n: number, what: string) =>
        n === 0 ? [] : [`${items === undefined ? "" : `${n} `}${what} ${from}`]
      return [...told(hit, "from"), ...told(stale, "stale from"), ...told(coalesced, "shared in")]
    })
    .join(", ")

/** The notes about a resource: its attempts, the caches that had its value, and why it ended as it did, or what it does now. */
export const noteOf = (row: Told): string => {
  const tries = row.outcome._tag === "Unfinished" ? "" : triesOf(row)
  return printable([tries, cachesOf(row), whyOf(row)].filter((note) => note !== "").join(", "))
}
