/** Data between processes: decoded reports and events answer all questions, and bad input has a clear error. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Effect, Result, Schema } from "effect"
import { Loader, Report, Resource, ResourceError, type RunEvent } from "effect-loader"
import * as Wire from "effect-loader/wire"
import fc from "fast-check"
import { expect } from "vitest"
import { observe } from "../laws/observe.ts"
import { scenario } from "../laws/Scenario.ts"
import { withTime } from "../withTime.ts"
import { hostileNames } from "../observe/hostile.ts"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}

const sent = (report: Report.Report<unknown>): Report.Report =>
  Result.getOrThrow(Wire.reportFromJson(Wire.reportToJson(report)))

const sentEvent = (event: RunEvent.RunEvent): RunEvent.RunEvent =>
  Result.getOrThrow(Wire.eventFromJson(Wire.eventToJson(event)))

const problem = (text: string): string =>
  Result.match(Wire.reportFromJson(text), { onSuccess: () => "no problem", onFailure: ({ message }) => message })

describe("Wire", () => {
  it("a decoded report equals the original, for every generated run", { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { events } = await observe(given)
        const cut = events.slice(0, Math.ceil(events.length / 2))
        for (const report of [Report.fromEvents(events)!, Report.fromEvents(cut)!]) {
          const received = sent(report)
          assert.deepStrictEqual(received.plan, report.plan)
          assert.deepStrictEqual(
            received.resources.map(({ outcome: { _tag }, ...row }) => ({ ...row, _tag })),
            report.resources.map(({ outcome: { _tag }, ...row }) => ({ ...row, _tag }))
          )
          for (const show of [Report.toWaterfall, Report.toSummary, Report.toChromeTrace]) {
            assert.strictEqual(show(received), show(report))
          }
          assert.strictEqual(Wire.reportToJson(received), Wire.reportToJson(report))
        }
      }),
      { numRuns: 200 }
    )
  )

  it("decoded events make the same report, for every generated run", { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { events } = await observe(given)
        const lines = events.map(Wire.eventToJson)
        for (const line of lines) assert.notInclude(line, "\n")
        const received = Report.fromEvents(events.map(sentEvent))!
        assert.strictEqual(Report.toWaterfall(received), Report.toWaterfall(Report.fromEvents(events)!))
        assert.deepStrictEqual(events.map(sentEvent).map(Wire.eventToJson), lines)
      }),
      { numRuns: 200 }
    )
  )

  it.effect("errors stay errors, causes stay causes, in their order", () =>
    Effect.gen(function* () {
      const failing = Resource.make("failing", {
        load: () => Effect.fail(new NotFound({ id: "acme" }))
      })
      const report = yield* withTime(Loader.settle(Loader.make({ failing })))
      const outcome = Report.outcome(sent(report), "failing")
      const error = outcome?._tag === "Failed" ? outcome.cause.reasons.find(Cause.isFailReason)?.error : undefined
      assert.instanceOf(error, ResourceError)
      const { attempts, error: inner, path, resource } = error as ResourceError<string, NotFound>
      assert.deepStrictEqual(
        [resource, attempts, path, inner._tag, inner.id],
        ["failing", 1, ["failing"], "NotFound", "acme"]
      )

      const cause = Cause.fromReasons<unknown>([
        ...Cause.fail(new Error("outer", { cause: new TypeError("inner") })).reasons,
        ...Cause.die("a defect").reasons,
        ...Cause.interrupt(7).reasons
      ])
      const event = sentEvent({ _tag: "ResourceDied", run: 1, at: 2, resource: "r", cause })
      assert.deepStrictEqual(event._tag === "ResourceDied" ? event.cause.reasons.map(({ _tag }) => _tag) : [], [
        "Fail",
        "Die",
        "Interrupt"
      ])
      const [fail] = event._tag === "ResourceDied" ? event.cause.reasons : []
      const outer = fail?._tag === "Fail" ? (fail.error as Error) : new Error("none")
      assert.deepStrictEqual([outer.message, (outer.cause as Error).name], ["outer", "TypeError"])
    })
  )

  it("encoding never throws, for any errors", () => {
    const circular: Record<string, unknown> = { name: "loop" }
    circular["self"] = circular
    const angry = {
      get field() {
        throw new Error("no")
      }
    }
    const unreadable = new Proxy({}, { ownKeys: () => assert.fail("no") })
    let deep: unknown = "deep"
    for (let i = 0; i < 50; i++) deep = { deep }
    const odd: ReadonlyArray<unknown> = [
      circular,
      angry,
      unreadable,
      deep,
      1n,
      Symbol("s"),
      () => 1,
      undefined,
      null,
      NaN,
      Infinity,
      new Date(0),
      new Date(NaN),
      new Map([["a", new Set([1])]]),
      Array.from({ length: 5000 }, (_, i) => i),
      "x".repeat(20_000),
      JSON.parse('{"__proto__": {"polluted": true}, "~error": 1}'),
      Object.assign(new Error("fields"), { code: 7, message: 8 })
    ]
    const written = odd.map((error) => {
      const event: RunEvent.RunEvent = { _tag: "ResourceDegraded", run: 1, at: 0, resource: "r", fallback: "f", error }
      const received = sentEvent(event)
      assert.strictEqual(Wire.eventToJson(received), Wire.eventToJson(sentEvent(received)))
      return Wire.eventToJson(event).slice(0, 200)
    })
    assert.notProperty({}, "polluted")
    return expect(`${written.join("\n")}\n`).toMatchFileSnapshot("../golden/wire-odd.ndjson")
  })

  it.effect("infinite numbers survive, values are left out, and names are unchanged", () =>
    Effect.gen(function* () {
      const secret = Resource.make("secret", { load: () => Effect.succeed("hunter2") })
      const named = hostileNames.map((name, i) => [`t${i}`, Resource.make(name, { load: () => Effect.void })])
      const targets: Record<string, Resource.Any> = { secret, ...Object.fromEntries(named) }
      const report = yield* withTime(Loader.settle(Loader.make(targets) as Loader.Loader<Record<string, unknown>>))
      const text = Wire.reportToJson(report)
      assert.notInclude(text, "hunter2")
      assert.notInclude(text, "</script>")
      assert.deepStrictEqual(sent(report).values, {})
      assert.deepStrictEqual(
        sent(report).resources.map(({ resource }) => resource),
        ["secret", ...hostileNames]
      )
      const limit = { _tag: "Slot", concurrency: Infinity } as const
      const queued = { _tag: "ResourceQueued", run: 1, at: 0.125, resource: "r", attempt: 1, limit } as const
      assert.deepStrictEqual(sentEvent(queued), queued)
    })
  )

  it("bad input is an error that says what is wrong, and where", () => {
    const report = Effect.runSync(Loader.settle(Loader.make({ a: Resource.make("a", { load: () => Effect.void }) })))
    const good = JSON.parse(Wire.reportToJson(report))
    assert.include(problem("{"), "this is not a report: ")
    assert.include(problem("{}"), '["version"]')
    assert.include(
      problem(JSON.stringify({ ...good, version: 2 })),
      "it has version 2, and this library reads versions up to 1"
    )
    good.value.resources[0].attempts = "many"
    assert.include(problem(JSON.stringify(good)), '["resources"][0]["attempts"]')
    const event = Wire.eventFromJson(JSON.stringify({ version: 1, value: { _tag: "Nonsense" } }))
    assert.include(Result.isFailure(event) ? event.failure.message : "", "this is not an event: ")
  })

  it("has schemas that other schemas can contain", () => {
    const Saved = Schema.Struct({ at: Schema.String, report: Wire.Report })
    const report = Effect.runSync(Loader.settle(Loader.make({ a: Resource.make("a", { load: () => Effect.void }) })))
    const saved = { at: "today", report: { ...report, values: {} } }
    const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(Schema.toCodecJson(Saved))(saved)))
    assert.strictEqual(Schema.decodeUnknownSync(Schema.toCodecJson(Saved))(json).report.loader, "anonymous")
  })
})
