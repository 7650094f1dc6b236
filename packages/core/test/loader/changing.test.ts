/** Loaders with something changed: what is replaced or given does not run, and neither does what only it needed. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Option } from "effect"
import { GraphError, Loader, Plan, Policy, Report, Resource } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import { withTime } from "../withTime.ts"

class Down extends Data.TaggedError("Down")<{}> {}

const orgId = Resource.input<string>()("orgId")
const org = Resource.make("org", {
  deps: { orgId },
  load: ({ orgId }): Effect.Effect<{ readonly id: string; readonly seats: number }, Down> =>
    orgId === "" ? Effect.fail(new Down()) : Effect.succeed({ id: orgId, seats: 3 })
})
const seats = org.pipe(Resource.map(({ seats }) => seats))
const members = Resource.make("members", { deps: { org }, load: ({ org }) => Effect.succeed([`ada of ${org.id}`]) })
const user = Resource.make("user", { load: () => Effect.succeed("ada") })
const page = Loader.make({ org, seats, members, user }, { name: "page" })

const names = (loader: Parameters<typeof Loader.plan>[0]): ReadonlyArray<string> =>
  Loader.plan(loader).resources.map(({ name }) => name)

const problem = (make: () => unknown): string => {
  try {
    make()
  } catch (error) {
    if (error instanceof GraphError) return error.message
  }
  return "nothing was thrown"
}

describe("Loader.override", () => {
  it.effect("puts a value in a resource's place, wherever it is needed, and prunes what only it needed", () =>
    Effect.gen(function* () {
      const loader = page.pipe(Loader.override(org, { id: "acme", seats: 7 }))
      const { events, exit } = yield* RunLog.record(Loader.load(loader, { orgId: "unused" }))
      assert.deepStrictEqual(yield* exit, {
        org: { id: "acme", seats: 7 },
        seats: 7,
        members: ["ada of acme"],
        user: "ada"
      })
      assert.strictEqual(RunLog.attempts(events, "org"), 0)
      assert.notInclude(names(loader), "orgId")
      const untyped = Loader.load(loader as unknown as Loader.Loader<{ readonly seats: number }>)
      assert.strictEqual((yield* untyped).seats, 7)
    })
  )

  it.effect("takes an effect, a function of the same dependencies, or another resource", () =>
    Effect.gen(function* () {
      const effect = Loader.override(page, org, Effect.succeed({ id: "effect", seats: 1 }))
      assert.deepStrictEqual((yield* Loader.load(effect, { orgId: "" })).members, ["ada of effect"])
      const f = Loader.override(page, org, ({ orgId }) => Effect.succeed({ id: `f of ${String(orgId)}`, seats: 1 }))
      assert.deepStrictEqual((yield* Loader.load(f, { orgId: "x" })).members, ["ada of f of x"])
      const token = Resource.input<string>()("token")
      const other = Resource.make("org", {
        deps: { token },
        load: ({ token }) => Effect.succeed({ id: token, seats: 2 })
      })
      const resource = Loader.override(page, org, other)
      assert.deepStrictEqual((yield* Loader.load(resource, { orgId: "", token: "t" })).members, ["ada of t"])
      assert.include(names(resource), "token")
    })
  )

  it.effect("keeps the views of what it replaces, and drops its policies", () =>
    Effect.gen(function* () {
      const flaky = org.pipe(Policy.retry({ times: 3 }))
      const loader = Loader.make({ org: flaky.pipe(Resource.option) })
      const failing = Loader.override(loader, flaky, Effect.fail(new Down()))
      const { events, exit } = yield* RunLog.record(Loader.load(failing, { orgId: "" }))
      assert.isTrue(Option.isNone((yield* exit).org))
      assert.strictEqual(RunLog.attempts(events, "org"), 1)
      assert.deepStrictEqual(Plan.get(Loader.plan(failing), "org")?.around, [])
    })
  )

  it.effect("leaves the loader as it was, and can be done again", () =>
    Effect.gen(function* () {
      const once = Loader.override(page, org, { id: "once", seats: 1 })
      const twice = Loader.override(Loader.override(once, org, { id: "twice", seats: 2 }), user, "bob")
      const loaded = (loader: typeof page) =>
        Effect.map(Loader.load(loader, { orgId: "real" }), ({ members, user }) => [...members, user])
      assert.deepStrictEqual(yield* loaded(page), ["ada of real", "ada"])
      assert.deepStrictEqual(yield* loaded(once), ["ada of once", "ada"])
      assert.deepStrictEqual(yield* loaded(twice), ["ada of twice", "bob"])
    })
  )

  it("refuses what the loader does not load, another name, and a graph that is not sound", () => {
    const other = Resource.make("other", { load: () => Effect.succeed(1) })
    assert.strictEqual(
      problem(() => Loader.override(page, other, 2)),
      '1 problem in the graph of loader "page":\n' +
        '  - the override of "other" has nothing to replace: the loader does not load it'
    )
    const misnamed = Resource.make("organization", { load: () => Effect.succeed({ id: "", seats: 0, name: "org" }) })
    assert.include(
      problem(() => Loader.override(page, org, misnamed as never)),
      'the replacement of "org" cannot be called'
    )
    const cyclic: Resource.Resource<"org", { readonly id: string; readonly seats: number }> = Resource.make("org", {
      deps: () => ({ members: cyclicMembers }),
      load: () => Effect.succeed({ id: "", seats: 0 })
    })
    const cyclicMembers: Resource.Resource<"members", ReadonlyArray<string>> = members as never
    assert.include(
      problem(() => Loader.override(page, org, cyclic)),
      "cycle: org -> members -> org"
    )
  })
})

describe("Loader.withValues", () => {
  it.effect("gives values for targets: they do not run, nor what only they needed", () =>
    Effect.gen(function* () {
      const given = Loader.withValues(page, { org: { id: "acme", seats: 9 }, user: "bob" })
      const { events, exit } = yield* RunLog.record(Loader.load(given, { orgId: "unused" }))
      assert.deepStrictEqual(yield* exit, {
        org: { id: "acme", seats: 9 },
        seats: 9,
        members: ["ada of acme"],
        user: "bob"
      })
      assert.strictEqual(RunLog.attempts(events, "org"), 0)
      assert.strictEqual(RunLog.attempts(events, "user"), 0)
      assert.notInclude(names(given), "orgId")
    })
  )

  it.effect("gives a view alone where the target is one: others go on with the resource itself", () =>
    Effect.gen(function* () {
      const { events, exit } = yield* RunLog.record(
        Loader.load(page.pipe(Loader.withValues({ seats: 100 })), { orgId: "acme" })
      )
      assert.deepInclude(yield* exit, { seats: 100, members: ["ada of acme"] })
      assert.strictEqual(RunLog.attempts(events, "org"), 1)
    })
  )

  it.effect("is compiled once for each set of targets, and can be given more", () =>
    Effect.gen(function* () {
      const first = Loader.withValues(page, { user: "a" })
      const second = Loader.withValues(page, { user: "b" })
      assert.strictEqual(Loader.plan(first), Loader.plan(second))
      assert.strictEqual((yield* Loader.load(first, { orgId: "x" })).user, "a")
      assert.strictEqual((yield* Loader.load(second, { orgId: "x" })).user, "b")
      const more = Loader.withValues(second, { org: { id: "y", seats: 1 } })
      assert.deepInclude(yield* Loader.load(more, { orgId: "x" }), { user: "b", members: ["ada of y"] })
    })
  )

  it("refuses keys that are no targets", () => {
    assert.include(
      problem(() => Loader.withValues(page, { nobody: 1 } as never)),
      'the value for target "nobody" has nothing to replace: the loader does not load it'
    )
  })
})

describe("Loader.merge", () => {
  it.effect("loads the targets of both, and once what both need", () =>
    Effect.gen(function* () {
      const left = Loader.make({ members }, { name: "left", concurrency: 4, timeout: "2 seconds" })
      const right = Loader.make({ org, user }, { name: "right", concurrency: 2 })
      const both = Loader.merge(left, right)
      const report = yield* withTime(Loader.settle(both, { orgId: "acme" }))
      assert.deepStrictEqual(Object.keys(report.values).sort(), ["members", "org", "user"])
      assert.strictEqual(Report.get(report, "org")?.attempts, 1)
      const { concurrency, loader, timeout } = Loader.plan(both)
      assert.deepStrictEqual([loader, concurrency, timeout], ["left + right", 2, 2000])
      assert.strictEqual(Loader.plan(left.pipe(Loader.merge(right, { name: "page" }))).loader, "page")
    })
  )

  it.effect("refuses clashing keys, unless they are renamed on purpose", () =>
    Effect.gen(function* () {
      const author = Resource.make("author", { load: () => Effect.succeed("grace") })
      const left = Loader.make({ user })
      const right = Loader.make({ user: author })
      assert.include(
        problem(() => Loader.merge(left, right)),
        'both loaders have a target "user", and not the same'
      )
      const both = Loader.merge(left, right, { rename: { user: "author" } })
      const loaded: { readonly user: string; readonly author: string } = yield* Loader.load(both)
      assert.deepStrictEqual(loaded, { user: "ada", author: "grace" })
      assert.deepStrictEqual(yield* Loader.load(Loader.merge(left, Loader.make({ user }))), { user: "ada" })
    })
  )

  it.effect("keeps what was changed in either, and asks where the two leave no choice", () =>
    Effect.gen(function* () {
      const left = Loader.override(Loader.make({ members }), org, { id: "acme", seats: 1 })
      const right = Loader.withValues(Loader.make({ user }), { user: "bob" })
      assert.deepStrictEqual(yield* Loader.load(Loader.merge(left, right), { orgId: "unused" }), {
        members: ["ada of acme"],
        user: "bob"
      })
      const other = Loader.override(Loader.make({ org }), org, { id: "other", seats: 1 })
      assert.include(
        problem(() => Loader.merge(left, other)),
        'duplicate name "org"'
      )
      const batched = Loader.make({ user }, { scheduling: "batched", policy: Policy.timeout(10) })
      const message = problem(() => Loader.merge(left, batched))
      assert.include(message, 'option "scheduling": expected the one that both are to have')
      assert.include(message, 'option "policy": expected the one that both are to have')
      const chosen = { scheduling: "eager", policy: Policy.timeout(10) } as const
      assert.deepInclude(yield* Loader.load(Loader.merge(left, batched, chosen), { orgId: "" }), { user: "ada" })
    })
  )
})
