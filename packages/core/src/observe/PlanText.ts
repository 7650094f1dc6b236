import type { Plan, PlanResource } from "../compile/Plan.ts"
import { count } from "./Count.ts"
import { millis } from "./Millis.ts"
import { printableLabel } from "./Printable.ts"

/** `retry(3) > [timeout(500ms)]`: what is outermost first, one attempt in brackets where there can be several. */
export const showPolicies = ({ around, attempt }: PlanResource): string => {
  const outermostFirst = (parts: PlanResource["around"]): string =>
    parts
      .map(({ label }) => printableLabel(label))
      .reverse()
      .join(" > ")
  if (around.length === 0) return outermostFirst(attempt)
  return attempt.length === 0 ? outermostFirst(around) : `${outermostFirst(around)} > [${outermostFirst(attempt)}]`
}

const showResource = (resource: PlanResource): string => {
  const needs = resource.dependencies.length === 0 ? "" : ` <- ${resource.dependencies.map(printableLabel).join(", ")}`
  const policies = showPolicies(resource)
  const views = resource.views.length === 0 ? "" : `  seen through ${resource.views.map(printableLabel).join(", ")}`
  return `${printableLabel(resource.name)}${needs}${policies === "" ? "" : `  ${policies}`}${views}`
}

const showSettings = ({ concurrency, scheduling, timeout }: Plan): string =>
  [
    concurrency === undefined ? "" : `, concurrency ${concurrency}`,
    timeout === undefined ? "" : `, timeout ${millis(timeout)}`,
    scheduling === "eager" ? "" : ", batch after batch"
  ].join("")

/**
 * A plan for people: what is given, then batch by batch what could run side by side, with what each resource waits for
 * and its policies, outermost first. Brackets hold one attempt.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Plan, Policy, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") }).pipe(
 *   Policy.timeout("500 millis"),
 *   Policy.retry({ times: 3 })
 * )
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.succeed(["ada"]) })
 *
 * console.log(Plan.toText(Loader.plan(Loader.make({ members }, { name: "page" }))))
 * // plan of "page": 2 resources in 2 batches
 * //   1  org  retry(3) > [timeout(500ms)]
 * //   2  members <- org
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toText = (self: Plan): string => {
  const byName = new Map(self.resources.map((resource) => [resource.name, resource]))
  const given = self.resources.filter(({ batch }) => batch < 0).map(({ name }) => name)
  const width = String(self.batches.length).length
  const batches = self.batches.flatMap((names, i) =>
    names.map((name, k) => {
      const number = k === 0 ? String(i + 1) : ""
      return `  ${number.padStart(width)}  ${showResource(byName.get(name)!)}`
    })
  )
  return [
    `plan of "${printableLabel(self.loader)}": ${count(batches.length, "resource")} in ${count(self.batches.length, "batch", "batches")}${showSettings(self)}`,
    ...(given.length === 0 ? [] : [`  ${"".padStart(width)}  given: ${given.map(printableLabel).join(", ")}`]),
    ...batches
  ].join("\n")
}
