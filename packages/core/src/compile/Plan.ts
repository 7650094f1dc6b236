/**
 * Plans: the graph of a loader as plain data that can be printed, compared and stored.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Part } from "../model/Policy.ts"
import { baseOf } from "../model/Node.ts"
import type { Layer } from "../model/Node.ts"
import type { Attempted, Cases, Limited, Step } from "../model/Step.ts"
import { innerFirst, type Inside, insideOf, insidesOf } from "./Inside.ts"
import { mayWaitFor } from "./Layout.ts"
import type { Program } from "./Program.ts"

/**
 * One resource of a plan.
 *
 * - `kind`: `input` and `constant` (also a value that replaces a resource) exist when a run starts; `load` runs an effect,
 *   `request` asks a resolver, `list` loads items, `loader` runs another loader, `struct` groups resources, `match` chooses one.
 * - `dependencies`: the names of the resources that it reads or waits for; `dependents`: the resources that wait for it.
 * - `batch`: its batch, from 0, if every level waited for the last; -1 for a resource that runs nothing.
 * - `rank`: the length of the longest path from it to the end, in resources, itself included. Higher ranks start first.
 * - `attempt`: the parts of policies inside one attempt, innermost first; `around`: those around all attempts.
 * - `items`: for a list, how many items may load at once, and the policies around one attempt of an item and around all.
 * - `cases`, `otherwise`: for a choice, the resource for each value, and for all other values.
 * - `loader`: the plan of a nested loader.
 * - `onlyFor`: the choices that can want it, if nothing else does.
 * - `views`: the views of it that the graph uses (`map`, `catch`, `option`...).
 *
 * @since 0.1.0
 * @category models
 */
export interface PlanResource {
  readonly name: string
  readonly kind: "input" | "constant" | "load" | "request" | "list" | "loader" | "struct" | "match"
  readonly dependencies: ReadonlyArray<string>
  readonly dependents: ReadonlyArray<string>
  readonly batch: number
  readonly rank: number
  readonly attempt: ReadonlyArray<Part>
  readonly around: ReadonlyArray<Part>
  readonly items?: PlanItems
  readonly cases?: Readonly<Record<string, string>>
  readonly otherwise?: string
  readonly loader?: Plan
  readonly onlyFor?: ReadonlyArray<string>
  readonly views: ReadonlyArray<string>
  readonly annotations: Readonly<Record<string, unknown>>
}

/**
 * The items of a list: see {@link PlanResource}.
 *
 * @since 0.1.0
 * @category models
 */
export interface PlanItems {
  readonly concurrency?: number
  /** Set if each item is a request. */
  readonly requests?: boolean
  readonly attempt: ReadonlyArray<Part>
  readonly around: ReadonlyArray<Part>
}

/**
 * The graph of a loader, as data without functions.
 *
 * - `resources`: dependencies before dependents, in declaration order.
 * - `batches`: the names that could run concurrently if every level waited for the last. `scheduling: "batched"` runs them so;
 *   an eager run does not wait for levels.
 * - `targets`: the name of the resource of each target, by key.
 * - `concurrency`: how many attempts may run at once in a run; no limit without it.
 * - `timeout`: how long a run may take, in milliseconds; no limit without it.
 * - `scheduling`: whether a resource waits for its own dependencies or for its batch.
 *
 * @since 0.1.0
 * @category models
 */
export interface Plan {
  readonly loader: string
  readonly scheduling: "eager" | "batched"
  readonly concurrency?: number
  readonly timeout?: number
  readonly resources: ReadonlyArray<PlanResource>
  readonly batches: ReadonlyArray<ReadonlyArray<string>>
  readonly targets: Readonly<Record<string, string>>
}

/** Whether a resource runs an effect, so that it takes time and can fail. */
export const doesWork = ({ kind }: PlanResource): boolean =>
  kind === "load" || kind === "request" || kind === "list" || kind === "loader"

/** Whether it only waits for answers, and so takes no slot. */
export const onlyAsks = ({ items, kind }: PlanResource): boolean => kind === "request" || items?.requests === true

/** Plans show a limit where its permits are taken: outside of one attempt. */
const partsOf = (layers: ReadonlyArray<Layer>, limit?: Limited): ReadonlyArray<Part> => [
  ...layers.flatMap(({ kind, label, takes, unlisted }) => (takes === undefined && !unlisted ? [{ kind, label }] : [])),
  ...(limit === undefined ? [] : [{ kind: "limit", label: limit.label }])
]

const itemsOf = ({ items }: Attempted): Pick<PlanResource, "items"> => {
  if (items === undefined) return {}
  const { asks, concurrency, inner, limit: permits = asks?.limit, outer } = items
  const limit = concurrency === "unbounded" ? {} : { concurrency }
  const requests = asks === undefined ? {} : { requests: true }
  return { items: { ...limit, ...requests, attempt: partsOf(inner, permits), around: partsOf(outer) } }
}

/** The names of the choices that can want each step, for steps that only choices can want. */
const wantedOnlyBy = ({ optional, steps }: Program): ReadonlyMap<number, ReadonlySet<string>> => {
  const onlyFor = new Map<number, Set<string>>()
  if (optional === undefined) return onlyFor
  const add = (i: number, names: Iterable<string>): void => {
    if (optional[i] === 0) return
    const known = onlyFor.get(i) ?? new Set()
    for (const name of names) known.add(name)
    onlyFor.set(i, known)
  }
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i]!
    for (const j of step.mayChoose) add(j, [step.name])
    for (const j of step.waitsFor) add(j, onlyFor.get(i) ?? [])
  }
  return onlyFor
}

const noParts: ReadonlyArray<Part> = []

/** The properties that only some kinds of resources have. */
const detailsOf = (
  { attempts, choice }: Step,
  nameOf: (i: number) => string
): Pick<PlanResource, "attempt" | "around" | "items" | "cases" | "otherwise"> => ({
  attempt: attempts === undefined ? noParts : partsOf(attempts.inner, attempts.limit ?? attempts.asks?.limit),
  around: attempts === undefined ? noParts : partsOf(attempts.outer),
  ...(attempts === undefined ? {} : itemsOf(attempts)),
  ...(choice === undefined ? {} : casesOf(choice, nameOf))
})

const casesOf = (
  { cases, otherwise }: Cases,
  nameOf: (i: number) => string
): Pick<PlanResource, "cases" | "otherwise"> => ({
  cases: Object.fromEntries(Array.from(cases, ([value, i]) => [value, nameOf(i)])),
  ...(otherwise === undefined ? {} : { otherwise: nameOf(otherwise) })
})

/** The settings of a run in a plan. */
type Settings = Pick<Plan, "scheduling" | "concurrency" | "timeout">

/** The plan of a compiled graph. A resource and its views are one entry. */
const fromProgram = (program: Program, settings: Settings): Plan => {
  const onlyFor = wantedOnlyBy(program)
  const nameOf = (i: number): string => program.steps[i]!.name
  const batchOf = new Int32Array(program.steps.length).fill(-1)
  program.batches.forEach((batch, number) => batch.forEach((i) => (batchOf[i] = number)))
  const dependents = program.steps.map(() => new Set<string>())
  const views = program.steps.map((): Array<string> => [])
  for (const i of program.declared) {
    const step = program.steps[i]!
    if (step.view !== undefined) views[step.base]!.push(step.view.lens.label)
    for (const j of mayWaitFor(step)) if (step.view === undefined) dependents[program.steps[j]!.base]!.add(nameOf(i))
  }
  const resources = program.declared.flatMap((i): ReadonlyArray<PlanResource> => {
    const step = program.steps[i]!
    if (step.view !== undefined) return []
    const base = baseOf(step.node)
    const inside = insideOf(base)
    const loader = inside && plans.get(inside)
    const choosers = onlyFor.get(i)
    return [
      {
        name: step.name,
        kind: base.source.kind.name,
        dependencies: Array.from(new Set(mayWaitFor(step).map(nameOf))),
        dependents: Array.from(dependents[i]!),
        batch: batchOf[i]!,
        rank: program.ranks[i]!,
        ...detailsOf(step, nameOf),
        ...(loader === undefined ? {} : { loader }),
        ...(choosers === undefined ? {} : { onlyFor: [...choosers] }),
        views: views[i]!,
        annotations: base.annotations
      }
    ]
  })
  return {
    loader: program.name,
    ...settings,
    resources,
    batches: program.batches.map((batch) => batch.map(nameOf)),
    targets: Object.fromEntries(program.targets.keys.map((key, k) => [key, nameOf(program.targets.sources[k]!)]))
  }
}

/** The plans of loaders. Plans of nested loaders are made first. */
const plans = new WeakMap<Inside, Plan>()

const toPlan = ({ inBatches, limit, program, timeout }: Inside): Plan =>
  fromProgram(program, {
    scheduling: inBatches ? "batched" : "eager",
    ...(limit === undefined ? {} : { concurrency: limit }),
    ...(timeout === undefined || !Duration.isFinite(timeout) ? {} : { timeout: Duration.toMillis(timeout) })
  })

/** The plan of a loader, made once. */
export const planOf = (loader: Inside): Plan => innerFirst(loader, plans, ({ program }) => insidesOf(program), toPlan)

/** A plan and the plans of all nested loaders, each once, outer ones first. */
export const withInside = (plan: Plan): ReadonlyArray<Plan> => {
  const found = new Set<Plan>()
  const open = [plan]
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (found.has(one)) continue
    found.add(one)
    for (const { loader } of one.resources.toReversed()) if (loader !== undefined) open.push(loader)
  }
  return [...found]
}

/**
 * The entry of one resource, by name; `undefined` if the plan has none of that name.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Plan, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.succeed(["ada"]) })
 *
 * const plan = Loader.plan(Loader.make({ members }))
 * console.log(plan.batches) // [ [ "org" ], [ "members" ] ]
 * console.log(Plan.get(plan, "org")?.dependents) // [ "members" ]
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const get = (self: Plan, name: string): PlanResource | undefined =>
  self.resources.find((resource) => resource.name === name)
