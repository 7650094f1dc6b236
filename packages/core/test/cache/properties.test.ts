/**
 * Generated graphs with caches in any place, loaded by several runs that overlap and are interrupted at any instant.
 *
 * The oracle is the same graph without caches, loaded alone.
 */
import { Effect, Exit, Fiber, Layer } from "effect"
import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { withTime } from "../withTime.ts"

class First extends ResourceCache.Service<First>()("test/First") {}
class Second extends ResourceCache.Service<Second>()("test/Second") {}

/** Caches that keep everything, and caches that keep few values for a short time and refresh them. */
const caches = {
  forever: { timeToLive: "1 day" },
  tight: { timeToLive: 5, capacity: 2 },
  refreshing: { timeToLive: 10, staleWhileRevalidate: 20, earlyRefresh: 0.5, jitter: 0.5, background: 2 },
  forErrors: { timeToLive: 3, staleIfError: "1 hour", failures: { timeToLive: 0 } }
} as const satisfies Record<string, ResourceCache.MemoryOptions>

const layerOf = ({ caching }: Pick<Scenario, "caching">) =>
  Layer.mergeAll(First.layer(caches[caching]), Second.layer(caches[caching]))

/** The policies of a resource, innermost first. */
type Part = "first" | "second" | "retry" | "timeout"

interface Task {
  readonly uses: ReadonlyArray<number>
  readonly duration: number
  readonly parts: ReadonlyArray<Part>
  /** Whether it has a key, or is identified by its dependencies. */
  readonly hasKey: boolean
  /** The number of its items, if it is a list. */
  readonly items: number | undefined
  readonly failures: number
}

interface Visit {
  readonly input: number
  readonly after: number
  readonly interruptedAfter: number | undefined
}

interface Scenario {
  readonly tasks: ReadonlyArray<Task>
  readonly visits: ReadonlyArray<Visit>
  readonly concurrency: number | "unbounded"
  readonly caching: keyof typeof caches
}

const parts: fc.Arbitrary<ReadonlyArray<Part>> = fc.constantFrom<ReadonlyArray<Part>>(
  [],
  ["first"],
  ["first"],
  ["second"],
  ["timeout", "first"],
  ["retry", "first"],
  ["first", "retry"],
  ["timeout", "retry", "second", "timeout"],
  ["first", "second"]
)

const task = (index: number): fc.Arbitrary<Task> =>
  fc.record({
    uses: fc.uniqueArray(fc.nat({ max: Math.max(0, index - 1) }), { maxLength: index === 0 ? 0 : 3 }),
    duration: fc.nat({ max: 20 }),
    parts,
    hasKey: fc.boolean(),
    items: fc.option(fc.nat({ max: 4 }), { nil: undefined, freq: 3 }),
    failures: fc.constantFrom(0, 0, 0, 1)
  })

const scenario: fc.Arbitrary<Scenario> = fc.integer({ min: 1, max: 7 }).chain((size) =>
  fc.record({
    tasks: fc.tuple(...Array.from({ length: size }, (_, i) => task(i))),
    visits: fc.array(
      fc.record({
        input: fc.nat({ max: 1 }),
        after: fc.nat({ max: 40 }),
        interruptedAfter: fc.option(fc.nat({ max: 60 }), { nil: undefined, freq: 2 })
      }),
      { minLength: 1, maxLength: 5 }
    ),
    concurrency: fc.constantFrom("unbounded" as const, 1, 2),
    caching: fc.constantFrom<Scenario["caching"]>("forever", "forever", "tight", "refreshing", "forErrors")
  })
)

const policies = {
  first: Policy.cache(First),
  second: Policy.cache(Second),
  retry: Policy.retry({ times: 2 }),
  timeout: Policy.timeout("1 hour")
} as const

const pipeThrough = (self: AnyResource, part: Part): AnyResource => self.pipe<AnyResource>(policies[part] as never)

const isCache = (part: Part): boolean => part === "first" || part === "second"

/** The loads of one key. */
interface Loads {
  readonly task: Task
  started: number
  /** The loads without a value. */
  interrupted: number
  failed: number
}

/** The loads, by the identity of the value. */
class Loaded {
  readonly byKey = new Map<string, Loads>()

  load(key: string, task: Task): Effect.Effect<string, string> {
    const of = this.byKey.get(key) ?? { task, started: 0, interrupted: 0, failed: 0 }
    this.byKey.set(key, of)
    const started = Effect.suspend(() => {
      of.started++
      return Effect.onInterrupt(Effect.sleep(task.duration), () => Effect.sync(() => of.interrupted++))
    })
    const ended = Effect.suspend(() => {
      if (of.failed === task.failures) return Effect.succeed(key)
      of.failed++
      return Effect.fail(`busy ${key}`)
    })
    return Effect.andThen(started, ended)
  }
}

type AnyResource = Resource.Resource<string, unknown, unknown, First | Second, { readonly input: number }>

const input = Resource.input<number>()("input")

const toLoader = ({ concurrency, tasks }: Scenario, loaded: Loaded, withCaches: boolean) => {
  const resources: Array<AnyResource> = []
  for (const [index, one] of tasks.entries()) {
    const deps = { input, ...Object.fromEntries(one.uses.map((on) => [`d${on}`, resources[on]!])) }
    const keyOf = (values: object): string => `${index} of ${JSON.stringify(values)}`
    const piped = one.parts.filter((part) => withCaches || !isCache(part))
    // Without a retry, a failure goes to all runs: leave it out, so that there is a value to compare.
    const sound = one.parts.includes("retry") ? one : { ...one, failures: 0 }
    const plain: AnyResource =
      one.items === undefined
        ? Resource.make(`r${index}`, {
            deps,
            ...(one.hasKey ? { key: keyOf } : {}),
            load: (values) => loaded.load(keyOf(values), sound)
          })
        : Resource.forEach(`r${index}`, {
            deps,
            items: () => Array.from({ length: one.items! }, (_, k) => k % 3),
            ...(one.hasKey ? { itemKey: (item: number, values: object) => `${item} ${keyOf(values)}` } : {}),
            load: (item, values) => loaded.load(`${item} ${keyOf(values)}`, sound),
            each: Policy.compose(...(piped.map((part) => policies[part]) as []))
          })
    const around = one.items === undefined ? piped : []
    resources.push(around.reduce<AnyResource>((self, part) => pipeThrough(self, part), plain))
  }
  const targets = Object.fromEntries(resources.map((resource, index) => [`t${index}`, resource]))
  return Loader.make(targets, { concurrency })
}

const load = (scenario: Scenario, loaded: Loaded, withCaches: boolean) => {
  const page = toLoader(scenario, loaded, withCaches)
  return (input: number) => Loader.load(page, { input })
}

/** The values of a run alone and without caches. */
const plain = (given: Scenario, input: number) =>
  Effect.runPromise(withTime(Effect.provide(load(given, new Loaded(), false)(input), layerOf(given))))

const visitAll = (given: Scenario, loaded: Loaded) => {
  const visit = load(given, loaded, true)
  return Effect.forEach(
    given.visits,
    ({ after, input, interruptedAfter }) =>
      Effect.gen(function* () {
        yield* Effect.sleep(after)
        const fiber = yield* Effect.forkChild(visit(input), { startImmediately: true })
        if (interruptedAfter !== undefined) {
          yield* Effect.sleep(interruptedAfter)
          yield* Fiber.interrupt(fiber)
        }
        return yield* Fiber.await(fiber)
      }),
    { concurrency: "unbounded" }
  )
}

describe("generated graphs with caches, in runs that overlap", () => {
  it("give the values of the plain run, and load each key once, except after interruptions", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const loaded = new Loaded()
        const exits = await Effect.runPromise(withTime(Effect.provide(visitAll(given, loaded), layerOf(given))))
        for (const [k, exit] of exits.entries()) {
          if (Exit.isSuccess(exit)) expect(exit.value).toEqual(await plain(given, given.visits[k]!.input))
          else expect(Exit.hasInterrupts(exit) && !Exit.hasFails(exit) && !Exit.hasDies(exit)).toBe(true)
          if (given.visits[k]!.interruptedAfter === undefined) expect(Exit.isSuccess(exit)).toBe(true)
        }
        for (const [key, { failed, interrupted, started, task }] of loaded.byKey) {
          // A cache that keeps everything loads each key once.
          const isKept = given.caching === "forever" && task.parts.some(isCache)
          if (isKept) expect(started, key).toBeLessThanOrEqual(1 + interrupted + failed)
        }
      }),
      { numRuns: 700 }
    )
  )
})
