/** The cycles that are told of graphs that have some: all that closes one is in one, and nothing else is. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { Loader, Resource } from "effect-loader"
import fc from "fast-check"

/** For each resource, what it waits for, and how. */
type Digraph = ReadonlyArray<ReadonlyArray<{ readonly to: number; readonly as: "value" | "view" | "after" }>>

const digraph: fc.Arbitrary<Digraph> = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(
    fc.array(
      fc.record({
        to: fc.nat({ max: size - 1 }),
        as: fc.constantFrom("value" as const, "view" as const, "after" as const)
      }),
      { maxLength: 4 }
    ),
    { minLength: size, maxLength: size }
  )
)

const toResources = (graph: Digraph): ReadonlyArray<Resource.Any> => {
  const resources: Array<Resource.Any> = graph.map((edges, i) => {
    const used = (as: string) => edges.filter((edge) => edge.as === as).map(({ to }) => resources[to]!)
    const deps = () => [
      ...used("value"),
      ...used("view").map((resource): Resource.Any => resource.pipe(Resource.option))
    ]
    return Resource.make(`r${i}`, {
      deps: () => Object.fromEntries(deps().map((resource, k) => [`d${k}`, resource])),
      after: () => used("after"),
      load: () => Effect.succeed(i)
    })
  })
  return resources
}

const pathsOf = (graph: Digraph): ReadonlyArray<ReadonlyArray<number>> => {
  const targets = Object.fromEntries(toResources(graph).map((resource, i) => [`t${i}`, resource]))
  const compiled = Loader.compile(targets)
  if (Result.isSuccess(compiled)) return []
  return compiled.failure.issues.map((issue) =>
    issue._tag === "Cycle" ? issue.path.map((name) => parseInt(name.slice(1), 10)) : assert.fail(issue._tag)
  )
}

/** Which resources each one waits for, however far: by looking for as long as something is new. */
const closure = (graph: Digraph): ReadonlyArray<ReadonlySet<number>> => {
  const reached = graph.map((edges) => new Set(edges.map(({ to }) => to)))
  for (let isNew = true; isNew;) {
    isNew = false
    for (const some of reached) {
      for (const next of some) {
        for (const far of reached[next]!) {
          isNew ||= !some.has(far)
          some.add(far)
        }
      }
    }
  }
  return reached
}

const show = (from: number, to: number): string => `${from} -> ${to}`

describe("the cycles of a graph", () => {
  it("are real, and have every dependency among them that closes one, and no other", () => {
    fc.assert(
      fc.property(digraph, (graph) => {
        const reached = closure(graph)
        const closing = new Set<string>()
        graph.forEach((edges, from) => {
          for (const { to } of edges) if (to === from || reached[to]!.has(from)) closing.add(show(from, to))
        })
        const told = new Set<string>()
        for (const path of pathsOf(graph)) {
          assert.strictEqual(path[0], path.at(-1))
          assert.strictEqual(new Set(path).size, path.length - 1)
          for (let i = 1; i < path.length; i++) {
            assert.isTrue(graph[path[i - 1]!]!.some(({ to }) => to === path[i]))
            told.add(show(path[i - 1]!, path[i]!))
          }
        }
        assert.deepStrictEqual([...told].sort(), [...closing].sort())
      }),
      { numRuns: 500 }
    )
  })

  it("are found in a ring of 100,000, and the number of those that are told is bounded", () => {
    const size = 100_000
    const ring: Array<Resource.Any> = []
    for (let i = 0; i < size; i++) {
      const next = i + 1
      const deps = (): Resource.Deps => ({ next: ring[next % size]!, far: ring[(i * 7919) % size]! })
      ring.push(Resource.make(`r${i}`, { deps, load: () => Effect.succeed(i) }))
    }
    const compiled = Loader.compile({ first: ring[0]! })
    const issues = Result.isFailure(compiled) ? compiled.failure.issues : []
    const paths = issues.flatMap((issue) => (issue._tag === "Cycle" ? [issue.path] : []))
    const last = issues.at(-1)
    assert.isAbove(paths.length, 0)
    assert.isAtMost(paths.length, 1_000)
    const told = new Set(paths.flatMap((path) => path.slice(1).map((name, i) => `${path[i]} -> ${name}`)))
    // All of it is one knot: each resource waits for two others, but for some whose two are one.
    const all = new Set(ring.flatMap((_, i) => [`r${i} -> r${(i + 1) % size}`, `r${i} -> r${(i * 7919) % size}`]))
    assert.strictEqual(told.size + (last?._tag === "MoreCycles" ? last.dependencies : 0), all.size)
  })
})
