/** Two reports of one plan, compared in words: which resources started later by levels, and for what each waited. */
import { type Plan, Report } from "effect-loader"

const millisUntil = (report: Report.Report<unknown>, at: number | undefined): number =>
  Math.round((at ?? NaN) - report.startedAt)

const startOf = (report: Report.Report<unknown>, name: string): number =>
  millisUntil(report, Report.get(report, name)?.startedAt)

const endOf = (report: Report.Report<unknown>, name: string): number =>
  millisUntil(report, Report.get(report, name)?.endedAt)

/** What a resource waited for in a run by levels: the resource of the levels before its own that ended last. */
const lastBefore = (plan: Plan.Plan, byLevels: Report.Report<unknown>, resource: Plan.PlanResource): string =>
  plan.batches
    .slice(0, resource.batch)
    .flat()
    .reduce((last, name) => (endOf(byLevels, name) > endOf(byLevels, last) ? name : last))

/** A line for each resource that started later by levels, in the order of their starts. */
export const differences = (
  plan: Plan.Plan,
  eager: Report.Report<unknown>,
  byLevels: Report.Report<unknown>
): ReadonlyArray<string> =>
  plan.resources
    .map((resource) => ({
      resource,
      early: startOf(eager, resource.name),
      late: startOf(byLevels, resource.name)
    }))
    // A resource of the first level waits for no other: it started late because the machine was busy.
    .filter(({ early, late, resource }) => resource.batch > 0 && late - early > 20)
    .toSorted((x, y) => x.late - y.late)
    .map(({ early, late, resource }) => {
      const needs = `it needs ${resource.dependencies.join(" and ")}`
      const last = lastBefore(plan, byLevels, resource)
      const why = resource.dependencies.includes(last) ? `and ${last} came later` : `but was made to wait for ${last}`
      return `${resource.name} started at ${early}ms, by levels at ${late}ms: ${needs}, ${why}`
    })
