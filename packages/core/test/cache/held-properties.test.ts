/**
 * Generated loaders that run each other, with caches, limits and slots in any place, in runs that overlap and are
 * interrupted.
 *
 * The oracle needs no run: the value of a resource follows from its declaration.
 */
import { Effect, Exit, Fiber, Layer, Option } from "effect"
import { Limiter, Loader, Policy, Resource, ResourceCache } from "effect-loader"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { withTime } from "../withTime.ts"

class Values extends ResourceCache.Service<Values>()("test/Values") {}
class Backend extends Limiter.Service<Backend>()("test/Backend") {}

type Services = Values | Backend
type Part = "cache" | "limit" | "retry"

/** The kind of a resource: it loads a value, reads one by hand, or loads one of the earlier loaders. */
type Work =
  | { readonly _tag: "Load" | "Read"; readonly key: number }
  | { readonly _tag: "FromLoader" | "Run" | "List"; readonly loader: number }

interface Task {
  readonly work: Work
  readonly pause: number
  readonly duration: number
  readonly parts: ReadonlyArray<Part>
  /** The earlier resource of its loader that it depends on, if any. */
  readonly after: number | undefined
}

interface Group {
  readonly tasks: ReadonlyArray<Task>
  readonly concurrency: number | "unbounded"
}

interface Visit {
  readonly loader: number
  readonly at: number
  readonly interruptedAfter: number | undefined
  /** Whether it holds a permit from beginning to end. */
  readonly holds: boolean
}

interface Scenario {
  readonly groups: ReadonlyArray<Group>
  readonly visits: ReadonlyArray<Visit>
  readonly limit: number
  readonly caching: "forever" | "refreshing"
}

const caches = {
  forever: { timeToLive: "1 day" },
  refreshing: { timeToLive: 10, staleWhileRevalidate: 20, earlyRefresh: 0.5 }
} as const satisfies Record<string, ResourceCache.MemoryOptions>

const work = (group: number): fc.Arbitrary<Work> => {
  const key = fc.nat({ max: 1 })
  const own = fc.record({ _tag: fc.constantFrom("Load" as const, "Load" as const, "Read" as const), key })
  if (group === 0) return own
  const other = fc.record({
    _tag: fc.constantFrom("FromLoader" as const, "Run" as const, "Run" as const, "List" as const),
    loader: fc.nat({ max: group - 1 })
  })
  return fc.oneof(own, other)
}

const task = (group: number, index: number): fc.Arbitrary<Task> =>
  fc.record({
    work: work(group),
    pause: fc.nat({ max: 3 }),
    duration: fc.nat({ max: 10 }),
    parts: fc.constantFrom<ReadonlyArray<Part>>(
      [],
      ["cache"],
      ["cache"],
      ["limit"],
      ["limit", "cache"],
      ["limit", "cache"],
      ["cache", "limit"],
      ["cache", "retry"],
      ["limit", "cache", "retry"],
      ["retry", "cache"]
    ),
    after: index === 0 ? fc.constant(undefined) : fc.option(fc.nat({ max: index - 1 }), { nil: undefined })
  })

const group = (index: number): fc.Arbitrary<Group> =>
  fc.record({
    tasks: fc
      .integer({ min: 1, max: 4 })
      .chain((size) => fc.tuple(...Array.from({ length: size }, (_, k) => task(index, k)))),
    concurrency: fc.constantFrom<Group["concurrency"]>(1, 1, 2, "unbounded")
  })

const groupsOf = (size: number): fc.Arbitrary<ReadonlyArray<Group>> =>
  fc.tuple(...Array.from({ length: size }, (_, index) => group(index)))

const scenario: fc.Arbitrary<Scenario> = fc.integer({ min: 1, max: 4 }).chain((size) =>
  fc.record({
    groups: groupsOf(size),
    visits: fc.array(
      fc.record({
        loader: fc.nat({ max: size - 1 }),
        at: fc.nat({ max: 40 }),
        interruptedAfter: fc.option(fc.nat({ max: 30 }), { nil: undefined, freq: 2 }),
        holds: fc.constantFrom(false, false, true)
      }),
      { minLength: 1, maxLength: 4 }
    ),
    limit: fc.constantFrom(1, 1, 2),
    caching: fc.constantFrom("forever" as const, "refreshing" as const)
  })
)

/** The value of a resource. It follows from the key: resources with equal keys have equal values. */
const valueOf = (groups: ReadonlyArray<Group>, { work }: Task): unknown => {
  if ("key" in work) return `value ${work.key}`
  const of = (loader: number) =>
    Object.fromEntries(groups[loader]!.tasks.map((task, k) => [`t${k}`, valueOf(groups, task)]))
  return work._tag === "List" ? [of(work.loader), of(work.loader)] : of(work.loader)
}

const keyOf = ({ work }: Task): string =>
  "key" in work ? `value ${work.key}` : `${work._tag === "List" ? "list" : "result"} ${work.loader}`

/** How often each key was loaded, and how often that was interrupted. */
class Loaded {
  readonly started = new Map<string, number>()
  interrupted = 0

  load({ duration, work }: Task): Effect.Effect<string> {
    const key = `value ${"key" in work ? work.key : ""}`
    return Effect.suspend(() => {
      this.started.set(key, (this.started.get(key) ?? 0) + 1)
      return Effect.as(
        Effect.onInterrupt(Effect.sleep(duration), () => Effect.sync(() => this.interrupted++)),
        key
      )
    })
  }
}

type AnyResource = Resource.Resource<string, unknown, unknown, Services>
/** Loads one of the loaders, by hand or as a resource of another loader. */
interface AnyLoader {
  readonly load: Effect.Effect<unknown, unknown, Services>
  readonly within: (name: string, key: () => string) => AnyResource
}

/** With a key, which the types allow only for a loader with inputs. */
const fromLoader = Resource.fromLoader as unknown as (
  name: string,
  loader: unknown,
  options: { readonly key: () => string }
) => AnyResource

const policies = { cache: Policy.cache(Values), limit: Policy.limit(Backend), retry: Policy.retry({ times: 1 }) }

const resourceOf = (
  name: string,
  task: Task,
  deps: Record<string, AnyResource>,
  loaders: ReadonlyArray<AnyLoader>,
  loaded: Loaded
): AnyResource => {
  const { parts, pause, work } = task
  const key = () => keyOf(task)
  const run = (loader: number) => Effect.andThen(Effect.sleep(pause), loaders[loader]!.load)
  // A resource that runs a loader holds nothing itself, and a list takes permits item by item.
  const allowed = work._tag === "FromLoader" ? parts.filter((part) => part !== "limit") : parts
  const pipe = (self: AnyResource): AnyResource =>
    allowed.reduce<AnyResource>((self, part) => self.pipe<AnyResource>(policies[part] as never), self)
  switch (work._tag) {
    case "Load":
      return pipe(
        Resource.make(name, { key, deps, load: () => Effect.andThen(Effect.sleep(pause), loaded.load(task)) })
      )
    case "Read":
      return pipe(
        Resource.make(name, {
          key,
          deps,
          load: () => Effect.andThen(Effect.sleep(pause), Values.get(`by hand ${key()}`, loaded.load(task)))
        })
      )
    case "FromLoader":
      return pipe(loaders[work.loader]!.within(name, key))
    case "Run":
      return pipe(Resource.make(name, { key, deps, load: () => run(work.loader) }))
    case "List":
      return pipe(Resource.forEach(name, { key, deps, items: () => [0, 1], load: () => run(work.loader) }))
  }
}

const loadersOf = ({ groups }: Scenario, loaded: Loaded): ReadonlyArray<AnyLoader> => {
  const loaders: Array<AnyLoader> = []
  for (const { concurrency, tasks } of groups) {
    const resources: Record<string, AnyResource> = {}
    for (const [k, task] of tasks.entries()) {
      const before = task.after === undefined ? {} : { before: resources[`t${task.after}`]! }
      resources[`t${k}`] = resourceOf(`t${k}`, task, before, loaders, loaded)
    }
    const loader = Loader.make(resources, { concurrency })
    loaders.push({ load: Loader.load(loader), within: (name, key) => fromLoader(name, loader, { key }) })
  }
  return loaders
}

const visitAll = (given: Scenario, loaded: Loaded) => {
  const loaders = loadersOf(given, loaded)
  const visits = Effect.forEach(
    given.visits,
    ({ at, holds, interruptedAfter, loader }) =>
      Effect.gen(function* () {
        yield* Effect.sleep(at)
        const { load } = loaders[loader]!
        const fiber = yield* Effect.forkChild(holds ? Backend.withPermit(load) : load, { startImmediately: true })
        if (interruptedAfter !== undefined) {
          yield* Effect.sleep(interruptedAfter)
          yield* Fiber.interrupt(fiber)
        }
        return yield* Fiber.await(fiber)
      }),
    { concurrency: "unbounded" }
  )
  const layers = Layer.merge(Values.layer(caches[given.caching]), Backend.layer({ limit: given.limit }))
  return Effect.runPromise(withTime(Effect.provide(Effect.timeoutOption(visits, "1 hour"), layers)))
}

type Exits = ReadonlyArray<Exit.Exit<unknown, unknown>>

/** Each run that is not interrupted gets the values of its loader. */
const checkValues = (given: Scenario, exits: Exits) => {
  for (const [k, exit] of exits.entries()) {
    const { interruptedAfter, loader } = given.visits[k]!
    const { tasks } = given.groups[loader]!
    const values = Object.fromEntries(tasks.map((task, k) => [`t${k}`, valueOf(given.groups, task)]))
    if (Exit.isSuccess(exit)) expect(exit.value).toEqual(values)
    else expect(interruptedAfter, String(exit.cause)).toBeDefined()
  }
}

/** The same without anything to hold: no limits, slots for all resources, and a cache that keeps all values. */
const withoutHolding = (given: Scenario): Scenario => ({
  ...given,
  caching: "forever",
  visits: given.visits.map((visit) => ({ ...visit, holds: false })),
  groups: given.groups.map(({ tasks }) => ({
    concurrency: "unbounded",
    tasks: tasks.map((task) => ({
      ...task,
      work: task.work._tag === "Read" ? { ...task.work, _tag: "Load" } : task.work,
      parts: [...task.parts.filter((part) => part === "retry"), "cache"]
    }))
  }))
})

describe("generated loaders that run each other, with caches, limits and slots", () => {
  it("end and give their values, whatever a reader of a cache holds", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const exits = Option.getOrUndefined(await visitAll(given, new Loaded()))
        expect(exits, "every run ends").toBeDefined()
        checkValues(given, exits!)
      }),
      { numRuns: 1500 }
    )
  )

  it("load a key once, if no reader holds anything", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (generated) => {
        const given = withoutHolding(generated)
        const loaded = new Loaded()
        checkValues(given, Option.getOrThrow(await visitAll(given, loaded)))
        for (const [key, started] of loaded.started) {
          expect(started, key).toBeLessThanOrEqual(1 + loaded.interrupted)
        }
      }),
      { numRuns: 300 }
    )
  )
})
