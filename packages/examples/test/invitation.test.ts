/** The tests of a service that loads: each section is one way of testing it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { Loader } from "effect-loader"
import { Fake, Fault, Interruption, Ledger, RunLog, VirtualTime } from "effect-loader/testing"
import "@effect-loader/vitest"
import { Expired, Invitations, People, TeamIsFull, Teams, Unavailable } from "../src/invitation/Backends.ts"
import { from, InvitationPage, seat, team, welcome } from "../src/invitation/InvitationPage.ts"

/** Backends as one has them in tests: in memory, with the latency of the real ones. */
const ledger = Ledger.make()
const Backends = Layer.mergeAll(
  Layer.succeed(Invitations, {
    find: (token) =>
      token === "good"
        ? Effect.delay(Effect.succeed({ token, team: "rockets", from: "ada" }), "20 millis")
        : Effect.fail(new Expired({ token }))
  }),
  Layer.succeed(Teams, {
    nameOf: () => Effect.delay(Effect.succeed("Rockets"), "50 millis"),
    reserveSeat: () => Effect.delay(Effect.as(Ledger.hold(ledger, "seat"), 4), "10 millis")
  }),
  Layer.succeed(People, { nameOf: () => Effect.delay(Effect.succeed("Ada"), "30 millis") })
)
const page = InvitationPage.loader
const record = (token: string) =>
  VirtualTime.run(RunLog.record(Effect.scoped(Loader.load(page, { token })))).pipe(Effect.provide(Backends))

describe("what the page says", () => {
  const says = (values: Parameters<typeof InvitationPage.layerTest>[0]) =>
    VirtualTime.run(welcome("good")).pipe(Effect.provide(InvitationPage.layerTest(values)))

  it.effect("depends on what was loaded, and on nothing else", () =>
    Effect.gen(function* () {
      const good = { team: "Rockets", seat: 4, from: Option.some("Ada") }
      const full = Effect.fail(new TeamIsFull({ team: "rockets" }))
      expect(yield* says(good)).toBe("Ada has invited you to Rockets. Seat 4 is yours.")
      expect(yield* says({ ...good, from: Option.none() })).toBe("You are invited to Rockets. Seat 4 is yours.")
      expect(yield* says({ ...good, seat: full })).toBe("Every seat of this team is taken.")
      expect(yield* says({ ...good, team: Effect.never })).toBe("Please try again in a moment.")
    })
  )

  it.effect("never fails, whatever goes wrong with the invitation", () =>
    Effect.gen(function* () {
      expect(yield* VirtualTime.run(welcome("old"))).toBe("This invitation has expired.")
    }).pipe(Effect.provide(InvitationPage.layer.pipe(Layer.provide(Backends))))
  )
})

describe("what runs", () => {
  it.effect("as early as it can", () =>
    Effect.gen(function* () {
      const { events } = yield* record("good")
      expect(RunLog.timeline(events)).toMatchInlineSnapshot(`
        ""app/InvitationPage" took 70ms
        ✓ invitation  0-20
        ✓ team        20-70
        ✓ seat        20-30
        ✓ from        20-50"
      `)
    })
  )

  it.effect("no seat is reserved for an invitation that has expired", () =>
    Effect.gen(function* () {
      const recorded = yield* record("old")
      expect(recorded).toHaveFailedAt("invitation", Expired)
      expect(recorded).toHaveNeverRun("seat")
    })
  )
})

describe("what goes wrong", () => {
  it.effect("the team is asked three times, the person once", () =>
    Effect.gen(function* () {
      const faulty = page.pipe(
        Fault.inject(team, Fault.hang({ times: 2 })),
        Fault.inject(from, Fault.fail(new Unavailable({ host: "people" })))
      )
      const recorded = yield* VirtualTime.run(RunLog.record(Effect.scoped(Loader.load(faulty, { token: "good" }))))
      expect(recorded).toHaveAttempted("team", 3)
      expect(recorded).toHaveEndedAs("from", "Degraded")
    }).pipe(Effect.provide(Backends))
  )

  it.effect("a team that is full is told of, however slow its directory is", () =>
    Effect.gen(function* () {
      const faulty = page.pipe(
        Loader.override(team, Fake.delay(team, "2 seconds", "Rockets")),
        Loader.override(seat, Fake.fail(seat, new TeamIsFull({ team: "rockets" }), { takes: "1 second" }))
      )
      const recorded = yield* VirtualTime.run(RunLog.record(Effect.scoped(Loader.load(faulty, { token: "good" }))))
      expect(recorded).toHaveFailedAt("seat", { team: "rockets" })
      expect(recorded).toHaveEndedAs("team", "Interrupted")
    }).pipe(Effect.provide(Backends))
  )

  it.effect("whatever goes wrong, the page ends in time, and keeps nothing", () =>
    Fault.atEveryResource(page, (faulty) => Loader.load(faulty, { token: "good" }), {
      ledger,
      errors: {
        invitation: new Expired({ token: "good" }),
        team: new Unavailable({ host: "teams" }),
        seat: new TeamIsFull({ team: "rockets" })
      },
      check: (trial) => {
        expect(trial.hung).toBe(false)
        const lost = trial.resource === "invitation" && trial.fault.kind === "fail"
        if (lost) expect(trial).toHaveFailedAt("invitation", Expired)
        if (lost) expect(trial).toHaveNeverRun("seat")
      }
    }).pipe(Effect.provide(Backends))
  )
})

describe("when somebody leaves the page", () => {
  it.effect("no seat is kept, whenever it is", () =>
    Effect.gen(function* () {
      const load = (probed: Interruption.Probe) => Loader.load(probed(page), { token: "good" })
      expect(yield* Interruption.atEveryStep(load, { ledger })).toBeGreaterThan(20)
    }).pipe(Effect.provide(Backends))
  )
})
