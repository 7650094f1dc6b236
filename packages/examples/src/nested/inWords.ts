/** Two reports of one plan, told apart in words: what started later by levels, and for whom it waited. */
import { type Plan, Report } from "effect-loader"

const millisUntil = (report: Report.Report<unknown>, at: number | undefined): number =>
  Math.round((at ?? NaN) - report.startedAt)

const startOf = (report: Report.Report<unknown>, name: string): number =>
  millisUntil(report, Report.get(report, name)?.startedAt)

const endOf = (report: Report.Report<unknown>, name: string): number =>
  millisUntil(report, Report.get(report, name)?.endedAt)

/** What a resource was last waiting for in a run by levels: what ended last in the levels before its own. */
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
    .filter(({ early, late }) => late - early > 20)
    .toSorted((x, y) => x.late - y.late)
    .map(({ early, late, resource }) => {
      const needs = `it needs ${resource.dependencies.join(" and ")}`
      const last = lastBefore(plan, byLevels, resource)
      const why = resource.dependencies.includes(last) ? `and ${last} came later` : `but was made to wait for ${last}`
      return `${resource.name} started at ${early}ms, by levels at ${late}ms: ${needs}, ${why}`
    })
