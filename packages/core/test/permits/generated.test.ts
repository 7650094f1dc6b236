/** Limits on generated graphs: what must hold whatever is limited, nested and repeated. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"
import * as fc from "fast-check"
import { Limiter, Loader, Policy, Resource } from "effect-loader"
import { withTime } from "../withTime.ts"

class First extends Limiter.Service<First>()("app/First") {}
class Second extends Limiter.Service<Second>()("app/Second") {}

/** One resource of a generated page: what it needs of those before it, how long it takes, and how it is limited. */
interface Spec {
  readonly needs: ReadonlyArray<number>
  readonly takes: number
  readonly limiter: "none" | "first" | "second"
  readonly permits: number
  readonly kind: "load" | "list" | "nested"
  readonly failures: number
}

const spec = (index: number): fc.Arbitrary<Spec> =>
  fc.record({
    needs: index === 0 ? fc.constant([]) : fc.uniqueArray(fc.nat(index - 1), { maxLength: 3 }),
    takes: fc.nat(9),
    limiter: fc.constantFrom("none", "first", "second"),
    permits: fc.integer({ min: 1, max: 2 }),
    kind: fc.constantFrom("load", "load", "list", "nested"),
    failures: fc.nat(2)
  })

const specs = fc
  .integer({ min: 1, max: 9 })
  .chain((size) => fc.tuple(...Array.from({ length: size }, (_, k) => spec(k))))

interface InUse {
  now: number
  most: number
}

type Use = Record<"first" | "second", InUse>

const using = (inUse: InUse, permits: number, takes: number): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Effect.sync(() => (inUse.most = Math.max(inUse.most, (inUse.now += permits)))),
    () => Effect.sleep(takes),
    () => Effect.sync(() => (inUse.now -= permits))
  )

const policies = {
  first: (permits: number) => Policy.limit(First, { permits }),
  second: (permits: number) => Policy.limit(Second, { permits })
}

const limited = <N extends string, A, E, R>(
  resource: Resource.Resource<N, A, E, R>,
  { limiter, permits }: Spec
): Resource.Any => (limiter === "none" ? resource : resource.pipe(policies[limiter](permits)))

/** The resources of a page, the last of which is what is asked for. Whether they are limited changes no value. */
const resourcesOf = (page: ReadonlyArray<Spec>, use: Use, limits: boolean): Record<string, Resource.Any> => {
  const made: Array<Resource.Any> = []
  page.forEach((given, k) => {
    const { failures, kind, needs, permits, takes } = given
    const inUse = given.limiter === "none" ? undefined : use[given.limiter]
    const work = inUse === undefined || !limits ? Effect.sleep(takes) : using(inUse, permits, takes)
    const deps = Object.fromEntries(needs.map((j) => [`r${j}`, made[j]!]))
    let left = failures
    const load = (value: unknown) =>
      Effect.flatMap(work, () => Effect.suspend(() => (left-- > 0 ? Effect.fail("busy") : Effect.succeed(value))))
    const inside = Loader.make({ inside: Resource.make("inside", { load: () => load([k, "inside"]) }) })
    const resource =
      kind === "list"
        ? Resource.forEach(`r${k}`, { deps, items: () => [0, 1], load: (item, values) => load([k, item, values]) })
        : kind === "nested"
          ? Resource.make(`r${k}`, { deps, load: () => Loader.load(inside) })
          : Resource.make(`r${k}`, { deps, load: (values) => load([k, values]) })
    const retried = resource.pipe(Policy.retry({ times: 5, schedule: Schedule.spaced("3 millis") }))
    made.push(limits ? limited(retried, given) : retried)
  })
  return Object.fromEntries(made.map((resource) => [resource.name, resource]))
}

const newUse = (): Use => ({ first: { now: 0, most: 0 }, second: { now: 0, most: 0 } })

describe("limits on generated pages", () => {
  it.effect("change no value, are never exceeded, and all that was taken is given back", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(specs, { minLength: 1, maxLength: 3 }),
          fc.integer({ min: 2, max: 4 }),
          fc.constantFrom(1, 2, "unbounded" as const),
          fc.constantFrom("eager" as const, "batched" as const),
          async (pages, limit, concurrency, scheduling) => {
            const use = newUse()
            const load = (limits: boolean) => (page: ReadonlyArray<Spec>) =>
              Loader.load(
                Loader.make(resourcesOf(page, use, limits), { concurrency, scheduling }) as Loader.Loader<
                  unknown,
                  unknown
                >
              )
            const layers = Layer.mergeAll(First.layer({ limit }), Second.layer({ limit }))
            const stats = Effect.all([First.stats, Second.stats])
            const [values, after] = await Effect.runPromise(
              withTime(
                Effect.provide(Effect.all([Effect.forEach(pages, load(true), { concurrency: 3 }), stats]), layers)
              )
            )
            const plain = await Effect.runPromise(withTime(Effect.forEach(pages, load(false), { concurrency: 3 })))
            assert.deepStrictEqual(values, plain)
            for (const { inFlight, waiting } of after) assert.deepStrictEqual([inFlight, waiting], [0, 0])
            for (const { most, now } of Object.values(use)) {
              assert.strictEqual(now, 0)
              assert.isAtMost(most, limit)
            }
          }
        ),
        { numRuns: 150 }
      )
    )
  )
})
