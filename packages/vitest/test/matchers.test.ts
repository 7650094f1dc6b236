/** Matchers say yes and no to the right things, and their messages tell the whole story. */
import { describe, expect, it } from "@effect/vitest"
import { Data, Effect, Schedule } from "effect"
import { Loader, Policy, Resource } from "effect-loader"
import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
import "@effect-loader/vitest"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}
class Forbidden extends Data.TaggedError("Forbidden")<{ readonly id: string }> {}

const failure: NotFound | Forbidden = new NotFound({ id: "acme" }) as NotFound | Forbidden
const org = Fake.fail("org", failure, { takes: 40 }).pipe(Policy.retry({ times: 1, schedule: Schedule.spaced(10) }))
const user = Fake.delay("user", 15, "ada")
const members = Fake.delay("members", 5, ["ada"], { deps: { org, user } })
const page = Loader.make({ user, members }, { name: "page" })

const recorded = <A, E>(self: Effect.Effect<A, E>) => VirtualTime.run(RunLog.record(self))

/** The message of an expectation that does not hold. */
const story = (expectation: () => void): string => {
  try {
    expectation()
  } catch (error) {
    return (error as Error).message
  }
  return "it held"
}

const timeline = [
  '"page" failed after 90ms',
  "✓ user     0-15",
  '✗ org      0-90  2 attempts, NotFound {"id":"acme"}',
  "- members        skipped because of org"
].join("\n")

const failed = 'resource "org" failed (2 attempts, 90ms, needed by members): NotFound {"id":"acme"}'

describe("the exit of a load", () => {
  it.effect("has failed at a resource with an error: by class, tag, fields or function", () =>
    Effect.gen(function* () {
      const run = yield* recorded(Loader.load(page))
      expect(run).toHaveFailedAt("org")
      expect(run.exit).toHaveFailedAt("org", NotFound)
      expect(run).toHaveFailedAt(["org"], "NotFound")
      expect(run).toHaveFailedAt("org", { id: "acme" })
      expect(run).toHaveFailedAt("org", { id: expect.any(String) })
      expect(run).toHaveFailedAt("org", (error) => error.id === "acme")
      expect(run).not.toHaveFailedAt("org", Forbidden)
      expect(run).not.toHaveFailedAt("org", { id: "other" })
      expect(run).not.toHaveFailedAt("org", (error) => error.id === "other")
      expect(run).not.toHaveTimedOut()
      expect(run).not.toHaveDiedAt("org")
    })
  )

  it.effect("tells what was expected, what happened instead, and what ran when", () =>
    Effect.gen(function* () {
      const run = yield* recorded(Loader.load(page))
      expect(story(() => expect(run).toHaveFailedAt("org", Forbidden))).toBe(
        `expected resource "org" to have failed with Forbidden\n${failed}\n\n${timeline}`
      )
      expect(story(() => expect(run).not.toHaveFailedAt("org", "NotFound"))).toBe(
        `expected resource "org" not to have failed with NotFound\n${failed}\n\n${timeline}`
      )
      expect(story(() => expect(run.exit).toHaveFailedAt("org", { id: "7" }))).toBe(
        `expected resource "org" to have failed with {"id":"7"}\n${failed}`
      )
      const late = (error: NotFound | Forbidden) => error.id === "late"
      expect(story(() => expect(run.exit).toHaveFailedAt("org", late))).toBe(
        `expected resource "org" to have failed with an error that late accepts\n${failed}`
      )
      expect(story(() => expect(run.exit).toHaveTimedOut("org"))).toBe(
        `expected resource "org" to have timed out\n${failed}`
      )
      const { exit } = yield* recorded(Loader.load(Loader.make({ user })))
      expect(story(() => expect(exit).toHaveDiedAt("user"))).toBe(
        'expected resource "user" to have died\nthe load succeeded'
      )
      const reported = yield* VirtualTime.run(Loader.loadWithReport(page))
      expect(story(() => expect(reported).toHaveTimedOut())).toBe(
        `expected the load to have timed out\n${failed}\n\n${timeline}`
      )
    })
  )

  it.effect("has failed deep inside, where loads nest", () =>
    Effect.gen(function* () {
      const outer = Loader.make({ page: Resource.make("page", { load: () => Loader.load(page) }) })
      const { exit } = yield* recorded(Loader.load(outer))
      expect(exit).toHaveFailedAt("page")
      expect(exit).toHaveFailedAt(["page", "org"], NotFound)
      expect(exit).not.toHaveFailedAt(["page", "org"], Forbidden)
      expect(story(() => expect(exit).toHaveFailedAt(["page", "org"], Forbidden))).toMatch(
        /^expected resource "page" > "org" to have failed with Forbidden\nresource "page" failed \(90ms\): /
      )
    })
  )

  it.effect("has died at a resource, and has timed out: the load or a resource of it", () =>
    Effect.gen(function* () {
      const bug = new TypeError("no such field")
      const dying = yield* recorded(Loader.load(Loader.make({ user, dying: Fake.die("dying", bug) }, { name: "page" })))
      expect(dying).toHaveDiedAt("dying")
      expect(dying).toHaveDiedAt("dying", TypeError)
      expect(dying).toHaveDiedAt("dying", { message: "no such field" })
      expect(dying).not.toHaveDiedAt("dying", RangeError)
      expect(dying).not.toHaveDiedAt("user")
      expect(story(() => expect(dying.exit).toHaveDiedAt("user", RangeError))).toBe(
        'expected resource "user" to have died with RangeError\nresource "dying" died: TypeError: no such field'
      )
      const hanging = Fake.hang("hanging").pipe(Policy.timeout("1 second"))
      const limited = yield* recorded(Loader.load(Loader.make({ hanging })))
      expect(limited).toHaveTimedOut("hanging")
      expect(limited).not.toHaveTimedOut()
      const whole = yield* recorded(Loader.load(Loader.make({ hanging: Fake.hang("hanging") }, { timeout: 100 })))
      expect(whole).toHaveTimedOut()
      expect(whole).not.toHaveTimedOut("hanging" as never)
      expect(story(() => expect(whole).toHaveFailedAt("hanging" as never))).toContain(
        'it failed: LoadTimeout: loader "anonymous" did not finish within 100ms'
      )
      const cut = yield* recorded(Effect.andThen(Effect.interrupt, Loader.load(page)))
      expect(story(() => expect(cut).toHaveFailedAt("org"))).toBe(
        'expected resource "org" to have failed\nit was interrupted'
      )
    })
  )

  it("is needed: anything else is a mistake that is told", () => {
    expect(story(() => expect([]).toHaveFailedAt("org"))).toBe(
      "toHaveFailedAt needs an exit, or what `RunLog.record` or `Loader.loadWithReport` gives; it was given an array"
    )
    expect(story(() => expect(null).toHaveNeverRun("org"))).toBe(
      "toHaveNeverRun needs events, or what `RunLog.record` gives; it was given null"
    )
    expect(story(() => expect({ events: 7 }).toHaveNeverRun("org"))).toContain("it was given object")
  })
})

describe("recorded runs", () => {
  it.effect("answer what ran before, beside, never, how often, how many, and what became of it", () =>
    Effect.gen(function* () {
      const run = yield* recorded(Loader.settle(page))
      expect(run).toHaveStartedBefore("user", "org")
      expect(run.events).not.toHaveStartedBefore("org", "user")
      expect(run).not.toHaveEndedBefore("user", "org")
      expect(run).toHaveOverlapped("user", "org")
      expect(run).toHaveRunAtMost(2)
      expect(run).not.toHaveRunAtMost(1)
      expect(run).toHaveRunAtMost(1, ["user"])
      expect(run).toHaveNeverRun("members")
      expect(run).not.toHaveNeverRun("org")
      expect(run).toHaveAttempted("org", 2)
      expect(run).not.toHaveAttempted("org", 1)
      expect(run).toHaveEndedAs("user", "Succeeded")
      expect(run).not.toHaveEndedAs("user", "Failed")
      expect(run).toHaveSkipped("members")
      expect(run).toHaveSkipped("members", { because: "org" })
      expect(run).not.toHaveSkipped("members", { because: "user" })
      expect(run).not.toHaveSkipped("user")
    })
  )

  it.effect("tell what was expected, what became of the resource, and what ran when", () =>
    Effect.gen(function* () {
      const run = yield* recorded(Loader.load(page))
      const expecting = (expectation: () => void) => story(expectation).replace(`\n\n${timeline}`, "\n(timeline)")
      const user = '"user" started at 0ms, succeeded at 15ms'
      const org = '"org" started at 0ms, failed at 90ms: 2 attempts, NotFound {"id":"acme"}'
      const members = '"members" never ran: skipped because of org'
      const told: ReadonlyArray<readonly [() => void, string]> = [
        [
          () => expect(run).toHaveStartedBefore("members", "user"),
          `expected "members" to have started before "user"\n${members}\n${user}`
        ],
        [
          () => expect(run).toHaveEndedBefore("user", "org"),
          `expected "user" to have ended before "org" started\n${user}\n${org}`
        ],
        [
          () => expect(run).not.toHaveOverlapped("user", "org"),
          `expected "user" and "org" not to have overlapped\n${user}\n${org}`
        ],
        [() => expect(run).toHaveRunAtMost(1), "expected the runs to have run at most 1 at once\n2 ran at once"],
        [
          () => expect(run).toHaveRunAtMost(0, ["user", "members"]),
          'expected "user", "members" to have run at most 0 at once\n1 ran at once'
        ],
        [() => expect(run).toHaveNeverRun("user"), `expected "user" to have never run\n${user}`],
        [() => expect(run).toHaveAttempted("org", 1), `expected "org" to have had 1 attempt\nit had 2\n${org}`],
        [
          () => expect(run).toHaveEndedAs("members", "Failed"),
          `expected "members" to have ended as Failed\n${members}`
        ],
        [() => expect(run).toHaveSkipped("org"), `expected "org" to have been skipped\n${org}`],
        [
          () => expect(run).toHaveSkipped("members", { because: "user" }),
          `expected "members" to have been skipped because of user\n${members}`
        ],
        [
          () => expect(run).toHaveEndedAs("member", "Skipped"),
          'expected "member" to have ended as Skipped\nno run loads "member": there are user, org, members'
        ]
      ]
      for (const [expectation, message] of told) expect(expecting(expectation)).toBe(`${message}\n(timeline)`)
      expect(story(() => expect([]).toHaveEndedAs("org", "Failed"))).toBe(
        'expected "org" to have ended as Failed\nnothing was recorded'
      )
      const { events } = yield* recorded(Effect.andThen(Loader.settle(page), Loader.settle(page)))
      expect(story(() => expect(events).toHaveAttempted("user", 3))).toMatch(
        new RegExp(`^expected "user" to have had 3 attempts\nit had 2\n${user}\n${user}\n\n"page"`)
      )
    })
  )
})
