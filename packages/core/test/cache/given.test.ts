/** Keys and loads that a caller gives to a cache, and every value that untyped code may give in their place. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Request, RequestResolver } from "effect"
import fc from "fast-check"
import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
import { untilHandled, withoutUnhandledRejections } from "../unhandledRejections.ts"

class Users extends ResourceCache.Service<Users>()("app/Users") {}

class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string> {}
const resolver = RequestResolver.fromFunction<GetUser>(({ request }) => `user ${request.id}`)

/** Makes any value but a string. */
const makeNoString: fc.Arbitrary<() => unknown> = fc.oneof(
  fc
    .anything()
    .filter((value) => typeof value !== "string")
    .map((value) => () => value),
  fc.constant(() => undefined),
  fc.constant(() => Promise.reject(new Error("rejected")))
)

type AnyResource = Resource.Resource<string, unknown, unknown, Users>

const inCache = <A, E>(self: Effect.Effect<A, E, Users>): Effect.Effect<A, E> =>
  Effect.provide(self, Users.layer({ timeToLive: "1 minute" }))

const defectOf = (exit: Exit.Exit<unknown, unknown>): Error => {
  const [reason, ...others] = Exit.isFailure(exit) ? exit.cause.reasons : []
  assert.deepStrictEqual(others, [])
  return reason !== undefined && Cause.isDieReason(reason) ? (reason.defect as Error) : assert.fail("it did not die")
}

/** Each way to declare a key, with the option's name. `load` is called where the resource is loaded. */
const declarations: ReadonlyArray<
  readonly [what: string, option: string, make: (key: () => never, load: () => Effect.Effect<string>) => AnyResource]
> = [
  ["a resource", "key", (key, load) => Resource.make("user", { key, load }).pipe(Policy.cache(Users))],
  [
    "a request",
    "key",
    (key, load) =>
      Resource.fromRequest("user", { key, request: () => new GetUser({ id: 1 }), resolver }).pipe(
        Policy.around("noted", (self) => Effect.andThen(load(), self)),
        Policy.cache(Users)
      )
  ],
  ["a list", "key", (key, load) => Resource.forEach("user", { items: () => [1], key, load }).pipe(Policy.cache(Users))],
  [
    "an item of a list",
    "itemKey",
    (itemKey, load) => Resource.forEach("user", { items: () => [1], itemKey, load, each: Policy.cache(Users) })
  ]
]

describe.each(declarations)("a key of %s", (_what, option, make) => {
  const resultOf = (key: () => unknown): { readonly exit: Exit.Exit<unknown, unknown>; readonly loads: number } => {
    let loads = 0
    const user = make(key as () => never, () => Effect.sync(() => `load ${++loads}`))
    const exit = Effect.runSyncExit(inCache(Loader.load(Loader.make({ user }))))
    return { exit, loads }
  }

  it.effect("that is no string is a defect that names the resource, and nothing is loaded", () =>
    withoutUnhandledRejections(
      Effect.sync(() =>
        fc.assert(
          fc.property(makeNoString, (makeKey) => {
            const { exit, loads } = resultOf(makeKey)
            const { message } = defectOf(exit)
            assert.isTrue(message.startsWith(`resource "user": \`${option}\` gave `), message)
            assert.include(message, " where a string was expected")
            assert.strictEqual(loads, 0)
          })
        )
      )
    )
  )

  it("that is missing says so, and what to do", () => {
    assert.strictEqual(
      defectOf(resultOf(() => undefined).exit).message,
      `resource "user": \`${option}\` gave undefined where a string was expected: did you forget \`return\`?`
    )
  })

  it("that throws is a defect that names the resource, with the error as its cause", () => {
    const thrown = new Error("thrown")
    const { exit, loads } = resultOf(() => {
      throw thrown
    })
    const defect = defectOf(exit)
    assert.strictEqual(defect.message, `resource "user": \`${option}\` threw: Error: thrown`)
    assert.strictEqual(defect.cause, thrown)
    assert.strictEqual(loads, 0)
  })
})

describe("a key that a caller gives to a cache by hand", () => {
  const methods = {
    get: (key: unknown) => Users.get(key as string, Effect.succeed("user")),
    invalidate: (key: unknown) => Users.invalidate(key as string),
    invalidateUnder: (key: unknown) => Users.invalidateUnder(key as string)
  }

  it.effect.each(Object.entries(methods))("is a string, or `%s` dies with the name of the cache", ([method, use]) =>
    withoutUnhandledRejections(
      Effect.sync(() =>
        fc.assert(
          fc.property(makeNoString, (makeKey) => {
            const { message } = defectOf(Effect.runSyncExit(inCache<unknown, never>(use(makeKey()))))
            assert.isTrue(
              message.startsWith(`cache "app/Users": the key of \`${method}\` must be a string, got `),
              message
            )
          })
        )
      )
    )
  )

  it.effect("can be a promise by mistake: its rejection is handled, and is the cause of the defect", () =>
    withoutUnhandledRejections(
      Effect.gen(function* () {
        const key = Promise.reject(new Error("rejected")) as never
        const defect = defectOf(yield* Effect.exit(inCache(Users.get(key, Effect.succeed("user")))))
        assert.strictEqual(defect.message, 'cache "app/Users": the key of `get` must be a string, got a Promise')
        yield* untilHandled
        assert.strictEqual((defect.cause as Error).message, "rejected")
      })
    )
  )
})

describe("a load that a caller gives to a cache by hand", () => {
  it.effect("is an Effect, or `get` dies with the name of the cache, and nothing is remembered", () =>
    withoutUnhandledRejections(
      Effect.sync(() =>
        fc.assert(
          fc.property(makeNoString, (makeLoad) => {
            const wrong = Effect.exit(Users.get("user:1", makeLoad() as Effect.Effect<string>))
            const both = Effect.all([wrong, Users.get("user:1", Effect.succeed("user"))])
            const [exit, value] = Effect.runSync(inCache(both))
            const { message } = defectOf(exit)
            assert.isTrue(message.startsWith('cache "app/Users": the load of `get` gave '), message)
            assert.include(message, " where an Effect was expected")
            assert.strictEqual(value, "user")
          })
        )
      )
    )
  )
})
