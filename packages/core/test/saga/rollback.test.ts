/** On generated graphs: whenever and however a load ends, exactly what it did is undone, once, in a legal order. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { Loader, Resource, RollbackError, type RunEvent } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import fc from "fast-check"

type End = "loads" | "fails" | "dies" | "hangs"

interface Node {
  readonly kind: "load" | "list" | "loader"
  /** Indices of earlier nodes. */
  readonly deps: ReadonlyArray<number>
  readonly takes: number
  readonly undoTakes: number
  readonly undoFails: boolean
  readonly end: End
}

interface Graph {
  readonly nodes: ReadonlyArray<Node>
  readonly limit: number
}

/** What is there, and everything that happened to it. Knows nothing of loaders. */
class World {
  readonly there: Array<string> = []
  readonly log: Array<string> = []

  do(name: string): void {
    this.there.push(name)
    this.log.push(`+${name}`)
  }

  undo(name: string): void {
    this.there.splice(this.there.indexOf(name), 1)
    this.log.push(`-${name}`)
  }
}

const node = (index: number): fc.Arbitrary<Node> =>
  fc.record({
    kind: fc.constantFrom("load" as const, "load" as const, "load" as const, "list" as const, "loader" as const),
    deps: index === 0 ? fc.constant([]) : fc.uniqueArray(fc.integer({ min: 0, max: index - 1 }), { maxLength: 3 }),
    takes: fc.integer({ min: 0, max: 3 }),
    undoTakes: fc.integer({ min: 0, max: 2 }),
    undoFails: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    end: fc.constant<End>("loads")
  })

const graph: fc.Arbitrary<Graph> = fc
  .record({
    nodes: fc.integer({ min: 1, max: 6 }).chain((size) => fc.tuple(...Array.from({ length: size }, (_, i) => node(i)))),
    limit: fc.integer({ min: 1, max: 3 }),
    failing: fc.nat(),
    end: fc.constantFrom<End>("loads", "fails", "fails", "dies", "hangs")
  })
  .map(({ end, failing, limit, nodes }) => ({
    limit,
    nodes: nodes.map((node, i) => (i === failing % nodes.length ? { ...node, end } : node))
  }))

const wait = (millis: number): Effect.Effect<void> => (millis === 0 ? Effect.void : Effect.sleep(millis))

const ends: Record<End, Effect.Effect<void, string>> = {
  loads: Effect.void,
  fails: Effect.fail("no"),
  dies: Effect.die("no"),
  hangs: Effect.never
}

/** What a node does, by the names that the world knows it by. */
const namesOf = (name: string, { kind }: Node): ReadonlyArray<string> =>
  kind === "list" ? [`${name}.0`, `${name}.1`] : kind === "loader" ? [`${name}.x`, `${name}.y`] : [name]

const toLoader = ({ limit, nodes }: Graph, world: World, told: Array<RollbackError>) => {
  const made: Array<Resource.Resource<string, unknown, unknown>> = []
  nodes.forEach(({ deps, end, kind, takes, undoFails, undoTakes }, i) => {
    const name = `n${i}`
    const needs = Object.fromEntries(deps.map((d) => [`d${d}`, made[d]!]))
    const act = (what: string) =>
      Effect.andThen(
        wait(takes),
        Effect.as(
          Effect.andThen(
            ends[end],
            Effect.sync(() => world.do(what))
          ),
          what
        )
      )
    const undo = (what: string) =>
      Effect.andThen(wait(undoTakes), undoFails ? Effect.fail("stays") : Effect.sync(() => world.undo(what)))
    if (kind === "list") {
      const items = () => [`${name}.0`, `${name}.1`]
      made.push(Resource.forEach(name, { deps: needs, items, load: act, compensate: undo }))
    } else if (kind === "loader") {
      const through = Resource.input<unknown>()("through")
      const x = Resource.make("x", { deps: { through }, load: () => act(`${name}.x`), compensate: undo })
      const y = Resource.make("y", { deps: { x }, load: () => act(`${name}.y`), compensate: undo })
      const inner = Loader.make({ y }, { onCompensationFailure: (error) => Effect.sync(() => told.push(error)) })
      const gate = Resource.make(`${name} gate`, { deps: needs, load: () => Effect.void })
      made.push(Resource.fromLoader(name, inner, { inputs: { through: gate } }))
    } else {
      made.push(Resource.make(name, { deps: needs, load: () => act(name), compensate: undo }))
    }
  })
  const targets = Object.fromEntries(made.map((resource) => [resource.name, resource]))
  return Loader.make(targets, {
    timeout: "1 minute",
    compensationConcurrency: limit,
    onCompensationFailure: (error) => Effect.sync(() => told.push(error))
  })
}

/** All pairs of names of which the first depends on the second, however far. */
const dependencies = ({ nodes }: Graph): ReadonlyArray<readonly [string, string]> => {
  const above = nodes.map((): Set<number> => new Set())
  nodes.forEach(({ deps }, i) =>
    deps.forEach((d) => {
      above[i]!.add(d)
      for (const further of above[d]!) above[i]!.add(further)
    })
  )
  const across = nodes.flatMap((node, i) =>
    Array.from(above[i]!).flatMap((d) =>
      namesOf(`n${i}`, node).flatMap((a) => namesOf(`n${d}`, nodes[d]!).map((b) => [a, b] as const))
    )
  )
  const inside = nodes.flatMap((node, i) => (node.kind === "loader" ? [[`n${i}.y`, `n${i}.x`] as const] : []))
  return [...across, ...inside]
}

const check = (
  graph: Graph,
  world: World,
  told: ReadonlyArray<RollbackError>,
  events: ReadonlyArray<RunEvent.RunEvent>,
  exit: Exit.Exit<unknown, unknown>
): void => {
  const outer = events[0]!.run
  const ended = events.find((event) => event.run === outer && event._tag === "RunEnded")
  const done = world.log.filter((line) => line.startsWith("+")).map((line) => line.slice(1))
  const undone = world.log.filter((line) => line.startsWith("-")).map((line) => line.slice(1))
  if (ended?._tag === "RunEnded" && ended.end === "Completed") {
    expect(undone).toEqual([])
    expect(told).toEqual([])
    return
  }
  expect(Exit.isFailure(exit)).toBe(true)
  // Each once: what is there is what could not be undone, and exactly that is told.
  expect(new Set(undone).size).toBe(undone.length)
  const remaining = told.flatMap(({ failures }) => failures.map(({ value }) => String(value)))
  expect(remaining.toSorted()).toEqual(world.there.toSorted())
  expect([...undone, ...remaining].toSorted()).toEqual(done.toSorted())
  // What a load carries is what it could not undo itself, and what loaders inside it could not.
  const carried = Exit.isFailure(exit) ? (RollbackError.of(exit.cause)?.failures ?? []) : []
  for (const { value } of carried) expect(remaining).toContain(String(value))
  const turnOf = (name: string) => undone.indexOf(name)
  for (const [dependent, dependency] of dependencies(graph)) {
    if (turnOf(dependent) >= 0 && turnOf(dependency) >= 0) expect(turnOf(dependent)).toBeLessThan(turnOf(dependency))
  }
}

const program = (graph: Graph) => {
  let world = new World()
  let told: Array<RollbackError> = []
  return {
    run: (probed: Interruption.Probe) =>
      Effect.suspend(() => {
        world = new World()
        told = []
        return Loader.load(probed(toLoader(graph, world, told)))
      }),
    check: ({ events, exit }: Interruption.Trial<unknown, unknown>) =>
      Effect.sync(() => check(graph, world, told, events, exit))
  }
}

describe("generated graphs", () => {
  it(
    "of each failure, interruption and failing compensation: all that was done is undone once, in order, or told",
    () =>
      fc.assert(
        fc.asyncProperty(graph, async (graph) => {
          const { check, run } = program(graph)
          expect(await Effect.runPromise(Interruption.atEveryStep(run, { check }))).toBeGreaterThan(2)
        }),
        { numRuns: 60 }
      ),
    120_000
  )

  it(
    "one at a time, what a load did is undone in the exact reverse order of its completion",
    () =>
      fc.assert(
        fc.asyncProperty(graph, async ({ nodes }) => {
          const plain = nodes.map((node): Node => ({ ...node, kind: "load", undoFails: false }))
          const graph = { nodes: plain, limit: 1 }
          let world = new World()
          const run = () =>
            Effect.suspend(() => {
              world = new World()
              return Loader.loadWithReport(toLoader(graph, world, []))
            })
          const reversed = ({ exit }: Interruption.Trial<Loader.Reported<unknown, unknown>, never>) =>
            Effect.sync(() => {
              if (Exit.isSuccess(exit) && exit.value.report.end === "Completed") return
              const done = world.log.filter((line) => line.startsWith("+")).map((line) => line.slice(1))
              const undone = world.log.filter((line) => line.startsWith("-")).map((line) => line.slice(1))
              expect(undone).toEqual(done.toReversed())
            })
          await Effect.runPromise(Interruption.atEveryInstant(run, { check: reversed }))
        }),
        { numRuns: 100 }
      ),
    120_000
  )
})
