/** A service under a thousand callers, of whom some go away: nothing of them is left behind. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, ManagedRuntime, Metric, Schedule, type Scope } from "effect"
import { Loader, Metrics, Observer, Policy, Resource, type RunEvent } from "effect-loader"
import { TestClock } from "effect/testing"

const none = { connections: 0, fibers: 0, loads: 0, runs: 0, resources: 0 }

/** Counts what is alive: connections, fibers, loads that work, and by the events runs and resources with an attempt. */
class Census {
  readonly now = { ...none }
  readonly ever = { ...none }
  private readonly attempted = new Set<string>()
  readonly tried = new Set<number>()
  readonly registry: Context.Service.Shape<typeof Metric.MetricRegistry> = new Map()

  private begin(what: keyof Census["now"]): void {
    this.now[what]++
    this.ever[what]++
  }

  /** Opens a connection, until its scope closes, which takes a while too; and works with it for so many milliseconds. */
  connect(millis: number): Effect.Effect<void, never, Scope.Scope> {
    const connection = Effect.acquireRelease(
      Effect.sync(() => this.begin("connections")),
      () => Effect.andThen(Effect.sleep(1), () => Effect.sync(() => this.now.connections--))
    )
    const work = Effect.acquireUseRelease(
      Effect.sync(() => this.begin("loads")),
      () => Effect.sleep(millis),
      () => Effect.sync(() => this.now.loads--)
    )
    return Effect.andThen(connection, work)
  }

  readonly onEvent = (event: RunEvent.RunEvent): void => {
    if (event._tag === "RunStarted") this.begin("runs")
    if (event._tag === "RunEnded") this.now.runs--
    if (!("resource" in event)) return
    const key = `${event.run} ${event.resource}`
    if (event._tag === "AttemptStarted" && !this.attempted.has(key)) {
      this.attempted.add(key)
      this.begin("resources")
    }
    if (/^Resource(Succeeded|Degraded|Failed|Died|Interrupted)$/.test(event._tag) && this.attempted.delete(key)) {
      this.now.resources--
    }
  }

  /** Counts fibers and runs of whoever it is provided to, and keeps metrics of them. */
  get layer(): Layer.Layer<never> {
    const fibers: Metric.FiberRuntimeMetricsService = {
      recordFiberStart: () => this.begin("fibers"),
      recordFiberEnd: () => this.now.fibers--
    }
    return Layer.mergeAll(
      Layer.succeed(Metric.FiberRuntimeMetrics, fibers),
      Layer.succeed(Metric.MetricRegistry, this.registry),
      Metrics.layer,
      Observer.layer(this.onEvent)
    )
  }

  /** The gauges of the metrics, by name. */
  get gauges(): Effect.Effect<ReadonlyArray<readonly [string, number | bigint]>> {
    const snapshot = Effect.provideService(Metric.snapshot, Metric.MetricRegistry, this.registry)
    return Effect.map(snapshot, (all) =>
      all.flatMap(({ id, state, type }) =>
        type === "Gauge" ? [[id, (state as { value: number }).value] as const] : []
      )
    )
  }

  /** Nothing is alive, though there has been much of everything. */
  readonly assertEmpty = Effect.gen({ self: this }, function* () {
    assert.deepStrictEqual(this.now, none)
    for (const [what, count] of Object.entries(this.ever)) assert.isAbove(count, 1000, what)
    const gauges = yield* this.gauges
    assert.isAtLeast(gauges.length, 2)
    for (const [name, value] of gauges) assert.strictEqual(Number(value), 0, name)
  })
}

const userId = Resource.input<number>()("userId")
const id = Resource.input<number>()("id")

class Backend extends Context.Service<Backend, Census>()("test/Backend") {}
const connect = (millis: number) => Effect.flatMap(Effect.service(Backend), (census) => census.connect(millis))

/** A loader of its own for one project, which is also loaded inside of the page. */
const project = Resource.make("project", { deps: { id }, load: ({ id }) => Effect.as(connect((id % 5) + 1), id) })
const badge = Resource.make("badge", { deps: { project }, load: ({ project }) => Effect.as(connect(2), project) })
const projectLoader = Loader.make({ badge }, { name: "project", concurrency: 1 })

/** Every fourth user is busy at first, and is tried again after a pause. */
const user = Resource.make("user", {
  deps: { userId },
  load: ({ userId }) =>
    Effect.gen(function* () {
      const { tried } = yield* Backend
      yield* connect((userId % 7) + 1)
      if (tried.has(userId) || userId % 4 !== 0) return userId
      tried.add(userId)
      return yield* Effect.fail("busy")
    })
}).pipe(
  Policy.timeout("1 minute"),
  Policy.retry({ times: 2, schedule: Schedule.spaced(5), while: (e) => e === "busy" })
)

const main = Resource.fromLoader("main", projectLoader, { inputs: { id: user } })
const others = Resource.forEach("others", {
  deps: { user },
  items: ({ user }) => [user, user + 1, user + 2],
  load: (id) => Loader.load(projectLoader, { id }),
  concurrency: 2
})
const total = Resource.make("total", {
  deps: { main, others },
  load: ({ main, others }) => Effect.succeed(others.reduce((sum, { badge }) => sum + badge, main.badge))
})

class Page extends Loader.Service<Page>()("test/Page", { total }, { concurrency: 2 }) {}

const callers = Array.from({ length: 1000 }, (_, caller) => caller)

/** When a caller goes away, in milliseconds after its call: every third does, at all stages of the load, also at once. */
const leavesAt = (caller: number): number | undefined => (caller % 3 === 0 ? (caller / 3) % 40 : undefined)

/** Half of the callers load, half of them settle. */
const call = (userId: number) =>
  Effect.scoped(
    userId % 2 === 0 ? Page.load({ userId }) : Effect.map(Page.settle({ userId }), (report) => report.values)
  )

/**
 * Callers that stay get all; the others are interrupted, unless they had it all by then. That everybody who stays is
 * served also says that no slot is lost: each run has two, and what runs inside has one of its own.
 */
const assertServed = (exits: ReadonlyArray<Exit.Exit<{ readonly total?: number }, unknown>>): void => {
  const interrupted = exits.filter((exit) => Exit.hasInterrupts(exit))
  assert.isAbove(interrupted.length, 200)
  exits.forEach((exit, caller) => {
    if (leavesAt(caller) !== undefined && Exit.hasInterrupts(exit)) return
    assert.deepStrictEqual(exit, Exit.succeed({ total: 4 * caller + 3 }))
  })
}

describe("a service with a thousand callers, some of whom go away at any stage", () => {
  it.effect("leaves no fiber, run, load, connection or gauge behind, and serves whoever stays", () =>
    Effect.gen(function* () {
      const census = new Census()
      const live = Page.layer.pipe(Layer.provide(Layer.succeed(Backend, census)))
      const calls = Effect.forEach(
        callers,
        (caller) => {
          const at = leavesAt(caller)
          return Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(call(caller), { startImmediately: true })
            if (at !== undefined) yield* Effect.andThen(Effect.sleep(at), Fiber.interrupt(fiber))
            return yield* Fiber.await(fiber)
          })
        },
        { concurrency: "unbounded" }
      )
      const running = yield* Effect.forkChild(Effect.provide(calls, Layer.merge(live, census.layer)))
      yield* TestClock.adjust(10)
      assert.isAbove(census.now.runs, 500)
      yield* TestClock.adjust("1 day")
      assertServed(yield* Fiber.join(running))
      yield* census.assertEmpty
    })
  )

  it("leaves nothing behind either where they call through a managed runtime, and abort", async () => {
    const census = new Census()
    const live = Page.layer.pipe(Layer.provide(Layer.succeed(Backend, census)))
    const runtime = ManagedRuntime.make(Layer.mergeAll(live, census.layer, TestClock.layer()))
    await runtime.context()
    const before = { ...census.now }
    const aborts = callers.map(() => new AbortController())
    const calls = callers.map((caller) => runtime.runPromiseExit(call(caller), { signal: aborts[caller]!.signal }))
    for (let now = 0; now < 40; now++) {
      for (const caller of callers) if (leavesAt(caller) === now) aborts[caller]!.abort()
      await runtime.runPromise(TestClock.adjust(1))
    }
    await runtime.runPromise(TestClock.adjust("1 day"))
    assertServed(await Promise.all(calls))
    assert.deepStrictEqual(census.now, before)
    await runtime.dispose()
    await Effect.runPromise(census.assertEmpty)
  })

  it("disposing the runtime interrupts the calls that go on, and then releases what was started up, once", async () => {
    const census = new Census()
    const lines: Array<string> = []
    const backend = Resource.fromLayer(
      "backend",
      Backend,
      Layer.effect(
        Backend,
        Effect.acquireRelease(Effect.succeed(census), () =>
          Effect.sync(() => lines.push(`closed with ${census.now.connections} connections`))
        )
      )
    )
    const StartUp = Loader.toLayer(Loader.make({ backend }), { backend: Backend })
    const runtime = ManagedRuntime.make(Page.layer.pipe(Layer.provide(StartUp)))
    const exits = callers.slice(0, 100).map((caller) => runtime.runPromiseExit(call(caller)))
    // Comes after those who called before, whose loads take several turns of the clock.
    await runtime.runPromise(Effect.void)
    assert.isAbove(census.now.connections, 0)
    await runtime.dispose()
    assert.isTrue((await Promise.all(exits)).some((exit) => Exit.hasInterrupts(exit)))
    assert.deepStrictEqual(lines, ["closed with 0 connections"])
  })
})
