/** What it buys to let the longest way that remains go first, by latencies learned, on generated graphs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { Limiter, Loader, Policy, Report, Resource } from "effect-loader"
import { withTime } from "../withTime.ts"

class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}

interface Node {
  readonly needs: ReadonlyArray<number>
  readonly takes: number
}

const limit = 3

/** A page in which some chains are long by what they take, and others only by their number. */
const pages = fc.integer({ min: 12, max: 30 }).chain((size) =>
  fc.tuple(
    ...Array.from({ length: size }, (_, k) =>
      fc.record({
        needs:
          k < 6
            ? fc.constant([])
            : fc.uniqueArray(fc.integer({ min: Math.max(0, k - 8), max: k - 1 }), { maxLength: 2 }),
        takes: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.integer({ min: 20, max: 80 }))
      })
    )
  )
)

const toLoader = (page: ReadonlyArray<Node>) => {
  const made: Array<Resource.Resource<string, void, never, never>> = []
  page.forEach(({ needs, takes }, k) => {
    const deps = Object.fromEntries(needs.map((j) => [`r${j}`, made[j]!]))
    made.push(Resource.make(`r${k}`, { deps, load: () => Effect.sleep(takes) }) as never)
  })
  const limited = Policy.limit(Postgres)
  return Loader.make(Object.fromEntries(made.map((resource) => [resource.name, resource])), { policy: limited })
}

/** How long a page takes with so many places, if whoever is first by `before` goes first. */
const listSchedule = (page: ReadonlyArray<Node>, before: (a: number, b: number) => number): number => {
  const endsAt = page.map(() => Infinity)
  const left = new Set(page.keys())
  let running: ReadonlyArray<number> = []
  let now = 0
  while (left.size > 0 || running.length > 0) {
    const ready = [...left].filter((k) => page[k]!.needs.every((j) => endsAt[j]! <= now)).sort(before)
    for (const k of ready.slice(0, limit - running.length)) {
      left.delete(k)
      endsAt[k] = now + page[k]!.takes
      running = [...running, k]
    }
    now = Math.min(...running.map((k) => endsAt[k]!))
    running = running.filter((k) => endsAt[k]! > now)
  }
  return now
}

/** The longest path from each node, in milliseconds. */
const pathsOf = (page: ReadonlyArray<Node>): ReadonlyArray<number> => {
  const paths = page.map(({ takes }) => takes)
  for (let k = page.length - 1; k >= 0; k--) {
    for (const j of page[k]!.needs) paths[j] = Math.max(paths[j]!, page[j]!.takes + paths[k]!)
  }
  return paths
}

describe("the order within a run", () => {
  it.effect("is that of the longest path by learned latencies, which beats declaration order", () =>
    Effect.gen(function* () {
      const sampled = fc.sample(pages, { numRuns: 60, seed: 7 })
      const sums = { ours: 0, critical: 0, declared: 0 }
      for (const page of sampled) {
        const loader = toLoader(page)
        const ours = yield* withTime(
          Effect.andThen(Loader.load(loader), Loader.settle(loader)).pipe(Effect.provide(Postgres.layer({ limit })))
        )
        const paths = pathsOf(page)
        sums.ours += ours.until - ours.startedAt
        sums.critical += listSchedule(page, (a, b) => paths[b]! - paths[a]! || a - b)
        sums.declared += listSchedule(page, (a, b) => a - b)
        assert.strictEqual(Report.get(ours, "r0")?.outcome._tag, "Succeeded")
      }
      // After one run the limiter knows the latencies, so that the order is that of one who knows them beforehand.
      assert.isBelow(Math.abs(sums.ours / sums.critical - 1), 0.02)
      assert.isBelow(sums.ours / sums.declared, 0.93)
    })
  )
})
