/** Loaders inside loaders, deeper than the stack. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Result } from "effect"
import { Diff, GraphError, Loader, Observer, Plan, Report, Resource, type ResourceError, Saga } from "effect-loader"
import * as Diagram from "effect-loader/diagram"
import fc from "fast-check"
import { withTime } from "../withTime.ts"

const deep = 10_000

interface Values {
  readonly inner?: Values
}

type Nest = Loader.Loader<Values, ResourceError<"inner", unknown>>

/** So many loaders around one that loads `leaf`; `around` is what else a level has. */
const nest = (
  depth: number,
  leaf: Resource.Any,
  around: (inner: Resource.Any, level: number) => Resource.Deps = (inner) => ({ inner }),
  options?: Loader.Options
): Nest => {
  let loader = Loader.make({ leaf }, { name: "l0", ...options }) as Loader.Loader<unknown>
  for (let level = 1; level <= depth; level++) {
    const inner = Resource.fromLoader("inner", loader)
    loader = Loader.make(around(inner, level), { name: `l${level}`, ...options }) as Loader.Loader<unknown>
  }
  return loader as Nest
}

const depthOf = (values: Values): number => {
  let depth = 0
  for (let at = values.inner; at !== undefined; at = at.inner) depth++
  return depth
}

const leaf = Resource.make("leaf", { load: () => Effect.succeed(1) })
const later = Resource.make("leaf", { load: () => Effect.yieldNow })
const failing = Resource.make("leaf", { load: () => Effect.fail("bad") })

/** How many errors are inside an error, and the innermost. */
const unwrap = (exit: Exit.Exit<unknown, unknown>): readonly [depth: number, error: unknown] => {
  const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
  if (reason === undefined || !Cause.isFailReason(reason)) return assert.fail(`unexpected: ${reason?._tag}`)
  let error = reason.error as unknown
  let depth = 0
  for (; typeof error === "object" && error !== null && "error" in error; error = error.error) depth++
  return [depth, error]
}

describe(`loaders ${deep} deep`, () => {
  it("load synchronously", () => {
    assert.strictEqual(depthOf(Effect.runSync(Loader.load(nest(deep, leaf)))), deep)
  })

  it.live("load when the innermost waits, and when each level does, before and after what is inside", () =>
    Effect.gen(function* () {
      assert.strictEqual(depthOf(yield* Loader.load(nest(deep, later))), deep)
      const before = Resource.make("before", { load: () => Effect.yieldNow })
      const levels = nest(deep, later, (inner) => {
        const follows = Resource.make("follows", { deps: { before, inner }, load: () => Effect.yieldNow })
        return { inner, follows }
      })
      assert.strictEqual(depthOf(yield* Loader.load(levels)), deep)
    })
  )

  it.live("load inside the limits of all levels", () =>
    Effect.gen(function* () {
      const loader = nest(deep, later, undefined, { concurrency: 1 })
      assert.strictEqual(depthOf(yield* Loader.load(loader)), deep)
    })
  )

  it("fail with an error of each level", () => {
    assert.deepStrictEqual(unwrap(Effect.runSyncExit(Loader.load(nest(deep, failing)))), [deep + 1, "bad"])
  })

  it("are interrupted, and the innermost has ended when the outermost has", () => {
    const log: Array<string> = []
    const stuck = Resource.make("leaf", {
      load: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => log.push("interrupted")))
    })
    const interrupted = Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Loader.load(nest(deep, stuck)), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
    })
    return Effect.runPromise(interrupted).then(() => assert.deepStrictEqual(log, ["interrupted"]))
  })

  it("are undone, and what could not be undone is told with the way to it", () => {
    let undone = 0
    let told: Saga.RollbackError | undefined
    const last = (inner: Resource.Any) => Resource.make("last", { deps: { inner }, load: () => Effect.fail("bad") })
    const onCompensationFailure = (error: Saga.RollbackError) => Effect.sync(() => void (told = error))
    for (const compensation of [Effect.sync(() => void undone++), Effect.fail("offline")]) {
      const booked = Resource.make("leaf", { load: () => Effect.succeed(1) }).pipe(Saga.compensate(() => compensation))
      const loader = Loader.make(
        { last: last(Resource.fromLoader("outer", nest(deep, booked))) },
        { onCompensationFailure }
      )
      const load = Loader.load(loader) as Effect.Effect<unknown, unknown>
      assert.deepStrictEqual(unwrap(Effect.runSyncExit(load)), [1, "bad"])
    }
    assert.strictEqual(undone, 1)
    assert.strictEqual(told?.failures[0]?.path.length, deep + 2)
  })

  it("have plans, predictions, diagrams, reports and texts", () => {
    const loader = nest(deep, leaf)
    const plan = Loader.plan(loader)
    assert.strictEqual(Plan.toText(plan).split("plan of").length, deep + 2)
    assert.strictEqual(Loader.explain(loader).work, 0)
    assert.isAbove(Diagram.toMermaid(plan).length, 0)
    const report = Effect.runSync(Loader.settle(loader))
    assert.strictEqual(depthOf(report.values as Values), deep)
    let depth = 0
    for (let at: Report.Report<unknown> | undefined = report; at !== undefined; at = at.resources[0]?.runs?.[0]) depth++
    assert.strictEqual(depth, deep + 1)
    assert.isAtLeast(Report.analyze(report).work, 0)
    assert.isAbove(Report.toSummary(report).length + Report.toWaterfall(report).length, 0)
    assert.isAbove(Diff.toText(Report.diff(report, report)).length, 0)
  })

  it.live("are watched: each begins and ends", () =>
    Effect.gen(function* () {
      let [begun, ended] = [0, 0]
      yield* Observer.observe(Loader.load(nest(deep, later)), ({ _tag }) => {
        if (_tag === "RunStarted") begun++
        if (_tag === "RunEnded") ended++
      })
      assert.deepStrictEqual([begun, ended], [deep + 1, deep + 1])
    })
  )

  it("are compiled where each is given by a function", () => {
    const at = (level: number): Loader.Loader<unknown> =>
      Loader.make(level === 0 ? { leaf } : { inner: Resource.fromLoader("inner", () => at(level - 1)) }) as never
    assert.strictEqual(depthOf(Effect.runSync(Loader.load(at(deep) as Nest))), deep)
  })

  it("load where each load runs the next loader by hand", () => {
    const at = (level: number): Effect.Effect<Values> => {
      const load = (): Effect.Effect<Values> => (level === 0 ? Effect.succeed({}) : at(level - 1))
      return Loader.load(Loader.make({ inner: Resource.make("inner", { load }) }))
    }
    assert.strictEqual(depthOf(Effect.runSync(at(deep))), deep + 1)
  })
})

describe("what runs deeper than those that share a stack", () => {
  it("has its values when it returns, where a load runs it by Effect.runSync", () => {
    const at = (level: number): Effect.Effect<Values> => {
      const load = () => Effect.sync(() => (level === 0 ? {} : Effect.runSync(at(level - 1))))
      return Loader.load(Loader.make({ inner: Resource.make("inner", { load }) }))
    }
    assert.strictEqual(depthOf(Effect.runSync(at(100))), 101)
  })

  it("never begins where the run around it has failed by its turn, and nothing is told of it", () => {
    for (const depth of [10, 31, 32, 33, 64, 65, 100]) {
      const log: Array<string> = []
      const note = Resource.make("leaf", { load: () => Effect.sync(() => log.push("begun")) })
      const bad = Resource.make("bad", { load: () => Effect.fail("bad") })
      const around = (inner: Resource.Any, level: number): Resource.Deps => (level === 1 ? { inner, bad } : { inner })
      const events: Array<string> = []
      const load = Observer.observe(Loader.load(nest(depth, note, around)), (event) => {
        if (event._tag === "RunStarted" || event._tag === "RunEnded") events.push(`${event._tag} ${event.run}`)
      })
      assert.deepStrictEqual(unwrap(Effect.runSyncExit(load)), [depth, "bad"])
      const started = events.filter((event) => event.startsWith("RunStarted"))
      const ended = events.filter((event) => event.startsWith("RunEnded"))
      assert.deepStrictEqual(ended.map((event) => event.replace("RunEnded", "RunStarted")).sort(), started.sort())
      assert.strictEqual(log.length, started.length - depth)
    }
  })
})

describe("loaders deeper than can be run", () => {
  it("are refused with their depth where they are compiled", () => {
    try {
      nest(100_000, leaf)
      assert.fail("it was accepted")
    } catch (error) {
      assert.instanceOf(error, GraphError)
      assert.deepStrictEqual(error.issues, [{ _tag: "TooDeep", resource: "inner", depth: 50_001 }])
    }
  })

  it("are refused with their depth where functions give ever more of them", () => {
    let made = 0
    const more = (): Resource.Resource<string, unknown> =>
      Resource.fromLoader(`r${made++}`, () => Loader.make({ more: more() }) as Loader.Loader<unknown>)
    const compiled = Loader.compile({ more: more() })
    assert.deepStrictEqual(Result.isFailure(compiled) ? compiled.failure.issues : [], [
      { _tag: "TooDeep", resource: "r49999", depth: 50_001 }
    ])
  })

  it("are a defect that says the depth where a load runs its own loader", () => {
    const endless: Nest = Loader.make({
      inner: Resource.make("inner", { load: (): Effect.Effect<Values, never> => Effect.orDie(Loader.load(endless)) })
    }) as Nest
    const exit = Effect.runSyncExit(Loader.load(endless))
    const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
    const defect = reason !== undefined && Cause.isDieReason(reason) ? reason.defect : reason
    assert.match(String(defect), /would run inside of 50000 others: a load that runs its own loader/)
  })
})

interface Level {
  readonly waits: "no" | "microtask" | "timer"
  readonly limit: number | undefined
  readonly compensates: boolean
}

const levels: fc.Arbitrary<ReadonlyArray<Level>> = fc.array(
  fc.record({
    waits: fc.constantFrom("no" as const, "no" as const, "microtask" as const, "timer" as const),
    limit: fc.constantFrom(undefined, undefined, 1, 2),
    compensates: fc.boolean()
  }),
  { minLength: 40, maxLength: 120 }
)

const pauses = { no: Effect.void, microtask: Effect.promise(() => Promise.resolve()), timer: Effect.sleep(1) }

describe("levels beyond those that share a stack", () => {
  for (const end of ["succeeds", "fails", "dies"] as const) {
    it.effect(`are loaded from the outermost in, and undone from the innermost out, where the last ${end}`, () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(levels, async (levels) => {
            const log: Array<string> = []
            const ends = { succeeds: Effect.void, fails: Effect.fail("bad"), dies: Effect.die("bug") }
            let loader = Loader.make({
              leaf: Resource.make("leaf", {
                load: () =>
                  Effect.andThen(
                    Effect.sync(() => log.push("leaf")),
                    ends[end]
                  )
              })
            }) as Loader.Loader<unknown, unknown>
            levels.forEach(({ compensates, limit, waits }, level) => {
              const did = Effect.andThen(
                pauses[waits],
                Effect.sync(() => log.push(`did ${level}`))
              )
              const undo = Saga.compensate(() => Effect.sync(() => log.push(`undid ${level}`)))
              const own = Resource.make("own", { load: () => did }, compensates ? undo : undefined)
              const inner = Resource.fromLoader("inner", loader as Loader.Loader<unknown>, { after: [own] })
              loader = Loader.make({ inner }, limit === undefined ? {} : { concurrency: limit }) as never
            })
            const exit = await Effect.runPromise(withTime(Effect.exit(Loader.load(loader))))
            const did = levels.map((_, level) => `did ${level}`).reverse()
            const undid = levels.flatMap(({ compensates }, level) => (compensates ? [`undid ${level}`] : []))
            assert.deepStrictEqual(log, [...did, "leaf", ...(end === "succeeds" ? [] : undid)])
            assert.strictEqual(Exit.isSuccess(exit), end === "succeeds")
          }),
          { numRuns: 40 }
        )
      )
    )
  }
})
