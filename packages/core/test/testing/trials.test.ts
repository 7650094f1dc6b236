/** Interruptions and faults at every step: how often they occur, and that they detect everything left behind. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Option, Schedule, Scope } from "effect"
import { Loader, LoadTimeout, Policy, Resource, ResourceError } from "effect-loader"
import { Fake, Fault, Interruption, Ledger, RunLog, TrialError, VirtualTime } from "effect-loader/testing"

/** The defect of a program that must fail. */
const complaint = <A>(self: Effect.Effect<A>): Effect.Effect<string> =>
  self.pipe(
    Effect.as("nothing was wrong"),
    Effect.catchDefect((defect) =>
      Effect.succeed(defect instanceof TrialError ? defect.message : `not a TrialError: ${String(defect)}`)
    )
  )

const firstLine = (text: string): string => text.split("\n")[0]!

const org = Fake.delay("org", 40, "acme")
const user = Fake.delay("user", 15, "ada")
const members = Fake.delay("members", 20, ["ada"], { deps: { org } })
const page = Loader.make({ user, members }, { name: "page" })

describe("interruption", () => {
  it.effect("occurs at each event, each entry and each instant, and lets the last run end", () =>
    Effect.gen(function* () {
      const steps: Array<number> = []
      const run = (probed: Interruption.Probe) => Loader.load(probed(page))
      const check = ({ exit }: Interruption.Trial<unknown, unknown>, step: number) => {
        if (Exit.isFailure(exit)) steps.push(step)
      }
      assert.strictEqual(yield* Interruption.atEveryEvent(run, { check }), 12)
      assert.deepStrictEqual(steps.splice(0), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      assert.strictEqual(yield* Interruption.atEveryEntry(run, { check }), 4)
      assert.deepStrictEqual(steps.splice(0), [0, 1, 2])
      assert.strictEqual(yield* Interruption.atEveryInstant(run, { check }), 5)
      assert.deepStrictEqual(steps.splice(0), [0, 15, 40])
      assert.strictEqual(yield* Interruption.atEveryStep(run), 12 + 4 + 5)
    })
  )

  it.effect("counts every attempt as an entry, also of loaders that are made for each run", () =>
    Effect.gen(function* () {
      const flaky = () => Loader.make({ flaky: Fake.failTimes("flaky", 2, "busy", 1).pipe(Policy.retry({ times: 2 })) })
      assert.strictEqual(yield* Interruption.atEveryEntry((probed) => Loader.load(probed(flaky()))), 4)
    })
  )

  it.effect("reports a fiber that outlives a run, and an acquisition that is never released, with the step", () =>
    Effect.gen(function* () {
      const daemon = Resource.make("daemon", { load: () => Effect.forkDetach(Effect.never) })
      assert.strictEqual(
        yield* complaint(Interruption.atEveryEvent(() => Loader.load(Loader.make({ daemon }, { name: "page" })))),
        'interrupted at event 0 (RunStarted): 1 fiber outlived it\n\n"page" took 0.0ms\n✓ daemon  0-0'
      )
      const ledger = Ledger.make()
      const careless = Resource.make("careless", {
        load: () =>
          Effect.flatMap(Scope.make(), (scope) =>
            Effect.andThen(Scope.provide(Ledger.hold(ledger, "lease"), scope), Effect.sleep(5)).pipe(
              Effect.tap(() => Scope.close(scope, Exit.void))
            )
          )
      })
      assert.strictEqual(
        yield* complaint(
          Interruption.atEveryInstant(() => Loader.load(Loader.make({ careless }, { name: "page" })), { ledger })
        ),
        'interrupted at 0ms: "lease" was never released\n\n"page" was interrupted after 0.0ms\n× careless  0-0  interrupted'
      )
      assert.deepStrictEqual(ledger.open, ["lease"])
    })
  )

  it.effect("reports an acquisition that is released before another one that needs it", () =>
    Effect.gen(function* () {
      const ledger = Ledger.make()
      const escaped = Scope.makeUnsafe()
      const pool = Resource.make("pool", { load: () => Ledger.hold(ledger, "pool") })
      const between = Resource.make("between", { deps: { pool }, load: () => Effect.void })
      const lease = Resource.make("lease", {
        deps: { between },
        load: () => Scope.provide(Ledger.hold(ledger, "lease"), escaped)
      })
      const free = Resource.make("free", { load: () => Scope.provide(Ledger.hold(ledger, "free"), escaped) })
      const program = Effect.scoped(Loader.load(Loader.make({ free, lease }))).pipe(
        Effect.andThen(Scope.close(escaped, Exit.void))
      )
      const message = yield* complaint(Interruption.atEveryInstant(() => program, { ledger }))
      assert.strictEqual(
        firstLine(message),
        'not interrupted: "pool" was released before "lease", which "lease" holds and needs "pool" for'
      )
    })
  )

  it.effect("reports which check failed, at which step, and with which error", () =>
    Effect.gen(function* () {
      const cause = new Error("open: expected 0, got 1")
      const check = (_: unknown, k: number) => {
        if (k === 2) throw cause
      }
      const run = Interruption.atEveryEvent(() => Loader.load(page), { check })
      const error = yield* Effect.catchDefect(run, (defect) => Effect.succeed(defect))
      assert.instanceOf(error, TrialError)
      assert.strictEqual((error as TrialError).cause, cause)
      assert.strictEqual(
        firstLine((error as TrialError).message),
        "interrupted at event 2 (ResourceReady user): open: expected 0, got 1"
      )
    })
  )

  it.live("is on the caller's clock with `live`", () =>
    Effect.gen(function* () {
      const real = Resource.make("real", { load: () => Effect.promise(() => new Promise((r) => setTimeout(r, 1))) })
      assert.strictEqual(yield* Interruption.atEveryEvent(() => Loader.load(Loader.make({ real })), { live: true }), 6)
    })
  )
})

describe("a ledger", () => {
  it.effect("balances if everything is released once, dependents first", () =>
    Effect.gen(function* () {
      const ledger = Ledger.make()
      const pool = Resource.make("pool", {
        load: () => Effect.andThen(Ledger.hold(ledger, "socket"), Ledger.hold(ledger, "pool"))
      })
      const lease = Resource.make("lease", { deps: { pool }, load: () => Ledger.hold(ledger, "lease") })
      const use = Resource.make("use", { deps: { lease }, load: () => Ledger.use(ledger, "use", Effect.sleep(5)) })
      const run = (probed: Interruption.Probe) => Loader.load(probed(Loader.make({ use })))
      assert.isAbove(yield* Interruption.atEveryStep(run, { ledger }), 15)
      assert.deepStrictEqual(ledger.open, [])
      assert.strictEqual(ledger.acquired, 4)
      assert.deepStrictEqual(Ledger.problems(ledger), [])
    })
  )
})

describe("a fault", () => {
  class Down extends Error {
    readonly _tag = "Down"
  }

  it.effect(
    "occurs inside the policies of its resource, before or after the load, in the given number of attempts",
    () =>
      Effect.gen(function* () {
        let loads = 0
        const flaky = Resource.make("flaky", { load: () => Effect.sync(() => ++loads) }).pipe(
          Policy.timeout("1 second"),
          Policy.retry({ times: 2, schedule: Schedule.spaced("1 second") })
        )
        const one = Loader.make({ flaky })
        const ran = (fault: Fault.Fault<unknown>) =>
          Effect.map(
            VirtualTime.run(RunLog.record(Loader.load(Fault.inject(one, flaky, fault)))),
            ({ events, exit }) => [RunLog.attempts(events, "flaky"), loads, exit._tag] as const
          )
        assert.deepStrictEqual(yield* ran(Fault.fail("busy", { times: 2 })), [3, 1, "Success"])
        assert.deepStrictEqual(yield* ran(Fault.fail("busy", { phase: "after" })), [3, 4, "Failure"])
        assert.deepStrictEqual(yield* ran(Fault.hang({ times: 1 })), [2, 5, "Success"])
        assert.deepStrictEqual(yield* ran(Fault.delay("2 seconds")), [3, 5, "Failure"])
        assert.deepStrictEqual(yield* ran(Fault.die()), [1, 5, "Failure"])
        assert.deepStrictEqual(yield* ran(Fault.interrupt()), [1, 5, "Failure"])
      })
  )

  it.effect("occurs in the override of a resource, and changes neither views nor the original loader", () =>
    Effect.gen(function* () {
      const optional = Loader.make({ org: org.pipe(Resource.option) })
      const faulty = optional.pipe(Loader.override(org, "other"), Loader.override(org, Fake.delay(org, 0, "fake")))
      const failing = Fault.inject(faulty, org, Fault.fail("down"))
      assert.deepStrictEqual(yield* VirtualTime.run(Loader.load(failing)), { org: Option.none() })
      assert.deepStrictEqual(yield* VirtualTime.run(Loader.load(faulty)), { org: Option.some("fake") })
    })
  )

  it("in a finalizer fails the closing of the scope, or the load if there is no scope", async () => {
    const dying = Fault.inject(page, user, Fault.die("late", { phase: "closing" }))
    const seen: Array<string> = []
    const load = Effect.tap(Loader.load(dying), () => Effect.sync(() => seen.push("loaded")))
    assert.isTrue(Exit.isFailure(await Effect.runPromiseExit(VirtualTime.run(load))))
    assert.deepStrictEqual(seen, [])
    assert.isTrue(Exit.isFailure(await Effect.runPromiseExit(VirtualTime.run(Effect.scoped(load)))))
    assert.deepStrictEqual(seen, ["loaded"])
  })

  it("throws with the name of a resource that the loader does not load", () => {
    const other = Fake.delay("other", 1, 1)
    assert.throws(() => Fault.inject(page, other, Fault.die()), 'Fault.inject: loader "page" does not load "other"')
  })

  it("has a label, a kind and a phase", () => {
    const labels = [
      Fault.fail("x"),
      Fault.fail("x", { times: 1 }),
      Fault.die(undefined, { phase: "closing" }),
      Fault.hang({ phase: "after", times: 2 }),
      Fault.interrupt(),
      Fault.delay("90 seconds")
    ].map(({ label }) => label)
    assert.deepStrictEqual(labels, [
      "fails before loading",
      "fails before loading, once",
      "dies while closing",
      "hangs once loaded, 2 times",
      "is interrupted before loading",
      "takes 1m 30s longer before loading"
    ])
  })

  it.effect("occurs in lists, in each of their items, and in nested loaders", () =>
    Effect.gen(function* () {
      const list = Resource.forEach("list", {
        items: () => ["a", "b"],
        load: (item): Effect.Effect<string, Down> => Effect.succeed(item)
      })
      const inner = Resource.fromLoader("inner", Loader.make({ list }, { name: "within" }))
      const choice = Resource.match("choice", { on: Resource.succeed("on", "x" as const), cases: { x: list } })
      const loader = Loader.make({ choice, inner })
      const struck: Array<string> = []
      yield* Fault.atEveryResource(loader, (faulty) => Loader.load(faulty), {
        faults: () => [Fault.die()],
        check: ({ exit, resource }) => {
          const reasons = Exit.isFailure(exit) ? exit.cause.reasons : []
          struck.push(`${resource} ${reasons.map(({ _tag }) => _tag).join()}`)
        }
      })
      assert.deepStrictEqual(struck, ["list Die", "inner Die"])
      const once = Fault.inject(loader, list, Fault.fail(new Down()))
      const error = yield* Effect.flip(Loader.load(once))
      assert.deepStrictEqual([error.resource, error.item], ["list", { index: 0, value: "a" }])
      const entries = yield* Interruption.atEveryEntry((probed) => Loader.load(probed(loader)))
      assert.isAbove(entries, 3)
    })
  )

  it.effect("of every kind occurs in every resource, and the check gets each result", () =>
    Effect.gen(function* () {
      const find: Effect.Effect<string, Down> = Effect.succeed("acme")
      const owner = Resource.make("owner", { load: () => find })
      const label = Resource.make("label", { deps: { owner }, load: ({ owner }) => Effect.succeed(owner) })
      const loader = Loader.make({ label }, { timeout: "2 seconds", name: "page" })
      const tried: Array<string> = []
      const runs = yield* Fault.atEveryResource(loader, (faulty) => Loader.load(faulty), {
        errors: { owner: new Down() },
        check: ({ events, exit, fault, hung, resource }) => {
          tried.push(`${resource} ${fault.label}`)
          assert.isFalse(hung)
          assert.strictEqual(Exit.isFailure(exit), fault.kind !== "delay" || fault.phase !== "closing")
          if (resource === "owner" && fault.phase !== "closing") assert.isTrue(RunLog.neverRan(events, "label"))
          const error = Exit.isFailure(exit) ? exit.cause.reasons.find(({ _tag }) => _tag === "Fail") : undefined
          const failure = error?._tag === "Fail" ? error.error : undefined
          if (fault.kind === "fail") assert.instanceOf(failure, ResourceError)
          if ((fault.kind === "delay" && fault.phase !== "closing") || fault.kind === "hang")
            assert.instanceOf(failure, LoadTimeout)
        }
      })
      assert.strictEqual(runs, 23)
      assert.deepStrictEqual(tried.slice(0, 4), [
        "owner fails before loading",
        "owner fails once loaded",
        "owner fails before loading, once",
        "owner dies before loading"
      ])
    })
  )

  it.effect("that makes a program hang is reported as such, and a leak is reported with the timeline", () =>
    Effect.gen(function* () {
      const endless = yield* complaint(
        Fault.atEveryResource(page, (faulty) => Loader.load(faulty), {
          check: ({ hung }) => assert.isFalse(hung, "it hung")
        })
      )
      assert.strictEqual(
        endless.replace(/it hung.*/, "it hung"),
        '"user" hangs before loading: it hung\n\n"page" was interrupted after 1d\n× user     0-86400000  interrupted\n✓ org      0-40\n✓ members  40-60'
      )
    })
  )
})
