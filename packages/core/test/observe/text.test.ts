/** What plans and reports look like to people. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Fiber, Schedule } from "effect"
import { Loader, Observer, Plan, Policy, Report, Resource, type RunEvent } from "effect-loader"
import { TestClock } from "effect/testing"
import { withTime } from "../withTime.ts"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}

const orgId = Resource.input<string>()("orgId")
const region = Resource.succeed("region", "eu")
const org = Resource.make("org", {
  deps: { orgId, region },
  load: ({ orgId }) => Effect.as(Effect.sleep(100), orgId)
}).pipe(
  Policy.timeout("500 millis"),
  Policy.retry({ times: 3, schedule: Schedule.spaced("1 second") }),
  Policy.timeout("5 seconds"),
  Resource.annotate({ team: "accounts" }),
  Resource.annotate({ tier: 1 })
)
const user = Resource.make("user", { load: () => Effect.as(Effect.sleep(40), "ada") }).pipe(Policy.timeout("1 second"))
const avatar = Resource.make("avatar", {
  deps: { user },
  load: ({ user }) => Effect.andThen(Effect.sleep(20), Effect.fail(new NotFound({ id: user })))
}).pipe(Resource.orElseSucceed(() => "nobody.png"))
const members = Resource.make("members", {
  deps: { org },
  after: [avatar],
  load: () => Effect.as(Effect.sleep(60), ["ada"])
})
const bad = Resource.make("bad", { load: () => Effect.fail("down") }).pipe(Policy.retry({ times: 1 }))
const dying = Resource.make("dying", { load: () => Effect.die(new Error("a bug\nwith lines")) })
const blocked = Resource.make("blocked", { deps: { bad }, load: () => Effect.succeed(1) })
const hanging = Resource.make("hanging", { load: () => Effect.never })
const never = Resource.make("never", { deps: { hanging }, load: () => Effect.succeed(1) })

const lines = (text: string): ReadonlyArray<string> => text.split("\n")

describe("Plan", () => {
  const plan = Loader.plan(
    Loader.make({ members, avatar, all: Resource.struct("all", { org, user }) }, { name: "page" })
  )

  it("toText lists what is given, the batches, dependencies, policies and views", () => {
    assert.deepStrictEqual(lines(Plan.toText(plan)), [
      'plan of "page": 5 resources in 3 batches',
      "     given: orgId, region",
      "  1  user  timeout(1s)",
      "     org <- orgId, region  timeout(5s) > retry(3, schedule) > [timeout(500ms)]",
      "  2  avatar <- user  seen through orElseSucceed",
      "     all <- org, user",
      "  3  members <- org, avatar"
    ])
    assert.strictEqual(Plan.toText(Loader.plan(Loader.make({}))), 'plan of "anonymous": 0 resources in 0 batches')
    assert.deepStrictEqual(lines(Plan.toText(Loader.plan(Loader.make({ bad })))), [
      'plan of "anonymous": 1 resource in 1 batch',
      "  1  bad  retry(1)"
    ])
  })

  it("is data: order, dependents, batches, ranks, policies, annotations", () => {
    assert.deepStrictEqual(Plan.get(plan, "org"), {
      name: "org",
      kind: "load",
      dependencies: ["orgId", "region"],
      dependents: ["members", "all"],
      batch: 0,
      rank: 2,
      attempt: [{ kind: "timeout", label: "timeout(500ms)" }],
      around: [
        { kind: "retry", label: "retry(3, schedule)" },
        { kind: "timeout", label: "timeout(5s)" }
      ],
      views: [],
      annotations: { team: "accounts", tier: 1 }
    })
    assert.deepStrictEqual(
      plan.resources.map(({ kind, name, rank }) => [name, kind, rank]),
      [
        ["orgId", "input", 2],
        ["region", "constant", 2],
        ["org", "load", 2],
        ["user", "load", 3],
        ["avatar", "load", 2],
        ["members", "load", 1],
        ["all", "struct", 1]
      ]
    )
    assert.deepStrictEqual(plan.targets, { members: "members", avatar: "avatar", all: "all" })
    assert.isUndefined(Plan.get(plan, "nobody"))
    assert.deepStrictEqual(JSON.parse(JSON.stringify(plan)), plan)
  })
})

describe("Report.toWaterfall", () => {
  it.effect("draws when each resource ran, and says what became of it", () =>
    Effect.gen(function* () {
      const targets = { members, avatar, bad, dying, blocked, never }
      const report = yield* withTime(
        Loader.settle(Loader.make(targets, { name: "page", timeout: "200 millis" }), { orgId: "acme" })
      )
      assert.deepStrictEqual(lines(Report.toWaterfall(report, { width: 20 })), [
        '"page" took 200ms, timed out',
        "✓ org     ██████████             100ms",
        "✓ user    ████                    40ms",
        "~ avatar      ██                  20ms  fell back (orElseSucceed)",
        "✓ members           ██████        60ms",
        "✗ bad     █                      0.0ms  2 attempts, down",
        "! dying   █                      0.0ms  a bug",
        "- blocked                               skipped because of bad",
        "× hanging ████████████████████   200ms  interrupted",
        "- never                                 skipped, the time was over"
      ])
    })
  )

  it.effect("shows the wait for a slot lightly, and what a failed run never started", () =>
    Effect.gen(function* () {
      const first = Resource.make("first", { load: () => Effect.sleep(100) })
      const second = Resource.make("second", { load: () => Effect.andThen(Effect.sleep(100), Effect.fail("down")) })
      const third = Resource.make("third", { load: () => Effect.sleep(100) })
      const { report } = yield* withTime(
        Loader.loadWithReport(Loader.make({ first, second, third }, { concurrency: 1 }))
      )
      assert.deepStrictEqual(lines(Report.toWaterfall(report, { width: 8 })), [
        '"anonymous" took 200ms',
        "✓ first  ████       100ms",
        "✗ second ░░░░████   100ms  down",
        "- third                    skipped because of second"
      ])
      assert.deepStrictEqual(Report.get(report, "second"), {
        resource: "second",
        outcome: Report.outcome(report, "second")!,
        attempts: 1,
        readyAt: 0,
        startedAt: 100,
        endedAt: 200,
        running: 100,
        queued: 100,
        phases: [
          { _tag: "Slot", from: 0, to: 100 },
          { _tag: "Attempt", attempt: 1, from: 100, to: 200 }
        ]
      })
    })
  )

  it.effect("draws a run that is still going on, and one that was interrupted", () =>
    Effect.gen(function* () {
      const events: Array<RunEvent.RunEvent> = []
      const program = Observer.observe(Loader.load(Loader.make({ user, never })), (event) => events.push(event))
      const fiber = yield* Effect.forkChild(program, { startImmediately: true })
      yield* TestClock.adjust(50)
      assert.isUndefined(Report.fromEvents([]))
      const partial = Report.fromEvents(events)!
      assert.deepStrictEqual(Report.outcome(partial, "hanging"), { _tag: "Unfinished" })
      assert.isUndefined(partial.end)
      assert.deepStrictEqual(lines(Report.toWaterfall(partial, { width: 8 })), [
        '"anonymous" runs since 40ms',
        "✓ user    ████████    40ms",
        "… hanging ████████    40ms  still running",
        "… never                     still running"
      ])
      yield* Fiber.interrupt(fiber)
      const whole = Report.fromEvents([...events, { ...events[0]!, run: -1 }])!
      assert.strictEqual(whole.end, "Interrupted")
      assert.include(Report.toWaterfall(whole), "skipped, the run was interrupted")
    })
  )

  it.effect("keeps what starts and ends at the very end inside its columns", () =>
    Effect.gen(function* () {
      const instant = Resource.make("instant", { deps: { user }, load: () => Effect.succeed(1) })
      const report = yield* withTime(Loader.settle(Loader.make({ instant })))
      assert.deepStrictEqual(lines(Report.toWaterfall(report, { width: 8 })), [
        '"anonymous" took 40ms',
        "✓ user    ████████    40ms",
        "✓ instant        █   0.0ms"
      ])
    })
  )

  it("draws nothing much of a run that took no time", () => {
    const report = Effect.runSync(Loader.settle(Loader.make({ a: Resource.succeed("a", 1) })))
    assert.match(Report.toWaterfall(report), /^"anonymous" took 0\.\dms$/)
  })
})
