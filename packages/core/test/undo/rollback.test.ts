/** On generated graphs: whenever and however a load ends, exactly what it did is undone, once, in a legal order. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { Limiter, Loader, Policy, Resource, ResourceCache, type RunEvent, Saga } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import fc from "fast-check"

class Bank extends Limiter.Service<Bank>()("app/Bank") {}
class Deeds extends ResourceCache.Service<Deeds>()("app/Deeds") {}

type End = "loads" | "fails" | "fails once" | "dies" | "hangs"

/** What is around a load, as far as its kind allows. */
interface Around {
  /** By which key it is cached, if it is: two may share one. */
  readonly key: number | undefined
  readonly hedged: boolean
  readonly retried: boolean
  readonly limited: boolean
  /** Whether what undoes it is around all of that, rather than inside. */
  readonly outside: boolean
  /** Where it goes back to when it fails: the first of its dependencies. */
  readonly goesBack: boolean
}

const bare: Around = {
  key: undefined,
  hedged: false,
  retried: false,
  limited: false,
  outside: false,
  goesBack: false
}

interface Node {
  readonly kind: "load" | "list" | "loader"
  /** Indices of earlier nodes. */
  readonly deps: ReadonlyArray<number>
  readonly takes: number
  readonly undoTakes: number
  readonly undoFails: boolean
  readonly end: End
  readonly around: Around
}

interface Graph {
  readonly nodes: ReadonlyArray<Node>
  readonly limit: number
  readonly concurrency: number | "unbounded"
}

/** What is there, and everything that happened to it. Knows nothing of loaders. */
class World {
  readonly there: Array<string> = []
  readonly log: Array<string> = []
  /** How many attempts of each name have begun, and how many of these are neither done nor cleaned up after. */
  readonly begun = new Map<string, number>()
  readonly half = new Map<string, number>()

  begin(name: string): number {
    const attempt = (this.begun.get(name) ?? 0) + 1
    this.begun.set(name, attempt)
    this.half.set(name, (this.half.get(name) ?? 0) + 1)
    return attempt
  }

  do(name: string, attempt: number): string {
    const deed = `${name}@${attempt}`
    this.clean(name)
    this.there.push(deed)
    this.log.push(`+${deed}`)
    return deed
  }

  /** One may have been interrupted before it could do the first thing. */
  clean(name: string): void {
    this.half.set(name, Math.max(0, (this.half.get(name) ?? 0) - 1))
  }

  undo(deed: string): void {
    this.there.splice(this.there.indexOf(deed), 1)
    this.log.push(`-${deed}`)
  }
}

/** What did a deed, without which attempt of it that was. */
const doer = (deed: string): string => deed.slice(0, deed.lastIndexOf("@"))

const node = (index: number, around: fc.Arbitrary<Around>): fc.Arbitrary<Node> =>
  fc.record({
    kind: fc.constantFrom("load" as const, "load" as const, "load" as const, "list" as const, "loader" as const),
    deps: index === 0 ? fc.constant([]) : fc.uniqueArray(fc.integer({ min: 0, max: index - 1 }), { maxLength: 3 }),
    takes: fc.integer({ min: 0, max: 3 }),
    undoTakes: fc.integer({ min: 0, max: 2 }),
    undoFails: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    end: fc.constant<End>("loads"),
    around
  })

const graphOf = (around: fc.Arbitrary<Around>, most: number): fc.Arbitrary<Graph> =>
  fc
    .record({
      nodes: fc
        .integer({ min: 1, max: most })
        .chain((size) => fc.tuple(...Array.from({ length: size }, (_, i) => node(i, around)))),
      limit: fc.integer({ min: 1, max: 3 }),
      concurrency: fc.constantFrom<number | "unbounded">("unbounded", "unbounded", 1, 2),
      failing: fc.nat(),
      end: fc.constantFrom<End>("loads", "fails", "fails", "fails once", "dies", "hangs")
    })
    .map(({ concurrency, end, failing, limit, nodes }) => ({
      limit,
      concurrency,
      nodes: nodes.map((node, i) => (i === failing % nodes.length ? { ...node, end } : node))
    }))

const graph = graphOf(fc.constant(bare), 6)

const rarely = fc.integer({ min: 0, max: 2 }).map((n) => n === 0)

const wrapped = graphOf(
  fc.record({
    key: fc.option(fc.integer({ min: 0, max: 1 }), { nil: undefined, freq: 2 }),
    hedged: rarely,
    retried: rarely,
    limited: fc.boolean(),
    outside: rarely,
    goesBack: fc.boolean()
  }),
  4
)

const wait = (millis: number): Effect.Effect<void> => (millis === 0 ? Effect.void : Effect.sleep(millis))

const ends: Record<End, (attempt: number) => Effect.Effect<void, string>> = {
  loads: () => Effect.void,
  fails: () => Effect.fail("no"),
  "fails once": (attempt) => (attempt === 1 ? Effect.fail("not yet") : Effect.void),
  dies: () => Effect.die("no"),
  hangs: () => Effect.never
}

/** What a node does, by the names that the world knows it by. */
const namesOf = (name: string, { kind }: Node): ReadonlyArray<string> =>
  kind === "list" ? [`${name}.0`, `${name}.1`] : kind === "loader" ? [`${name}.x`, `${name}.y`] : [name]

type Any = Resource.Resource<string, unknown, unknown, Bank | Deeds, unknown, unknown>

/** What stands around a resource, in one of the orders that there are: an attempt is innermost. */
const within = (self: Any, { around, kind }: Node, to?: Any) => {
  const { goesBack, hedged, key, limited, retried } = around
  let wrapped = self
  if (limited && kind !== "loader") wrapped = wrapped.pipe(Policy.limit(Bank))
  if (retried) wrapped = wrapped.pipe(Policy.retry({ times: 1 }))
  if (key !== undefined && kind === "load") wrapped = wrapped.pipe(Policy.cache(Deeds))
  if (hedged && kind === "load") wrapped = wrapped.pipe(Policy.hedge({ after: 1 }))
  return goesBack && to !== undefined ? wrapped.pipe(Saga.rewind(to, { times: 1 })) : wrapped
}

/** What hangs must not be uninterruptible. Around several attempts side by side only the one that won is known. */
const isOutside = ({ around, end, kind }: Node): boolean =>
  around.outside && !around.hedged && kind === "load" && end !== "hangs"

const toLoader = ({ concurrency, limit, nodes }: Graph, world: World, told: Array<Saga.RollbackError>) => {
  const made: Array<Any> = []
  nodes.forEach((node, i) => {
    const { around, deps, end, kind, takes, undoFails, undoTakes } = node
    const name = `n${i}`
    const needs = Object.fromEntries(deps.map((d) => [`d${d}`, made[d]!]))
    const act = (what: string) =>
      Effect.suspend(() => {
        const attempt = world.begin(what)
        return wait(takes).pipe(
          Effect.andThen(ends[end](attempt)),
          Effect.andThen(Effect.sync(() => world.do(what, attempt)))
        )
      })
    const undo = (deed: string) =>
      Effect.andThen(wait(undoTakes), undoFails ? Effect.fail("stays") : Effect.sync(() => world.undo(deed)))
    const clean = (what: string) => Effect.sync(() => world.clean(what))
    if (kind === "list") {
      const items = () => [`${name}.0`, `${name}.1`]
      const cleanup = (_: unknown, { item }: Saga.CompensationContext) => clean(String(item?.value))
      const list = Resource.forEach(
        name,
        { deps: needs, items, load: act },
        Saga.compensate(undo),
        Saga.cleanup(cleanup)
      )
      made.push(within(list, node, made[deps[0]!]))
    } else if (kind === "loader") {
      const through = Resource.input<unknown>()("through")
      const part = <const D extends Resource.Deps>(part: string, deps: D) =>
        Resource.make(part, {
          deps,
          load: () => act(`${name}.${part}`)
        }).pipe(
          Saga.compensate(undo),
          Saga.cleanup(() => clean(`${name}.${part}`))
        )
      const y = part("y", { x: part("x", { through }) })
      const inner = Loader.make({ y }, { onCompensationFailure: (error) => Effect.sync(() => told.push(error)) })
      const gate = Resource.make(`${name} gate`, { deps: needs, load: () => Effect.void })
      made.push(within(Resource.fromLoader(name, inner, { inputs: { through: gate } }), node, made[deps[0]!]))
    } else {
      const key = () => `key ${around.key}`
      const load = { deps: needs, key, load: () => act(name) }
      const cleanup = Saga.cleanup(() => clean(name))
      const to = made[deps[0]!]
      const whole = isOutside(node)
        ? within(Resource.make(name, load, cleanup), node, to).pipe(
            Saga.compensate((deed) => undo(String(deed))),
            Policy.around("whole", Effect.uninterruptible)
          )
        : within(Resource.make(name, load, Saga.compensate(undo), cleanup), node, to)
      made.push(whole)
    }
  })
  const targets = Object.fromEntries(made.map((resource) => [resource.name, resource]))
  return Loader.make(targets, {
    timeout: "1 minute",
    concurrency,
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

/** Walks through what happened: when something is undone, nothing that depends on it is there but what stays for good. */
const checkOrder = (graph: Graph, log: ReadonlyArray<string>, remaining: ReadonlyArray<string>): void => {
  const pairs = dependencies(graph)
  const there = new Set<string>()
  for (const line of log) {
    const deed = line.slice(1)
    if (line.startsWith("+")) there.add(deed)
    else {
      there.delete(deed)
      const dependents = new Set(pairs.filter(([, on]) => on === doer(deed)).map(([by]) => by))
      const inTheWay = [...there].filter((other) => dependents.has(doer(other)) && !remaining.includes(other))
      expect(inTheWay, `when ${deed} was undone`).toEqual([])
    }
  }
}

/** What is there after a load that went well: of each resource one deed, but of those that a cache may have known. */
const checkCompleted = ({ nodes }: Graph, stays: ReadonlyArray<string>): void => {
  const isKnown = ({ around, kind }: Node): boolean => kind === "load" && around.key !== undefined
  const names = (known: boolean) =>
    nodes.flatMap((node, i) => (isKnown(node) === known ? namesOf(`n${i}`, node) : [])).toSorted()
  const known = names(true)
  const others = stays.filter((deed) => !known.includes(doer(deed)))
  expect(others.map(doer).toSorted()).toEqual(names(false))
  const doers = stays.map(doer)
  expect(new Set(doers).size).toBe(doers.length)
}

const check = (
  graph: Graph,
  world: World,
  told: ReadonlyArray<Saga.RollbackError>,
  events: ReadonlyArray<RunEvent.RunEvent>,
  exit: Exit.Exit<unknown, unknown>
): void => {
  const outer = events[0]!.run
  const ended = events.find((event) => event.run === outer && event._tag === "RunEnded")
  const done = world.log.filter((line) => line.startsWith("+")).map((line) => line.slice(1))
  const undone = world.log.filter((line) => line.startsWith("-")).map((line) => line.slice(1))
  const remaining = told.flatMap(({ failures }) => failures.map(({ value }) => String(value)))
  // Each once, and not what is there: each attempt that began was done or cleaned up after.
  expect(new Set(undone).size).toBe(undone.length)
  expect([...world.half.values()].every((count) => count === 0)).toBe(true)
  expect(new Set(remaining).size).toBe(remaining.length)
  for (const deed of remaining) expect(world.there).toContain(deed)
  checkOrder(graph, world.log, remaining)
  const stays = world.there.filter((deed) => !remaining.includes(deed))
  if (ended?._tag === "RunEnded" && ended.end === "Completed") {
    if (graph.nodes.every(({ around }) => around === bare)) {
      expect(undone).toEqual([])
      expect(told).toEqual([])
    }
    return checkCompleted(graph, stays)
  }
  expect(Exit.isFailure(exit)).toBe(true)
  // What is there is what could not be undone, and exactly that is told.
  expect(stays).toEqual([])
  expect([...undone, ...remaining].toSorted()).toEqual(done.toSorted())
  // What a load carries is what it could not undo itself, and what loaders inside it could not.
  const carried = Exit.isFailure(exit) ? (Saga.RollbackError.of(exit.cause)?.failures ?? []) : []
  for (const { value } of carried) expect(remaining).toContain(String(value))
}

const program = (graph: Graph) => {
  let world = new World()
  let told: Array<Saga.RollbackError> = []
  const idle = Effect.map(Bank.stats, ({ inFlight, waiting }) =>
    expect({ inFlight, waiting }).toEqual({ inFlight: 0, waiting: 0 })
  )
  return {
    run: (probed: Interruption.Probe) =>
      Effect.suspend(() => {
        world = new World()
        told = []
        return Effect.ensuring(Loader.load(probed(toLoader(graph, world, told))), idle)
      }).pipe(Effect.provide([Bank.layer({ limit: 1 }), Deeds.layer({ timeToLive: "1 hour" })])),
    check: ({ events, exit, hung }: Interruption.Trial<unknown, unknown>) =>
      Effect.sync(() => {
        expect(hung).toBe(false)
        check(graph, world, told, events, exit)
      })
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
    "inside caches, hedges, retries and limits of one, and taken back: so it is, and no permit is kept",
    () =>
      fc.assert(
        fc.asyncProperty(wrapped, async (graph) => {
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
          const graph: Graph = { nodes: plain, limit: 1, concurrency: "unbounded" }
          let world = new World()
          const run = () =>
            Effect.suspend(() => {
              world = new World()
              return Loader.loadWithReport(toLoader(graph, world, []))
            }).pipe(Effect.provide([Bank.layer({ limit: 1 }), Deeds.layer({ timeToLive: "1 hour" })]))
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
