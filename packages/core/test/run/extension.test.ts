/** What another package can plug into runs, by an extension of its own. */
import { Cause, Deferred, Effect, Exit, Fiber, Latch } from "effect"
import { Loader, Policy, Resource, Saga } from "effect-loader"
import { extended } from "effect-loader/internal"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { observe } from "../laws/observe.ts"
import { nestedGraph, toNestedLoader } from "../laws/Nest.ts"
import { scenario, toLoader } from "../laws/Scenario.ts"
import { withTime } from "../withTime.ts"
import { Outsider, remembers, retriesAfter, waitsFor } from "./Outsider.ts"

const own = { wait: Effect.yieldNow, ends: <A>(value: A) => Effect.andThen(Effect.yieldNow, Effect.succeed(value)) }

const user = Resource.make("user", { load: () => own.ends("ada") })
const org = Resource.make("org", { load: () => Effect.succeed("acme") })
const page = Resource.make("page", { deps: { user, org }, load: (deps) => own.ends(`${deps.user} of ${deps.org}`) })

/** What a run came to, but for the numbers that each run and each fiber has of its own. */
const anonymous = (ran: Awaited<ReturnType<typeof observe>>): unknown =>
  JSON.parse(JSON.stringify(ran, (key, value) => (key === "run" || key === "fiberId" ? 0 : value)))

describe("an extension of another package", () => {
  it("needs nothing of core but its public entries and `effect-loader/internal`", () => {
    const text = fs.readFileSync(path.join(import.meta.dirname, "Outsider.ts"), "utf8")
    const from = [...text.matchAll(/ from "([^"]+)"$/gm)].map(([, from]) => from)
    expect(from).toEqual(["effect", "effect-loader", "effect-loader/internal"])
  })

  it("changes no event and no result of a generated graph while it does nothing", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const plain = await observe(given)
        const outsider = new Outsider()
        const seen = await observe(given, outsider.around)
        expect(anonymous(seen)).toEqual(anonymous(plain))
        expect(outsider.lines.length).toBeGreaterThan(0)
      }),
      { numRuns: 300 }
    )
  )

  it("changes no outcome of lists, choices and loaders inside while it does nothing", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(nestedGraph(3), fc.boolean(), async (graph, limited) => {
        const settled = async (around: Outsider["around"]) => {
          const settle = withTime(around(Loader.settle(toNestedLoader(graph, { limited }), { x: 0 })))
          const report = await Effect.runPromise(settle.pipe(Effect.provide(TestClock.layer())))
          const outcomes = report.resources.map(({ outcome, resource }) => [resource, outcome._tag])
          return { outcomes, took: report.until - report.startedAt, values: report.values }
        }
        const outsider = new Outsider()
        expect(await settled(outsider.around)).toEqual(await settled((self) => self))
        expect(outsider.lines.length).toBeGreaterThan(0)
      }),
      { numRuns: 100 }
    )
  )

  it("gives what it remembers of a run to the next one, which loads the same values by the rest of the graph", () =>
    fc.assert(
      fc.asyncProperty(scenario, fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }), async (given, isKept) => {
        const settled = async (outsider: Outsider) => {
          const settle = withTime(outsider.around(Loader.settle(toLoader(given))))
          const report = await Effect.runPromise(settle.pipe(Effect.provide(TestClock.layer())))
          return { values: report.values, begun: outsider.lines.filter((line) => line.startsWith("begin")) }
        }
        const first = new Outsider()
        const expected = await settled(first)
        const remembered = new Map([...first.exits].filter(([place]) => isKept[Number(place.split("/")[1])]))
        const next = await settled(new Outsider({ remembered }))
        expect(next.values).toEqual(expected.values)
        expect(next.begun.toSorted()).toEqual(
          expected.begun.filter((line) => !remembered.has(line.slice("begin ".length))).toSorted()
        )
      }),
      { numRuns: 300 }
    ))

  it("reads the beginning and the end of each step, in order", async () => {
    const outsider = new Outsider()
    const failing = Resource.make("failing", { deps: { user }, load: () => Effect.fail("down") })
    const behind = Resource.make("behind", { deps: { failing }, load: () => Effect.succeed(1) })
    const loader = Loader.make({ page, behind }, { name: "shop", concurrency: 1 })
    await Effect.runPromise(outsider.around(Loader.settle(loader)))
    expect(outsider.lines).toEqual([
      "begin shop/user",
      "Succeeded shop/user",
      "begin shop/org",
      "Succeeded shop/org",
      "begin shop/failing",
      "Failed shop/failing",
      "DependencyFailed shop/behind",
      "begin shop/page",
      "Succeeded shop/page"
    ])
  })

  it("holds a failure back until it is told: what runs beside goes on until then", async () => {
    const told = Latch.makeUnsafe()
    const outsider = new Outsider({ failing: (place) => (place === "shop/failing" ? told.await : undefined) })
    const failing = Resource.make("failing", { load: () => Effect.fail("down") })
    const telling = Resource.make("telling", { deps: { page }, load: () => told.open })
    const loader = Loader.make({ failing, telling }, { name: "shop" })
    const exit = await Effect.runPromiseExit(outsider.around(Loader.load(loader)))
    expect(
      Exit.isFailure(exit) && exit.cause.reasons.filter(Cause.isFailReason).map(({ error }) => error)
    ).toMatchObject([{ resource: "failing", error: "down" }])
    const before = outsider.lines.slice(0, outsider.lines.indexOf("Failed shop/failing"))
    expect(before).toEqual(expect.arrayContaining(["Succeeded shop/page", "begin shop/telling"]))
  })

  it("lets a load that holds a failure back be interrupted", async () => {
    const outsider = new Outsider({ failing: () => Effect.never })
    const failing = Resource.make("failing", { load: () => Effect.fail("down") })
    const load = outsider.around(Loader.load(Loader.make({ failing })))
    const exit = await Effect.runPromise(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(load, { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        return yield* Fiber.await(fiber)
      })
    )
    expect(Exit.hasInterrupts(exit)).toBe(true)
  })

  it("gives a remembered exit: the step runs nothing, and what depends on it goes on from there", async () => {
    const remembered = new Map<string, Exit.Exit<unknown, unknown>>([
      ["shop/user", Exit.succeed("grace")],
      ["shop/gone", Exit.fail("gone")]
    ])
    const outsider = new Outsider({ remembered })
    const gone = Resource.make("gone", { load: (): Effect.Effect<string, string> => own.ends("there") }).pipe(
      Policy.retry({ times: 2 })
    )
    const loader = Loader.make({ page, gone: gone.pipe(Resource.orElseSucceed((error) => error)) }, { name: "shop" })
    const values = await Effect.runPromise(outsider.around(Loader.load(loader as Loader.Loader<unknown, unknown>)))
    expect(values).toEqual({ page: "grace of acme", gone: "gone" })
    expect(outsider.lines.filter((line) => line.startsWith("begin"))).toEqual(["begin shop/org", "begin shop/page"])
  })

  it("gives a remembered exit without a slot, while another step holds the only one back until the next step knows it", async () => {
    const isKnown = Latch.makeUnsafe()
    const slow = Resource.make("slow", { load: () => isKnown.await })
    const seen = user.pipe(
      Resource.map((name) => {
        isKnown.openUnsafe()
        return name
      })
    )
    const remembered = new Map([["one slot/user", Exit.succeed("ada")]])
    const outsider = new Outsider({ remembered })
    const load = Loader.load(Loader.make({ slow, seen }, { name: "one slot", concurrency: 1 }))
    const values = await Effect.runPromise(outsider.around(Effect.timeout(load, "10 seconds")))
    expect(values.seen).toBe("ada")
    expect(outsider.lines.filter((line) => line.startsWith("begin"))).toEqual(["begin one slot/slow"])
  })

  it("gives a remembered value by a policy, in whose place nothing piped before runs, and which takes no slot", async () => {
    const outsider = new Outsider()
    const known = Resource.make("known", { load: () => Effect.die("loaded again") }).pipe(remembers("from before"))
    const held = Deferred.makeUnsafe<void>()
    const slow = Resource.make("slow", { load: () => Deferred.await(held) })
    const after = Resource.make("after", { deps: { known }, load: ({ known }) => Effect.succeed(known) }).pipe(
      remembers(1)
    )
    const loader = Loader.make({ slow, after }, { name: "shop", concurrency: 1 })
    const load = Loader.load(loader as Loader.Loader<unknown>)
    await Effect.runPromise(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(outsider.around(load), { startImmediately: true })
        expect(outsider.lines).toContain("Succeeded shop/after")
        yield* Deferred.succeed(held, undefined)
        expect(yield* Fiber.join(fiber)).toMatchObject({ after: 1 })
      })
    )
    expect(outsider.facts.filter(([, fact]) => fact._tag === "AttemptStarted").map(([place]) => place)).toEqual([
      "shop/slow"
    ])
  })

  it("has what undoes a remembered value run when the load fails", async () => {
    const calls: Array<string> = []
    const outsider = new Outsider()
    const seat = Resource.make(
      "seat",
      { load: (): Effect.Effect<string> => Effect.die("loaded again") },
      Saga.compensate((value) => Effect.sync(() => calls.push(`free ${value}`)))
    ).pipe(Policy.retry({ times: 2 }), remembers("12A"))
    const seats = Resource.forEach("seats", {
      deps: { seat },
      items: () => [1, 2],
      load: (n) => Effect.succeed(n),
      each: remembers("13B")
    })
    const paid = Resource.make("paid", { deps: { seat, seats }, load: () => Effect.fail("no money") })
    await Effect.runPromiseExit(outsider.around(Loader.load(Loader.make({ paid }))))
    expect(calls).toEqual(["free 12A"])
    expect(outsider.undone).toEqual(["undo seat: Success"])
  })

  it("wraps each undo, those of loaders inside and cleanups included", async () => {
    const outsider = new Outsider()
    const flight = Resource.make(
      "flight",
      { load: () => Effect.succeed(1) },
      Saga.compensate(() => Effect.void)
    )
    const hotel = Resource.make(
      "hotel",
      { load: () => Effect.succeed(2) },
      Saga.compensate(() => Effect.fail("closed"))
    )
    const trip = Resource.fromLoader("trip", Loader.make({ flight, hotel }, { name: "inner" }))
    const paid = Resource.make(
      "paid",
      { deps: { trip }, load: () => Effect.fail("no money") },
      Saga.cleanup(() => Effect.void)
    )
    const loader = Loader.make({ paid }, { onCompensationFailure: () => Effect.void })
    await Effect.runPromiseExit(outsider.around(Loader.load(loader)))
    expect(outsider.undone).toEqual(["cleanup paid: Success", "undo trip/hotel: Failure", "undo trip/flight: Success"])
  })

  it("reads the facts of policies, choices and fallbacks", async () => {
    const outsider = new Outsider()
    const flaky = Resource.make("flaky", { load: () => Effect.fail("busy") }).pipe(
      Policy.retry({ times: 1 }),
      Resource.catch(() => own.ends("spare"))
    )
    const choice = Resource.match("choice", { on: Resource.succeed("on", "a"), cases: { a: flaky, b: user } })
    await Effect.runPromise(outsider.around(Loader.load(Loader.make({ choice }, { name: "shop" }))))
    expect(outsider.facts.map(([place, { _tag }]) => `${place} ${_tag}`)).toEqual([
      "shop/choice Chosen",
      "shop/flaky Wanted",
      "shop/flaky Wanted",
      "shop/flaky PoliciesStarted",
      "shop/flaky AttemptStarted",
      "shop/flaky AttemptEnded",
      "shop/flaky RetryScheduled",
      "shop/flaky AttemptStarted",
      "shop/flaky AttemptEnded",
      "shop/flaky FallbackStarted",
      "shop/flaky Degraded"
    ])
  })

  describe("knows when all that runs waits for something outside of the process", () => {
    /** Loads, and says after which lines all that ran was dormant. Each time, one more signal is given. */
    const dormancies = (
      make: (signal: (name: string) => Effect.Effect<void>) => Loader.Loader<unknown, unknown>,
      signals: ReadonlyArray<string>
    ) =>
      Effect.runPromise(
        Effect.gen(function* () {
          const given = new Map(signals.map((name) => [name, Deferred.makeUnsafe<void>()] as const))
          const seen: Array<ReadonlyArray<string>> = []
          const dormant = Latch.makeUnsafe()
          const outsider: Outsider = new Outsider({
            onDormant: () => {
              seen.push(outsider.lines.splice(0))
              dormant.openUnsafe()
            }
          })
          const loader = make((name) => Deferred.await(given.get(name)!))
          const fiber = yield* Effect.forkChild(outsider.around(Loader.load(loader)), { startImmediately: true })
          for (const one of given.values()) {
            yield* dormant.await
            dormant.closeUnsafe()
            yield* Deferred.succeed(one, undefined)
          }
          const exit = yield* Fiber.await(fiber)
          return { exit, seen, last: outsider.lines }
        })
      )

    const signalled = (name: string, signal: (name: string) => Effect.Effect<void>, deps = {}) =>
      Resource.make(name, { deps, load: () => Effect.succeed(name) }).pipe(waitsFor(signal(name)))

    it("and what waits holds no slot, so that the rest runs in the only one there is", async () => {
      const { exit, last, seen } = await dormancies(
        (signal) => {
          const approval = signalled("approval", signal)
          const booked = Resource.make("booked", { deps: { approval, page }, load: () => own.ends("booked") })
          const signature = signalled("signature", signal, { booked })
          return Loader.make({ signature }, { name: "shop", concurrency: 1 })
        },
        ["approval", "signature"]
      )
      expect(seen).toEqual([
        [
          "begin shop/approval",
          "begin shop/user",
          "Succeeded shop/user",
          "begin shop/org",
          "Succeeded shop/org",
          "begin shop/page",
          "Succeeded shop/page"
        ],
        ["Succeeded shop/approval", "begin shop/booked", "Succeeded shop/booked", "begin shop/signature"]
      ])
      expect(last).toEqual(["Succeeded shop/signature"])
      expect(exit).toEqual(Exit.succeed({ signature: "signature" }))
    })

    it("and a wait between two attempts holds no slot either", async () => {
      const { exit, seen } = await dormancies(
        (signal) => {
          let attempts = 0
          const flaky = Resource.make("flaky", {
            load: (): Effect.Effect<number, string> =>
              Effect.suspend(() => (++attempts === 1 ? Effect.fail("busy") : Effect.succeed(attempts)))
          }).pipe(retriesAfter(signal("later")))
          const last = Resource.make("last", { deps: { flaky }, load: () => own.ends("last") })
          return Loader.make({ last, page }, { name: "shop", concurrency: 1 })
        },
        ["later"]
      )
      expect(seen).toHaveLength(1)
      expect(seen[0]![0]).toBe("begin shop/flaky")
      expect(seen[0]).toContain("Succeeded shop/page")
      expect(exit).toEqual(Exit.succeed({ last: "last", page: "ada of acme" }))
    })

    it("in a loader inside, too: not while anything runs around it", async () => {
      const { exit, seen } = await dormancies(
        (signal) => {
          const inner = Loader.make({ approval: signalled("approval", signal), page }, { name: "inner" })
          return Loader.make({ inside: Resource.fromLoader("inside", inner), page }, { name: "outer" })
        },
        ["approval"]
      )
      expect(seen).toHaveLength(1)
      expect(seen[0]).toContain("Succeeded inner/page")
      expect(seen[0]).toContain("Succeeded outer/page")
      expect(exit).toEqual(Exit.succeed({ inside: { approval: "approval", page: "ada of acme" }, page: "ada of acme" }))
    })

    it("when each item of a list does", async () => {
      const { exit, seen } = await dormancies(
        (signal) => {
          const approvals = Resource.forEach("approvals", {
            items: () => [1, 2, 3],
            load: (n) => own.ends(n),
            each: waitsFor(signal("approvals"))
          })
          return Loader.make({ approvals, page }, { name: "shop", concurrency: 1 })
        },
        ["approvals"]
      )
      expect(seen).toHaveLength(1)
      expect(seen[0]).toContain("Succeeded shop/page")
      expect(exit).toEqual(Exit.succeed({ approvals: [1, 2, 3], page: "ada of acme" }))
    })
  })

  it("reaches the runs of a loader that brings it, and not those inside", async () => {
    const outsider = new Outsider()
    const inside = Resource.fromLoader("inside", Loader.make({ page }, { name: "inner" }))
    const loader = extended(Loader.make({ inside }, { name: "outer" }), outsider.extension)
    await Effect.runPromise(Loader.load(loader))
    expect(outsider.lines).toEqual(["begin outer/inside", "Succeeded outer/inside"])
  })

  it("sees all that another one beside it sees", async () => {
    const seen: Array<string> = []
    const [first, second] = ["first", "second"].map(
      (name) => new Outsider({ onDormant: () => void seen.push(name) }, name)
    ) as [Outsider, Outsider]
    const approval = Resource.make("approval", { load: () => Effect.succeed("yes") }).pipe(waitsFor(Effect.yieldNow))
    const load = Loader.load(Loader.make({ approval, org }, { name: "shop" }))
    await Effect.runPromise(first.around(second.around(load)))
    expect(second.lines).toEqual(first.lines)
    expect(second.facts).toEqual(first.facts)
    expect(first.lines).toContain("Succeeded shop/approval")
    expect(seen.toSorted()).toEqual(["first", "second"])
  })

  it("is there once where a loader and the context both bring it", async () => {
    const outsider = new Outsider()
    const loader = extended(Loader.make({ org }, { name: "shop" }), outsider.extension)
    await Effect.runPromise(outsider.around(Loader.load(loader)))
    expect(outsider.lines).toEqual(["begin shop/org", "Succeeded shop/org"])
  })
})
