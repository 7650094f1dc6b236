/** Two copies of the library in one process, as package managers and test runners can make them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Request, RequestResolver } from "effect"
import { TestClock } from "effect/testing"
import * as first from "effect-loader"
import { afterAll, vi } from "vitest"

type Library = typeof first

const warnings: Array<unknown> = []
const warn = vi.spyOn(console, "warn").mockImplementation((text: unknown) => void warnings.push(text))
vi.resetModules()
const second: Library = await import("../../src/index.ts")
const second2: Library = (vi.resetModules(), await import("../../src/index.ts"))
warn.mockRestore()
afterAll(() => vi.resetModules())

class Db extends first.Limiter.Service<Db>()("app/Db") {}
class Users extends second.ResourceCache.Service<Users, unknown>()("app/Users") {}

/** Every way to assign the roles of a test, such as declaring and running, to two copies. */
const mixes = [first, second].flatMap((a) => [first, second].map((b) => [a, b] as const))

describe("two copies of the library", () => {
  it("are different modules, and the process gets one warning", () => {
    assert.notStrictEqual(first.ResourceError, second.ResourceError)
    assert.notStrictEqual(second.ResourceError, second2.ResourceError)
    assert.lengthOf(warnings, 1)
    assert.include(String(warnings[0]), "more than once")
  })

  for (const [k, [a, b]] of mixes.entries()) {
    describe(`mixed, ${k}`, () => {
      it.effect("share a limiter: a nested load never waits for the permit of the load around it", () =>
        Effect.gen(function* () {
          const x = a.Resource.make("x", { load: () => Effect.succeed(1) }).pipe(a.Policy.limit(Db))
          const inner = a.Loader.make({ x })
          const outer = b.Resource.make("outer", { load: () => b.Loader.load(inner) }).pipe(b.Policy.limit(Db))
          const load = b.Loader.load(b.Loader.make({ outer }, { timeout: "1 second" }))
          const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(load, Db.layer({ limit: 1 }))))
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(yield* Fiber.join(fiber), Exit.succeed({ outer: { x: 1 } }))
        })
      )

      it.effect("share the batches of a resolver", () =>
        Effect.gen(function* () {
          class Get extends Request.TaggedClass("Get")<{ readonly id: number }, number> {}
          const calls: Array<number> = []
          const resolver = RequestResolver.make<Get>((entries) => {
            calls.push(entries.length)
            for (const entry of entries) entry.completeUnsafe(Exit.succeed(entry.request.id))
            return Effect.void
          })
          const one = a.Resource.fromRequest("one", { request: () => new Get({ id: 1 }), resolver })
          const two = b.Resource.fromRequest("two", { request: () => new Get({ id: 2 }), resolver })
          const loads = [a.Loader.load(a.Loader.make({ one })), b.Loader.load(b.Loader.make({ two }))]
          const fiber = yield* Effect.forkChild(Effect.all(loads, { concurrency: "unbounded" }))
          yield* TestClock.adjust("1 second")
          yield* Fiber.join(fiber)
          assert.deepStrictEqual(calls, [2])
        })
      )

      it.effect("run each other's loaders: dependencies, failures, fallbacks, choices and given values", () =>
        Effect.gen(function* () {
          const id = a.Resource.input<number>()("id")
          const down = b.Resource.make("down", { load: () => Effect.fail("down") })
          const maybe = down.pipe(a.Resource.orElseSucceed(() => "instead"))
          const some = b.Resource.make("some", { deps: { id, maybe }, load: (deps) => Effect.succeed(deps) })
          const chosen = a.Resource.match("chosen", { on: id, cases: { 7: some }, orElse: down })
          const loader = b.Loader.make({ some, chosen })
          const value = { id: 7, maybe: "instead" }
          assert.deepStrictEqual(yield* a.Loader.load(loader, { id: 7 }), { some: value, chosen: value })
          const failing = a.Loader.make({ down })
          const error = yield* Effect.flip(b.Loader.load(failing))
          assert.strictEqual(error.message, 'resource "down" failed (0ms): down')
          const given = b.Loader.override(a.Loader.override(loader, maybe, "given"), some, value)
          assert.deepStrictEqual(yield* a.Loader.load(given, { id: 7 }), { some: value, chosen: value })
        })
      )

      it.effect("observe runs independently, and number runs in one sequence", () =>
        Effect.gen(function* () {
          const one = a.Resource.make("one", { load: () => Effect.succeed(1) })
          const load = (lib: Library) => lib.Loader.load(lib.Loader.make({ one }))
          const runs: Array<ReadonlyArray<number>> = []
          const seen = (lib: Library) => {
            const own: Array<number> = []
            runs.push(own)
            return lib.Observer.layer((event) => void (event._tag === "RunStarted" && own.push(event.run)))
          }
          yield* Effect.all([load(a), load(b)]).pipe(Effect.provide(Layer.mergeAll(seen(a), seen(b), seen(b))))
          assert.lengthOf(new Set(runs[0]), 2)
          assert.deepStrictEqual(runs, [runs[0]!, runs[0]!, runs[0]!])
        })
      )

      it.effect("find a value in a cache by the same identity", () =>
        Effect.gen(function* () {
          const values = [() => 1, () => 2]
          const call = ({ opaque }: { readonly opaque: () => number }) => Effect.succeed(opaque())
          const load = (lib: Library, value: () => number) => {
            const opaque = lib.Resource.succeed("opaque", value)
            const cached = lib.Resource.make("cached", { deps: { opaque }, load: call }).pipe(lib.Policy.cache(Users))
            return Effect.map(lib.Loader.load(lib.Loader.make({ cached })), ({ cached }) => cached)
          }
          const loads = [load(a, values[0]!), load(b, values[1]!), load(b, values[0]!)]
          assert.deepStrictEqual(
            yield* Effect.provide(Effect.all(loads), Users.layer({ timeToLive: "1 hour" })),
            [1, 2, 1]
          )
        })
      )
    })
  }
})
