import { type Plan, type PlanResource, withInside } from "../compile/Plan.ts"
import { count } from "./Count.ts"
import { millis } from "./Millis.ts"
import { printableLabel } from "./Printable.ts"

/** `retry(3) > [timeout(500ms)]`: the outermost policy first, one attempt in brackets if there can be several. */
export const showPolicies = (resource: PlanResource): string => {
  const { items } = resource
  if (items === undefined) return showParts(resource)
  const each = `each ${showParts(items)}`.trimEnd()
  const atOnce = items.concurrency === undefined ? each : `${each}, ${items.concurrency} at once`
  const whole = [...resource.around, ...resource.attempt].length === 0 ? "" : `${showParts(resource)} > `
  return whole + atOnce
}

const showParts = ({ around, attempt }: Pick<PlanResource, "around" | "attempt">): string => {
  const outermostFirst = (parts: PlanResource["around"]): string =>
    parts
      .map(({ label }) => printableLabel(label))
      .reverse()
      .join(" > ")
  if (around.length === 0) return outermostFirst(attempt)
  return attempt.length === 0 ? outermostFirst(around) : `${outermostFirst(around)} > [${outermostFirst(attempt)}]`
}

/** The cases of a choice, with their values. */
const showCases = ({ cases = {}, otherwise }: PlanResource): string => {
  const each = Object.entries(cases).map(([value, name]) => `${printableLabel(name)} for ${printableLabel(value)}`)
  return `chooses ${[...each, ...(otherwise === undefined ? [] : [`${printableLabel(otherwise)} otherwise`])].join(", ")}`
}

/** The dependencies that a resource always waits for: for a choice, the resource that decides. */
const needsOf = ({ dependencies, kind }: PlanResource): ReadonlyArray<string> =>
  kind === "match" ? dependencies.slice(0, 1) : dependencies

const showResource = (resource: PlanResource): string => {
  const { kind, loader, name, onlyFor, views } = resource
  const needs = needsOf(resource)
  return [
    printableLabel(name) + (needs.length === 0 ? "" : ` <- ${needs.map(printableLabel).join(", ")}`),
    showPolicies(resource),
    loader === undefined ? "" : `runs ${printableLabel(loader.loader)}`,
    kind === "match" ? showCases(resource) : "",
    onlyFor === undefined ? "" : `only for ${onlyFor.map(printableLabel).join(", ")}`,
    views.length === 0 ? "" : `seen through ${views.map(printableLabel).join(", ")}`
  ]
    .filter((part) => part !== "")
    .join("  ")
}

const showSettings = ({ concurrency, scheduling, timeout }: Plan): string =>
  [
    concurrency === undefined ? "" : `, concurrency ${concurrency}`,
    timeout === undefined ? "" : `, timeout ${millis(timeout)}`,
    scheduling === "eager" ? "" : ", batch after batch"
  ].join("")

/**
 * A plan for people: the inputs, then each batch of resources that can run concurrently, with the dependencies of each resource
 * and its policies, outermost first. Brackets enclose one attempt; policies after `each` apply to each item of a list. The
 * plans of nested loaders follow.
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
export const toText = (self: Plan): string => withInside(self).map(oneToText).join("\n\n")

const oneToText = (self: Plan): string => {
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
