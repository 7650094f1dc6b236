/** The comparison of two runs: what got slower, and why. */
import type { Outcome, PhaseTag, Report, ResourceReport } from "../watch/Report.ts"
import { timeIn } from "../watch/Timeline.ts"
import { millis } from "./Millis.ts"
import { printableLabel } from "./Printable.ts"

/**
 * One resource in two runs. Changes are milliseconds, positive if the second run was slower.
 *
 * - `before`, `after`: its outcome; `undefined` if a run had no such resource.
 * - `change`: the change of its own time: of all phases except the wait for its dependencies.
 * - `by`: the change of each phase that changed, that wait included.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResourceDiff {
  readonly resource: string
  readonly before: Outcome | undefined
  readonly after: Outcome | undefined
  readonly change: number
  readonly by: Partial<Readonly<Record<PhaseTag, number>>>
}

/**
 * The comparison of two runs.
 *
 * - `before`, `after`: the times of the runs, in milliseconds.
 * - `resources`: the resources of both runs, those with the largest change of their own time first.
 *
 * @since 0.1.0
 * @category models
 */
export interface Diff {
  readonly loader: string
  readonly before: number
  readonly after: number
  readonly resources: ReadonlyArray<ResourceDiff>
}

const tags: ReadonlyArray<PhaseTag> = [
  "Attempt",
  "Items",
  "Retry",
  "Fallback",
  "Policy",
  "Slot",
  "Permit",
  "FairShare",
  "Collecting",
  "Batch",
  "Thread",
  "Dependency"
]

const compare = (
  resource: string,
  before: ResourceReport | undefined,
  after: ResourceReport | undefined
): ResourceDiff => {
  const changes = tags.map((tag): readonly [PhaseTag, number] => [
    tag,
    timeIn(after?.phases ?? [], [tag]) - timeIn(before?.phases ?? [], [tag])
  ])
  return {
    resource,
    before: before?.outcome,
    after: after?.outcome,
    change: changes.reduce((sum, [tag, change]) => (tag === "Dependency" ? sum : sum + change), 0),
    by: Object.fromEntries(changes.filter(([, change]) => change !== 0))
  }
}

/**
 * Compares two runs resource by resource: what got slower, and in which phase.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 *
 * const millis = Resource.input<number>()("millis")
 * const org = Resource.make("org", { deps: { millis }, load: ({ millis }) => Effect.sleep(millis) })
 * const page = Loader.make({ org })
 *
 * const both = Effect.all([Loader.settle(page, { millis: 1 }), Loader.settle(page, { millis: 500 })])
 * Effect.runPromise(both).then(([before, after]) => {
 *   const [slower] = Report.diff(before, after).resources
 *   console.log(slower?.resource, slower!.change > 0) // org true
 * })
 * ```
 *
 * @since 0.1.0
 * @category comparing
 */
export const diff = (before: Report<unknown>, after: Report<unknown>): Diff => {
  const rows = new Map(before.resources.map((row) => [row.resource, row]))
  const later = new Map(after.resources.map((row) => [row.resource, row]))
  const names = new Set([...rows.keys(), ...later.keys()])
  return {
    loader: after.loader,
    before: before.until - before.startedAt,
    after: after.until - after.startedAt,
    resources: Array.from(names, (name) => compare(name, rows.get(name), later.get(name))).sort(
      (a, b) => Math.abs(b.change) - Math.abs(a.change)
    )
  }
}

const words: Record<PhaseTag, string> = {
  Attempt: "running",
  Items: "running items",
  Retry: "between attempts",
  Fallback: "in its fallback",
  Policy: "in its policies",
  Compensation: "being undone",
  Slot: "waiting for a slot",
  Permit: "waiting for a permit",
  FairShare: "waiting for its share of a limiter",
  Collecting: "waiting for the call that it shares",
  Batch: "waiting for its batch",
  Thread: "waiting for the thread",
  Dependency: "waiting for its dependencies"
}

const signed = (ms: number): string => (ms < 0 ? `-${millis(-ms)}` : `+${millis(ms)}`)

const reasons = ({ by }: ResourceDiff): string =>
  tags.flatMap((tag) => (by[tag] === undefined ? [] : [`${signed(by[tag])} ${words[tag]}`])).join(", ")

const ended = ({ after, before }: ResourceDiff): string => {
  if (before?._tag === after?._tag) return ""
  if (before === undefined) return "new, "
  return after === undefined ? "gone, " : `${before._tag} -> ${after._tag}, `
}

/**
 * A comparison for people: a line for the runs, and one for each resource that changed by at least `least`
 * milliseconds (default 1) or has another outcome than before.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Diff, Loader, Report, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const program = Effect.gen(function* () {
 *   const before = yield* Loader.settle(Loader.make({ org }, { name: "page" }))
 *   const after = yield* Loader.settle(Loader.make({ org }, { name: "page" }))
 *   return Diff.toText(Report.diff(before, after))
 * })
 * console.log(Effect.runSync(program).startsWith('"page"')) // true
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toText = (self: Diff, options?: { readonly least?: number }): string => {
  const least = options?.least ?? 1
  const changed = self.resources.filter((row) => Math.abs(row.change) >= least || ended(row) !== "")
  const width = changed.reduce((longest, { resource }) => Math.max(longest, printableLabel(resource).length), 0)
  const lines = changed.map(
    (row) =>
      `  ${printableLabel(row.resource).padEnd(width)}  ${signed(row.change).padStart(8)}  ${ended(row)}${reasons(row)}`
  )
  const same = self.resources.length - changed.length
  return [
    `"${printableLabel(self.loader)}" took ${millis(self.before)}, then ${millis(self.after)} (${signed(self.after - self.before)})`,
    ...lines.map((line) => line.replace(/,? +$/, "")),
    ...(same === 0 ? [] : [`  ${same} more as before`])
  ].join("\n")
}
