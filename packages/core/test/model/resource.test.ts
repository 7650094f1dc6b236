/** Resources and policies one by one: what each gives, in both ways of calling it. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Duration, Effect, Exit, Option, Schedule } from "effect"
import { Loader, Policy, Report, Resource, ResourceError } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import { withTime } from "../withTime.ts"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}

const one = Resource.succeed("one", 1)
const down = Resource.make("down", {
  load: (): Effect.Effect<number, NotFound> => Effect.fail(new NotFound({ id: "7" }))
})
const after = Resource.make("after", { deps: { down }, load: ({ down }) => Effect.succeed(down) })

const loadOf = <A, E>(resource: Resource.Resource<string, A, E>): A =>
  Effect.runSync(Loader.load(Loader.make({ resource }))).resource

const outcomeOf = <A, E>(resource: Resource.Resource<string, A, E>) => {
  const report = Effect.runSync(Loader.settle(Loader.make({ resource })))
  return Report.outcome(report, resource.name)
}

describe("views", () => {
  it("map", () => {
    assert.strictEqual(loadOf(Resource.map(one, (n) => n + 1)), 2)
    assert.strictEqual(loadOf(one.pipe(Resource.map((n) => n + 1))), 2)
  })

  it("map that throws is a defect of the resource", () => {
    const broken = Resource.make("broken", { load: () => Effect.succeed(1) }).pipe(
      Resource.map((): number => {
        throw new Error("bug")
      })
    )
    assert.strictEqual(outcomeOf(broken)?._tag, "Died")
    const ofInput = Resource.input<number>()("n").pipe(
      Resource.map((): number => {
        throw new Error("bug")
      })
    )
    const report = Effect.runSync(Loader.settle(Loader.make({ ofInput }), { n: 1 }))
    assert.strictEqual(Report.outcome(report, "n")?._tag, "Died")
  })

  it("catch, with a value, an effect, a failure and a defect", () => {
    assert.strictEqual(loadOf(Resource.catch(down, (error) => Effect.succeed(error.id))), "7")
    assert.strictEqual(loadOf(down.pipe(Resource.catch((error) => Effect.sync(() => error.id)))), "7")
    const failing = down.pipe(Resource.catch(() => Effect.fail("again")))
    const error = Effect.runSync(Effect.flip(Loader.load(Loader.make({ failing }))))
    assert.deepStrictEqual([error.resource, error.error], ["down", "again"])
    const throwing = down.pipe(
      Resource.catch((): Effect.Effect<number> => {
        throw new Error("bug")
      })
    )
    assert.strictEqual(outcomeOf(throwing)?._tag, "Died")
    const odd = down.pipe(Resource.catch(() => 1 as unknown as Effect.Effect<number>))
    const died = outcomeOf(odd)
    assert.match(
      died?._tag === "Died" ? Cause.pretty(died.cause) : "",
      /resource "down": the function of catch gave the number 1 where an Effect was expected/
    )
  })

  it("catchCause recovers a typed error and a defect of its own, and gets the cause as it was", () => {
    const seen: Array<unknown> = []
    const spared = <N extends string, E>(resource: Resource.Resource<N, number, E>) =>
      Resource.catchCause(resource, (cause) => {
        seen.push(Cause.squash(cause))
        return Effect.succeed(0)
      })
    const bug = new Error("bug")
    const dying = Resource.make("dying", { load: (): Effect.Effect<number> => Effect.die(bug) })
    const mapped = one.pipe(
      Resource.map((): number => {
        throw bug
      })
    )
    assert.deepStrictEqual([loadOf(spared(down)), loadOf(spared(dying)), loadOf(spared(mapped))], [0, 0, 0])
    assert.deepStrictEqual(seen, [new NotFound({ id: "7" }), bug, bug])
    assert.deepStrictEqual(outcomeOf(spared(dying)), { _tag: "Degraded", fallback: "catchCause", error: bug })
    const again = dying.pipe(Resource.catchCause(() => Effect.die("worse")))
    assert.strictEqual(outcomeOf(again)?._tag, "Died")
    // With a policy piped onto it, it is a layer of the load, and does the same.
    assert.strictEqual(loadOf(spared(dying).pipe(Policy.retry({ times: 1 }))), 0)
    assert.strictEqual(loadOf(spared(down).pipe(Policy.retry({ times: 1 }))), 0)
    assert.deepStrictEqual(seen.slice(-2), [bug, new NotFound({ id: "7" })])
  })

  it("catchCause never recovers what an ancestor ended in, nor an interruption", () => {
    const dying = Resource.make("dying", { load: () => Effect.die("bug") })
    const later = Resource.make("later", { deps: { dying }, load: () => Effect.succeed(1) })
    const stopped = Resource.make("stopped", { load: (): Effect.Effect<number> => Effect.interrupt })
    for (const resource of [
      later,
      stopped,
      stopped.pipe(
        Resource.catchCause(() => Effect.succeed(1)),
        Policy.timeout(5)
      )
    ]) {
      const exit = Effect.runSyncExit(
        Loader.load(Loader.make({ spared: Resource.catchCause(resource, () => Effect.succeed(1)) }))
      )
      assert.isTrue(Exit.isFailure(exit))
    }
  })

  it("a defect that is recovered in one view reaches a target through another", () => {
    const dying = Resource.make("dying", { load: (): Effect.Effect<number> => Effect.die("bug") })
    const spared = dying.pipe(Resource.catchCause(() => Effect.succeed(1)))
    assert.isTrue(Exit.isFailure(Effect.runSyncExit(Loader.load(Loader.make({ dying, spared })))))
    const report = Effect.runSync(Loader.settle(Loader.make({ dying, spared })))
    assert.deepStrictEqual([report.values, Report.outcome(report, "dying")?._tag], [{ spared: 1 }, "Died"])
  })

  it("orElseSucceed and option are Degraded, and say so", () => {
    assert.strictEqual(loadOf(Resource.orElseSucceed(down, () => 0)), 0)
    assert.deepStrictEqual(outcomeOf(down.pipe(Resource.orElseSucceed(() => 0))), {
      _tag: "Degraded",
      fallback: "orElseSucceed",
      error: new NotFound({ id: "7" })
    })
    assert.deepStrictEqual(loadOf(Resource.option(down)), Option.none())
    assert.deepStrictEqual(loadOf(one.pipe(Resource.option)), Option.some(1))
  })

  it("option of ancestors recovers what the resource depends on, and only typed failures", () => {
    assert.deepStrictEqual(loadOf(Resource.option(after, { ancestors: true })), Option.none())
    assert.deepStrictEqual(outcomeOf(after.pipe(Resource.option({ ancestors: true }))), {
      _tag: "Skipped",
      because: { _tag: "DependencyFailed", resource: "down" }
    })
    const dead = Resource.make("dead", { load: () => Effect.die("bug") })
    const below = Resource.make("below", { deps: { dead }, load: () => Effect.succeed(1) })
    const exit = Effect.runSyncExit(
      Loader.load(Loader.make({ below: below.pipe(Resource.option({ ancestors: true })) }))
    )
    assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
  })

  it("a strict and a lenient use of one resource stand side by side", () => {
    const lenient = Resource.make("lenient", {
      deps: { down: down.pipe(Resource.option) },
      load: ({ down }) => Effect.succeed(down)
    })
    const report = Effect.runSync(Loader.settle(Loader.make({ lenient, after })))
    assert.deepStrictEqual(report.values, { lenient: Option.none() })
    assert.strictEqual(Report.outcome(report, "down")?._tag, "Failed")
    assert.strictEqual(Report.outcome(report, "after")?._tag, "Skipped")
  })

  it("a chain of views passes a failure on to the one that recovers it", () => {
    const chain = down.pipe(
      Resource.map((n) => n * 2),
      Resource.catch(() => Effect.succeed(21)),
      Resource.map((n) => n * 2)
    )
    assert.strictEqual(loadOf(chain), 42)
  })

  it("policies piped onto a view wrap what it does", () => {
    const report = (resource: Resource.Resource<string, unknown, unknown>) => outcomeOf(resource)
    const caught = down.pipe(
      Resource.orElseSucceed(() => 5),
      Resource.map((n) => n + 1),
      Policy.retry({ times: 1 })
    )
    assert.strictEqual(loadOf(caught), 6)
    assert.strictEqual(report(caught)?._tag, "Degraded")
    const some = Resource.make("some", { load: () => Effect.succeed(1) }).pipe(
      Resource.option,
      Policy.retry({ times: 1 })
    )
    assert.deepStrictEqual(loadOf(some), Option.some(1))
    assert.strictEqual(report(some)?._tag, "Succeeded")
  })

  it("annotate keeps views in place", () => {
    assert.strictEqual(
      loadOf(
        Resource.annotate(
          Resource.map(one, (n) => n + 1),
          { team: "a" }
        )
      ),
      2
    )
    assert.strictEqual(
      loadOf(
        one.pipe(
          Resource.map((n) => n + 1),
          Resource.map((n) => n * 2),
          Resource.annotate({ team: "a" })
        )
      ),
      4
    )
  })

  it("isResource and isLoader", () => {
    assert.deepStrictEqual([one, {}, null, 1].map(Resource.isResource), [true, false, false, false])
    assert.deepStrictEqual([Loader.make({ one }), one, undefined].map(Loader.isLoader), [true, false, false])
  })
})

describe("ResourceError", () => {
  it("says which, why, after what, and who needed it", () => {
    const top = Resource.make("top", { deps: { after }, load: () => Effect.succeed(1) })
    const error = Effect.runSync(Effect.flip(Loader.load(Loader.make({ top, other: one }))))
    assert.instanceOf(error, ResourceError)
    assert.deepStrictEqual(error.path, ["top", "after", "down"])
    assert.strictEqual(
      error.message,
      'resource "down" failed (0ms, needed by after, needed by top): NotFound {"id":"7"}'
    )
    assert.strictEqual(error.cause, error.error)
    assert.strictEqual(error.stack, `ResourceError: ${error.message}`)
  })

  it.each([
    ["text", "text"],
    [7, "7"],
    [undefined, "undefined"],
    [{ code: 7 }, '{"code":7}'],
    [{ _tag: "Gone" }, "Gone"],
    [new TypeError("bad"), "TypeError: bad"],
    [1n, "1n"],
    [Object.assign(Object.create(null), { id: 1n }), `{"id":"1n"}`],
    [{ _tag: "Long", text: "x".repeat(500) }, `Long ${`{"text":"${"x".repeat(500)}`.slice(0, 200)}...`]
  ])("describes %s", (error, text) => {
    const path = ["a"]
    const { message } = new ResourceError({ resource: "a", error, attempts: 1, path, elapsed: Duration.zero })
    assert.strictEqual(message, `resource "a" failed (0ms): ${text}`)
  })
})

describe("policies", () => {
  it.effect("the order in which they are piped counts", () =>
    Effect.gen(function* () {
      const hanging = Resource.make("hanging", { load: () => Effect.never })
      const each = hanging.pipe(Policy.timeout("1 second"), Policy.retry({ times: 2 }))
      const whole = hanging.pipe(Policy.retry({ times: 2 }), Policy.timeout("1 second"))
      for (const [resource, attempts, took] of [
        [each, 3, 3000],
        [whole, 1, 1000]
      ] as const) {
        const error = yield* withTime(Effect.flip(Loader.load(Loader.make({ resource }))))
        assert.deepStrictEqual([error.attempts, Duration.toMillis(error.elapsed)], [attempts, took])
      }
    })
  )

  it.effect("a default's parts go innermost, where a resource lacks their kind", () =>
    Effect.gen(function* () {
      let attempts = 0
      const flaky = Resource.make("flaky", {
        load: () => Effect.suspend(() => (++attempts < 3 ? Effect.fail("busy") : Effect.succeed(attempts)))
      })
      const own = flaky.pipe(Policy.timeout("Infinity"))
      const policy = Policy.compose(Policy.timeout("1 second"), Policy.retry({ times: 2 }))
      const loader = Loader.make({ own }, { policy })
      assert.deepStrictEqual(
        Loader.plan(loader).resources.map(({ around, attempt }) => [...attempt, ...around].map(({ label }) => label)),
        [["retry(2)", "timeout(Infinity)"]]
      )
      assert.deepStrictEqual(yield* Loader.load(loader), { own: 3 })
    })
  )

  it.effect("a retry's predicate ends it, a defect is not retried", () =>
    Effect.gen(function* () {
      const picky = down.pipe(Policy.retry({ times: 5, while: (error) => error.id !== "7" }))
      assert.strictEqual((yield* Effect.flip(Loader.load(Loader.make({ picky })))).attempts, 1)
      const dying = Resource.make("dying", { load: () => Effect.die("bug") }).pipe(Policy.retry({ times: 5 }))
      const { events } = yield* RunLog.record(Loader.load(Loader.make({ dying })))
      assert.strictEqual(RunLog.attempts(events, "dying"), 1)
      assert.strictEqual(RunLog.outcome(events, "dying")?._tag, "Died")
      assert.isUndefined(RunLog.outcome(events, "nobody"))
    })
  )

  it("have labels", () => {
    const schedule = Schedule.spaced("1 second")
    const parts = (policy: { readonly parts: ReadonlyArray<Policy.Part> }) => policy.parts.map(({ label }) => label)
    assert.deepStrictEqual(parts(Policy.retry({ schedule })), ["retry(schedule)"])
    assert.deepStrictEqual(parts(Policy.retry({ times: 2, schedule })), ["retry(2, schedule)"])
    assert.deepStrictEqual(
      parts(
        Policy.compose(
          Policy.timeout("1 minute"),
          Policy.around("mine", (self) => self)
        )
      ),
      ["timeout(1m)", "mine"]
    )
  })
})

describe("loaders", () => {
  it("load, settle and loadWithReport take their loader first or last", () => {
    const n = Resource.input<number>()("n")
    const loader = Loader.make({ n })
    assert.deepStrictEqual(Effect.runSync(loader.pipe(Loader.load({ n: 1 }))), { n: 1 })
    assert.deepStrictEqual(Effect.runSync(loader.pipe(Loader.settle({ n: 1 }))).values, { n: 1 })
    const { exit, report } = Effect.runSync(loader.pipe(Loader.loadWithReport({ n: 1 })))
    assert.deepStrictEqual([exit, report.end], [Exit.succeed({ n: 1 }), "Completed"])
  })

  it("a plan is made once", () => {
    const loader = Loader.make({ one }, { scheduling: "eager", concurrency: "unbounded" })
    assert.strictEqual(Loader.plan(loader), Loader.plan(loader))
  })
})
