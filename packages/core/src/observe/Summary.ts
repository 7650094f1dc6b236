import type { Report } from "../watch/Report.ts"
import { analyze, type Analysis } from "./Analysis.ts"
import { headline, loadedOf } from "./Headline.ts"
import { millis } from "./Millis.ts"
import { namesText } from "./Names.ts"

const heldUp = ({ heldUp: { batch, permit, slot, thread } }: Analysis): string =>
  [
    [batch, "for batches"],
    [slot, "for slots"],
    [permit, "for permits"],
    [thread, "for the thread"]
  ]
    .flatMap(([ms, what]) => (Number(ms) === 0 ? [] : [`${millis(Number(ms))} ${what}`]))
    .join(", ")

const inFlight = ({ resources }: Report<unknown>): ReadonlyArray<string> =>
  resources.flatMap(({ outcome, resource, startedAt }) =>
    outcome._tag === "Interrupted" || (outcome._tag === "Unfinished" && startedAt !== undefined) ? [resource] : []
  )

const boundedBy = ({ boundBy, criticalPath, work }: Analysis, { plan }: Report<unknown>): string =>
  boundBy === "critical path"
    ? `the critical path, ${namesText(criticalPath, " > ")}`
    : `${millis(work)} of work at concurrency ${plan.concurrency}`

/** The compensations at the end of the run, and their time. */
const undoingOf = ({ resources }: Report<unknown>) => {
  const rows = resources.filter(
    ({ outcome }) => outcome._tag === "Compensated" || outcome._tag === "CompensationFailed"
  )
  const phases = rows.flatMap(({ phases }) => phases.filter(({ _tag }) => _tag === "Compensation"))
  const stuck = resources.flatMap(({ notUndone = [], resource }) => (notUndone.length === 0 ? [] : [resource]))
  return {
    undone: rows.filter(({ outcome }) => outcome._tag === "Compensated").length,
    stuck,
    took: unionOf(phases)
  }
}

/** The time during which at least one of these lasted. */
const unionOf = (phases: ReadonlyArray<{ readonly from: number; readonly to: number }>): number => {
  let until = -Infinity
  let took = 0
  for (const { from, to } of phases.toSorted((a, b) => a.from - b.from)) {
    took += Math.max(0, to - Math.max(from, until))
    until = Math.max(until, to)
  }
  return took
}

const undoingText = ({ stuck, took, undone }: ReturnType<typeof undoingOf>): ReadonlyArray<string> => {
  if (undone === 0 && stuck.length === 0) return []
  const not = stuck.length === 0 ? "" : `; still there: ${namesText(stuck, ", ")}`
  return [`  undone    ${undone} in ${millis(took)}${not}`]
}

/**
 * A report in a few lines: its time, the shortest possible time, the waits that delayed it, the compensations at its end, and
 * the resources in flight if it was cut short.
 *
 * @example
 * ```ts
 * import { Effect, Fiber } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 * import { TestClock } from "effect/testing"
 *
 * const org = Resource.make("org", { load: () => Effect.sleep("100 millis") })
 * const user = Resource.make("user", { load: () => Effect.sleep("40 millis") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.sleep("60 millis") })
 * const page = Loader.make({ org, user, members }, { name: "page", concurrency: 1 })
 *
 * const program = Effect.gen(function* () {
 *   const fiber = yield* Effect.forkChild(Loader.settle(page), { startImmediately: true })
 *   yield* TestClock.adjust("1 second")
 *   return yield* Fiber.join(fiber)
 * })
 * Effect.runPromise(program.pipe(Effect.provide(TestClock.layer()))).then((report) => console.log(Report.toSummary(report)))
 * // "page" took 200ms, 3 of 3 loaded
 * //   work      200ms, 1.0 at once on average
 * //   at least  200ms: 200ms of work at concurrency 1
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toSummary = (self: Report<unknown>): string => {
  const analysis = analyze(self)
  const [loaded, all] = loadedOf(self)
  const open = inFlight(self)
  const { gap, lastChain, lowerBound, parallelism, work } = analysis
  const waits = heldUp(analysis)
  const way = lastChain.map(({ resource }) => resource)
  const undoing = undoingOf(self)
  const lost = Math.max(0, gap - undoing.took)
  return [
    `${headline(self)}, ${loaded} of ${all} loaded`,
    ...(open.length === 0 ? [] : [`  in flight ${namesText(open, ", ")}`]),
    `  work      ${millis(work)}, ${parallelism.toFixed(1)} at once on average`,
    `  at least  ${millis(lowerBound)}: ${boundedBy(analysis, self)}`,
    ...undoingText(undoing),
    ...(lost === 0
      ? []
      : [`  gap       ${millis(lost)}${waits === "" ? "" : `: waited ${waits}`} on the way ${namesText(way, " > ")}`])
  ].join("\n")
}
