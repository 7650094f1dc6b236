/** How a run is driven on fibers: with steps that are written by hand, and end when the test says so. */
import { Cause, Context, Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Duration from "effect/Duration"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Program } from "../../src/compile/Program.ts"
import { stepOf } from "../../src/model/Step.ts"
import { Run } from "../../src/run/Run.ts"
import { schedule, type Scheduling } from "../../src/run/Scheduler.ts"
import { Slots } from "../../src/run/Slots.ts"
import { type Fake, graphs, nameOf, programOf } from "./FakeSteps.ts"

interface Options extends Partial<Scheduling> {
  readonly limit?: number
  readonly failFast?: boolean
}

/** Runs a program on the fiber that runs this, and gives the run when it is over. */
const drive = (program: Program, { failFast = false, inBatches = false, limit, timeout }: Options = {}) =>
  Effect.withFiber((fiber) => {
    const run = new Run(program, Context.empty(), failFast)
    run.plug({}, limit === undefined ? undefined : new Slots(limit, program.urgency))
    return schedule(run, fiber, { inBatches, timeout }, Effect.succeed, () => Effect.void) as Effect.Effect<Run>
  })

/** Steps that wait to be ended. */
class Steps {
  readonly begun: Array<string> = []
  readonly ended: Array<string> = []
  private readonly running = new Map<string, Deferred.Deferred<unknown, unknown>>()

  get inProgress(): ReadonlyArray<string> {
    return [...this.running.keys()]
  }

  /** The same steps, each of which waits to be ended. */
  readonly waiting = (fake: Fake): Fake => ({
    ...fake,
    toStep: (common) => stepOf(common, { begin: () => this.waitFor(common.name) })
  })

  end(name: string, exit: Exit.Exit<unknown, unknown> = Exit.succeed(name)): void {
    Deferred.doneUnsafe(this.running.get(name)!, exit)
  }

  private waitFor(name: string): Effect.Effect<unknown, unknown> {
    const end = Deferred.makeUnsafe<unknown, unknown>()
    this.begun.push(name)
    this.running.set(name, end)
    return Effect.onExit(Deferred.await(end), () =>
      Effect.sync(() => {
        this.running.delete(name)
        this.ended.push(name)
      })
    )
  }
}

const waitsFor = ({ after = [], deps = [] }: Fake): ReadonlyArray<number> => [...deps, ...after]

const synchronous =
  (begin: (name: string) => unknown) =>
  (fake: Fake): Fake => ({
    ...fake,
    toStep: (common) => stepOf(common, { begin: () => begin(common.name) })
  })

describe("a run is driven", () => {
  it("eagerly: at each moment the most urgent of what may run runs, as many as there are slots", () =>
    fc.assert(
      fc.asyncProperty(
        graphs(10),
        fc.constantFrom(undefined, 1, 2, 3),
        fc.infiniteStream(fc.nat()),
        async ({ fakes, targets }, limit, picks) => {
          const steps = new Steps()
          const { at, program } = programOf(fakes.map(steps.waiting), targets)
          const fiber = Effect.runFork(drive(program, limit === undefined ? {} : { limit }))
          const done = new Set<number>()
          while (done.size < fakes.length) {
            const begun = new Set(steps.begun)
            const left = fakes.flatMap((fake, n) =>
              !begun.has(nameOf(n)) && waitsFor(fake).every((on) => done.has(on)) ? [n] : []
            )
            expect(steps.inProgress.length <= (limit ?? Infinity)).toBe(true)
            // What may run and does not waits for a slot.
            if (left.length > 0) expect(steps.inProgress).toHaveLength(limit!)
            const name = steps.inProgress[picks.next().value! % steps.inProgress.length]!
            const before = steps.begun.length
            const freed = fakes.flatMap((fake, n) =>
              !begun.has(nameOf(n)) && waitsFor(fake).every((on) => done.has(on) || nameOf(on) === name) ? [n] : []
            )
            steps.end(name)
            await Effect.runPromise(Effect.yieldNow)
            done.add(Number(name.slice(1)))
            const urgent = freed.toSorted((a, b) => program.urgency[at(a)]! - program.urgency[at(b)]!)
            const began = steps.begun.slice(before)
            if (limit === undefined) expect(began.toSorted()).toEqual(urgent.map(nameOf).toSorted())
            else expect(began).toEqual(urgent.slice(0, began.length).map(nameOf))
          }
          const run = await Effect.runPromise(Fiber.join(fiber))
          expect(run.remaining).toBe(0)
          expect(steps.begun).toHaveLength(fakes.length)
        }
      ),
      { numRuns: 200 }
    ))

  it("in batches: nothing of a batch begins before the last one has ended", () =>
    fc.assert(
      fc.asyncProperty(
        graphs(10),
        fc.constantFrom(undefined, 1, 2),
        fc.infiniteStream(fc.nat()),
        async ({ fakes, targets }, limit, picks) => {
          const steps = new Steps()
          const { program } = programOf(fakes.map(steps.waiting), targets)
          const options = { inBatches: true, ...(limit === undefined ? {} : { limit }) }
          const fiber = Effect.runFork(drive(program, options))
          while (steps.inProgress.length > 0) {
            steps.end(steps.inProgress[picks.next().value! % steps.inProgress.length]!)
            await Effect.runPromise(Effect.yieldNow)
          }
          expect((await Effect.runPromise(Fiber.join(fiber))).remaining).toBe(0)
          let from = 0
          for (const batch of program.batches) {
            const names = batch.map((index) => program.steps[index]!.name)
            expect(steps.begun.slice(from, (from += names.length)).toSorted()).toEqual(names.toSorted())
          }
        }
      ),
      { numRuns: 100 }
    ))

  it("with one slot in the order of urgency", async () => {
    const begun: Array<string> = []
    const fakes = [{}, {}, { deps: [1] }, { deps: [2] }, { deps: [0] }]
    const note = synchronous((name) =>
      Effect.andThen(
        Effect.yieldNow,
        Effect.sync(() => begun.push(name))
      )
    )
    const { program } = programOf(fakes.map(note), [3, 4])
    await Effect.runPromise(drive(program, { limit: 1 }))
    expect(begun).toEqual(["s1", "s0", "s2", "s3", "s4"])
  })

  it("and lets others have the thread after 2,048 steps, however many end at once", async () => {
    let turns = 0
    const seen: Array<number> = []
    const count: Effect.Effect<void> = Effect.flatMap(
      Effect.sync(() => void turns++),
      () => Effect.andThen(Effect.yieldNow, count)
    )
    const note = synchronous(() => Exit.succeed(seen.push(turns)))
    const { program } = programOf(
      Array.from({ length: 6000 }, () => note({})),
      [0]
    )
    await Effect.runPromise(
      Effect.gen(function* () {
        const counting = yield* Effect.forkChild(count)
        yield* drive(program)
        yield* Fiber.interrupt(counting)
      })
    )
    expect([seen[0], seen[2047]]).toEqual([seen[0], seen[0]])
    expect(seen[2048]).toBeGreaterThan(seen[0]!)
    expect(seen[4095]).toBe(seen[2048])
    expect(seen[4096]).toBeGreaterThan(seen[2048]!)
    expect(seen).toHaveLength(6000)
  })

  it("and can be interrupted among steps that all end at once", async () => {
    const { program } = programOf(
      Array.from({ length: 10_000 }, () => synchronous(() => Exit.void)({})),
      [0]
    )
    const exit = await Effect.runPromise(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(drive(program), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        return yield* Fiber.await(fiber)
      })
    )
    expect(Exit.hasInterrupts(exit)).toBe(true)
  })

  it("and waits for all finalizers when it is interrupted, at whichever step: no other step's turn comes after that", () =>
    fc.assert(
      fc.asyncProperty(graphs(8), fc.constantFrom(undefined, 1, 2), async ({ fakes, targets }, limit) => {
        for (let k = 0; k <= fakes.length; k++) {
          const begun: Array<string> = []
          const started: Array<string> = []
          const succeeded = new Set<string>()
          const released: Array<string> = []
          let until: ReadonlySet<string> = new Set()
          let interrupt = () => {}
          const step = synchronous((name) => {
            begun.push(name)
            if (begun.length === k) interrupt()
            const release = Effect.andThen(
              Effect.yieldNow,
              Effect.sync(() => void released.push(name))
            )
            // Where the step itself has interrupted the run, its effect does not start.
            return Effect.suspend(() => {
              started.push(name)
              return Effect.ensuring(
                Effect.tap(Effect.yieldNow, () => Effect.sync(() => succeeded.add(name))),
                release
              )
            })
          })
          const { program } = programOf(fakes.map(step), targets)
          const load = drive(program, limit === undefined ? {} : { limit })
          const exit = await Effect.runPromise(
            Effect.gen(function* () {
              const fiber = yield* Effect.forkChild(Effect.andThen(Effect.yieldNow, load))
              interrupt = () => {
                until = new Set(succeeded)
                fiber.interruptUnsafe()
              }
              if (k === 0) yield* Fiber.interrupt(fiber)
              return yield* Fiber.await(fiber)
            })
          )
          expect(Exit.hasInterrupts(exit)).toBe(true)
          expect(released.toSorted()).toEqual(started.toSorted())
          for (const name of begun) {
            expect(waitsFor(fakes[Number(name.slice(1))]!).every((on) => until.has(nameOf(on)))).toBe(true)
          }
          expect(begun.length >= k).toBe(true)
        }
      }),
      { numRuns: 60 }
    ))

  it("and stops at a failure: what runs is interrupted, and ends before the run does", async () => {
    const steps = new Steps()
    const { at, program } = programOf([{}, {}, { deps: [0] }].map(steps.waiting), [1, 2])
    const fiber = Effect.runFork(drive(program, { failFast: true }))
    steps.end("s0", Exit.fail("no"))
    const run = await Effect.runPromise(Fiber.join(fiber))
    expect(run.stopped).toEqual({ _tag: "Failed", resource: "s0" })
    expect([steps.begun, steps.ended]).toEqual([
      ["s0", "s1"],
      ["s0", "s1"]
    ])
    expect([run.isPending(at(2)), run.isSettled(at(1))]).toEqual([true, true])
  })

  it("and what a load throws, or gives that is no effect, is a defect of its step", async () => {
    const loading = (load: () => unknown): Fake => ({
      toStep: (common) => stepOf(common, { load, begin: (run, index, deps) => run.attempt(index, load, deps) })
    })
    const throws = loading(() => {
      throw new Error("thrown")
    })
    const { at, program } = programOf([throws, loading(() => "no effect")], [0, 1])
    const run = await Effect.runPromise(drive(program))
    const defects = [0, 1].map((n) => String(Cause.squash(run.causeOf(at(n))!)))
    expect(defects[0]).toBe("Error: thrown")
    expect(defects[1]).toContain('"s1"')
  })

  it("and ends at its time limit with what runs interrupted, unless it has ended by then", async () => {
    const limited = (ends: boolean) =>
      Effect.gen(function* () {
        const steps = new Steps()
        const { program } = programOf([{}, {}, { deps: [0] }].map(steps.waiting), [1, 2])
        const fiber = yield* Effect.forkChild(
          Effect.withFiber((fiber) => {
            const run = new Run(program, fiber.context, true)
            const scheduling = { inBatches: false, timeout: Duration.seconds(1) }
            return schedule(run, fiber, scheduling, Effect.succeed, () => Effect.void) as Effect.Effect<Run>
          }),
          { startImmediately: true }
        )
        steps.end("s0")
        yield* TestClock.adjust("999 millis")
        if (ends) for (const name of steps.inProgress) steps.end(name)
        yield* TestClock.adjust("1 second")
        const run = yield* Fiber.join(fiber)
        return { stopped: run.stopped, ended: steps.ended }
      }).pipe(Effect.provide(TestClock.layer()))
    const progress = { done: ["s0"], inFlight: ["s1", "s2"], notStarted: [] }
    expect(await Effect.runPromise(limited(false))).toEqual({
      stopped: { _tag: "TimedOut", limit: Duration.seconds(1), progress },
      ended: ["s0", "s1", "s2"]
    })
    expect((await Effect.runPromise(limited(true))).stopped).toBeUndefined()
  })
})
