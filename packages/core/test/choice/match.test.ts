/** Choices: one of several resources. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { Loader, MatchError, Plan, Report, Resource } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import { withTime } from "../withTime.ts"

const kind = Resource.input<"free" | "pro">()("kind")

const slow = <const Name extends string>(name: Name, millis: number, deps: Record<string, Resource.Any> = {}) =>
  Resource.make(name, { deps, load: () => Effect.as(Effect.sleep(millis), name) })

const price = slow("price", 10)
const invoice = slow("invoice", 10, { price })
const limits = slow("limits", 20)
const footer = Resource.match("footer", { on: kind, cases: { free: limits, pro: invoice } })

const outcomes = (report: Report.Report<unknown>) =>
  Object.fromEntries(
    report.resources.map(({ outcome, resource }) => [
      resource,
      outcome._tag === "Skipped"
        ? `${outcome.because._tag} ${"resource" in outcome.because ? outcome.because.resource : ""}`
        : outcome._tag
    ])
  )

describe("Resource.match", () => {
  it.effect("loads what was chosen and what that needs, and tells of the rest that it was not chosen", () =>
    Effect.gen(function* () {
      const page = Loader.make({ footer })
      const free = yield* withTime(Loader.settle(page, { kind: "free" }))
      assert.deepStrictEqual(free.values, { footer: "limits" })
      assert.deepStrictEqual(outcomes(free), {
        limits: "Succeeded",
        price: "NotChosen footer",
        invoice: "NotChosen footer",
        footer: "Succeeded"
      })
      assert.strictEqual(Report.get(free, "footer")?.chosen, "limits")
      const pro = yield* withTime(Loader.loadWithReport(page, { kind: "pro" }))
      assert.deepStrictEqual(pro.report.values, { footer: "invoice" })
    })
  )

  it.effect("what others need is loaded at once, whatever is chosen", () =>
    Effect.gen(function* () {
      const decide = Resource.make("decide", { load: () => Effect.as(Effect.sleep(50), "free" as "free" | "pro") })
      const choice = Resource.match("choice", { on: decide, cases: { free: limits, pro: invoice } })
      const report = yield* withTime(Loader.settle(Loader.make({ choice, price })))
      assert.deepStrictEqual(Report.get(report, "price")?.startedAt, report.startedAt)
      assert.strictEqual(Report.get(report, "limits")!.startedAt! - report.startedAt, 50)
      assert.deepStrictEqual(Report.get(report, "limits")?.phases[0], {
        _tag: "Dependency",
        resource: "decide",
        from: report.startedAt,
        to: report.startedAt + 50
      })
    })
  )

  it.effect("a boolean and a number decide as well, and other values go to `orElse`", () =>
    Effect.gen(function* () {
      const isAdmin = Resource.input<boolean>()("isAdmin")
      const level = Resource.input<number>()("level")
      const tools = Resource.match("tools", {
        on: isAdmin,
        cases: { true: price, false: Resource.succeed("none", "none") }
      })
      const badge = Resource.match("badge", {
        on: level,
        cases: { 1: Resource.succeed("first", "first") },
        orElse: Resource.succeed("other", "other")
      })
      const page = Loader.make({ tools, badge })
      assert.deepStrictEqual(yield* withTime(Loader.load(page, { isAdmin: true, level: 1 })), {
        tools: "price",
        badge: "first"
      })
      assert.deepStrictEqual(yield* Loader.load(page, { isAdmin: false, level: 2 }), { tools: "none", badge: "other" })
    })
  )

  it.effect("a value without a case is a typed error that tells the value and the cases", () =>
    Effect.gen(function* () {
      const color = Resource.input<string>()("color")
      const light = Resource.match("light", { on: color, cases: { red: limits, green: price } })
      const { exit, report } = yield* Loader.loadWithReport(Loader.make({ light }), { color: "blue" })
      const error = yield* Effect.flip(exit)
      assert.instanceOf(error.error, MatchError)
      assert.strictEqual(
        error.message,
        'resource "light" failed (0ms): MatchError: there is no case for "blue": the cases are "red", "green"'
      )
      assert.deepStrictEqual(outcomes(report), { limits: "NotChosen light", price: "NotChosen light", light: "Failed" })
    })
  )

  it.effect("what is no value to decide by, as untyped code may give it, is such an error too", () =>
    Effect.gen(function* () {
      const odd = Resource.input<string>()("odd")
      const light = Resource.match("light", { on: odd, cases: { red: limits } })
      for (const value of [Object.create(null), Symbol("red"), null, undefined]) {
        const error = yield* Effect.flip(Loader.load(Loader.make({ light }), { odd: value }))
        assert.instanceOf(error.error, MatchError)
      }
    })
  )

  it.effect("when the chosen one fails, what depends on the choice is skipped because of it", () =>
    Effect.gen(function* () {
      const broken = Resource.make("broken", { load: () => Effect.andThen(Effect.sleep(5), Effect.fail("down")) })
      const below = Resource.make("below", { deps: { broken }, load: () => Effect.succeed(1) })
      const choice = Resource.match("choice", { on: kind, cases: { free: below, pro: limits } })
      const page = Resource.make("page", { deps: { choice }, load: () => Effect.succeed(1) })
      const loader = Loader.make({ page })
      const report = yield* withTime(Loader.settle(loader, { kind: "free" }))
      assert.deepStrictEqual(outcomes(report), {
        broken: "Failed",
        below: "DependencyFailed broken",
        limits: "NotChosen choice",
        choice: "DependencyFailed broken",
        page: "DependencyFailed broken"
      })
      const error = yield* withTime(Effect.flip(Loader.load(loader, { kind: "free" })))
      assert.deepStrictEqual(error.path, ["page", "choice", "below", "broken"])
      assert.deepStrictEqual(yield* withTime(Loader.load(loader, { kind: "pro" })), { page: 1 })
    })
  )

  it.effect("a failure that had happened before it was chosen fails the load when it is", () =>
    Effect.gen(function* () {
      const decide = Resource.make("decide", { load: () => Effect.as(Effect.sleep(50), "a" as "a" | "b") })
      const broken = Resource.make("broken", { load: () => Effect.andThen(Effect.sleep(5), Effect.fail("down")) })
      const optional = broken.pipe(Resource.option)
      const a = Resource.make("a", { deps: { broken }, load: () => Effect.succeed(1) })
      const choice = Resource.match("choice", { on: decide, cases: { a, b: limits } })
      const { exit, report } = yield* withTime(Loader.loadWithReport(Loader.make({ optional, choice })))
      const error = yield* Effect.flip(exit)
      assert.deepStrictEqual([error.resource, report.until - report.startedAt], ["broken", 50])
      assert.deepStrictEqual(outcomes(report), {
        broken: "Failed",
        decide: "Succeeded",
        a: "DependencyFailed broken",
        limits: "NotChosen choice",
        choice: "DependencyFailed broken"
      })
    })
  )

  it.effect("an optional choice recovers from what it chose", () =>
    Effect.gen(function* () {
      const broken = Resource.make("broken", { load: () => Effect.fail("down") })
      const choice = Resource.match("choice", { on: kind, cases: { free: broken, pro: limits } })
      const page = Loader.make({ choice: choice.pipe(Resource.option({ ancestors: true })), price })
      const values = yield* withTime(Loader.load(page, { kind: "free" }))
      assert.deepStrictEqual(values, { choice: Option.none(), price: "price" })
    })
  )

  it.effect("the fallback of a case runs only when the case is chosen", () =>
    Effect.gen(function* () {
      const runs: Array<string> = []
      const broken = Resource.make("broken", { load: () => Effect.fail("down") })
      const mended = broken.pipe(Resource.catch(() => Effect.sync(() => runs.push("fallback"))))
      const choice = Resource.match("choice", { on: kind, cases: { free: mended, pro: limits } })
      const page = Loader.make({ choice, optional: broken.pipe(Resource.option) })
      yield* withTime(Loader.load(page, { kind: "pro" }))
      assert.deepStrictEqual(runs, [])
      yield* withTime(Loader.load(page, { kind: "free" }))
      assert.deepStrictEqual(runs, ["fallback"])
    })
  )

  it.effect("what only a choice wants never starts before it is chosen, and is never ready otherwise", () =>
    Effect.gen(function* () {
      const { events } = yield* withTime(RunLog.record(Loader.load(Loader.make({ footer }), { kind: "free" })))
      assert.strictEqual(RunLog.attempts(events, "invoice"), 0)
      assert.isFalse(events.some((event) => event._tag === "ResourceReady" && event.resource === "price"))
      assert.deepInclude(
        events.find(({ _tag }) => _tag === "ResourceChosen"),
        { choice: "free", chosen: "limits" }
      )
    })
  )

  it("what it wants and lets go may be as long as it likes: it recurs into nothing", () => {
    const chain = (name: string): Resource.Resource<string, number> => {
      let last: Resource.Resource<string, number> = Resource.make(`${name} 0`, { load: () => Effect.succeed(0) })
      for (let i = 1; i < 10_000; i++) {
        last = Resource.make(`${name} ${i}`, { deps: { last }, load: ({ last }) => Effect.succeed(last + 1) })
      }
      return last
    }
    const long = Resource.match("long", { on: kind, cases: { free: chain("a"), pro: chain("b") } })
    let choices: Resource.Resource<string, number, never, never, { readonly kind: "free" | "pro" }> = long
    for (let i = 0; i < 1000; i++) {
      choices = Resource.match(`choice ${i}`, {
        on: kind,
        cases: { free: choices, pro: Resource.succeed(`s ${i}`, i) }
      })
    }
    const loader = Loader.make({ choices })
    assert.deepStrictEqual(Effect.runSync(Loader.load(loader, { kind: "free" })), { choices: 9999 })
    const report = Effect.runSync(Loader.settle(loader, { kind: "pro" }))
    assert.deepStrictEqual(report.values, { choices: 999 })
    assert.isTrue(report.resources.every(({ outcome }) => outcome._tag === "Succeeded" || outcome._tag === "Skipped"))
  })

  it("its plan tells its cases, and which resources only it can want", () => {
    const plan = Loader.plan(Loader.make({ footer, price }, { name: "page" }))
    assert.strictEqual(
      Plan.toText(plan),
      [
        'plan of "page": 4 resources in 3 batches',
        "     given: kind",
        "  1  price",
        "     limits  only for footer",
        "  2  invoice <- price  only for footer",
        "  3  footer <- kind  chooses limits for free, invoice for pro"
      ].join("\n")
    )
  })
})
