/** What programs without types are told of the mistakes of `mistakes.ts`. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Schedule } from "effect"
import { Limiter, Loader, Policy, Resource, ResourceCache } from "effect-loader"

class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
class Users extends ResourceCache.Service<Users>()("app/Users") {}

const load = () => Effect.void
const orgId = Resource.input<string>()("orgId")
const org = Resource.make("org", { deps: { orgId }, load: ({ orgId }) => Effect.succeed({ id: orgId }) })
const user = Resource.make("user", { load: () => Effect.succeed("ada") })
const plan = Resource.input<"free" | "pro">()("plan")
const page = Loader.make({ org }, { name: "page" })

const untyped = (value: unknown): never => value as never

const dependsOn = (deps: unknown) => Loader.make({ x: Resource.make("x", { deps: untyped(deps), load }) })

const needsKeys = (what: string) => `an object of resources was expected, by local key, and ${what} came`

const mistakes: ReadonlyArray<readonly [what: string, run: () => unknown, says: string]> = [
  ["inputs that are forgotten", () => Loader.load(untyped(page)), 'loader "page" was run without its input "orgId"'],
  [
    "inputs that are forgotten in a pipe",
    () => page.pipe(Loader.load as never),
    'loader "page" was run without its input "orgId"'
  ],
  ["a wrong key of inputs", () => Loader.load(page, untyped({ org: "acme" })), 'without its input "orgId"'],
  [
    "a resource that is loaded",
    () => Loader.load(untyped(user)),
    "a loader is needed, got a resource: Loader.make({ user })"
  ],
  [
    "a resource that is loaded, with inputs",
    () => Loader.load(untyped(org), { orgId: "acme" }),
    "a loader is needed, got a resource: Loader.make({ org })"
  ],
  [
    "a resource that is settled",
    () => Loader.settle(untyped(user)),
    "a loader is needed, got a resource: Loader.make({ user })"
  ],
  ["dependencies in a list", () => dependsOn([org]), needsKeys("an Array")],
  ["dependencies as an Effect", () => dependsOn(Effect.succeed({ org })), needsKeys("an Effect")],
  ["dependencies as a Promise", () => dependsOn(Promise.resolve({ org })), needsKeys("a Promise")],
  ["one resource as dependencies", () => dependsOn(org), needsKeys("a resource")],
  ["one resource as targets", () => Loader.make(untyped(org)), needsKeys("a resource")],
  [
    "an Effect among the dependencies",
    () => dependsOn({ name: Effect.succeed("acme") }),
    'dependency "name" of "x" is not a resource but an Effect'
  ],
  [
    "a Promise among the dependencies",
    () => dependsOn({ name: Promise.resolve("acme") }),
    'dependency "name" of "x" is not a resource but a Promise'
  ],
  [
    "a loader among the dependencies",
    () => dependsOn({ page }),
    'dependency "page" of "x" is not a resource but a loader'
  ],
  [
    "an input that is called once",
    () => Loader.make({ x: Resource.input(untyped("x")) }),
    'target "x" is not a resource but a function'
  ],
  [
    "a load that gives a value",
    () => Loader.load(Loader.make({ x: Resource.make("x", { load: untyped(() => 1) }) })),
    'resource "x": `load` gave the number 1 where an Effect was expected: wrap a value in Effect.succeed'
  ],
  [
    "a retry with a number",
    () => Policy.retry(untyped(3)),
    "Policy.retry needs an object, as in Policy.retry({ times: 3 }), got the number 3"
  ],
  ["a retry with nothing", () => Policy.retry(untyped(undefined)), "Policy.retry({ times: 3 }), got undefined"],
  [
    "a retry with a schedule",
    () => Policy.retry(untyped(Schedule.forever)),
    "Policy.retry needs `times` or `schedule`"
  ],
  ["a composed number", () => Policy.compose(untyped(3)), "Policy.compose needs policies, got the number 3"],
  ["a composed resource", () => Policy.compose(untyped(user)), "Policy.compose needs policies, got a resource"],
  [
    "a default policy that is none",
    () => Loader.make({ user }, { policy: untyped(3) }),
    'option "policy": expected a policy, got 3'
  ],
  [
    "a limit with a layer",
    () => Policy.limit(untyped(Postgres.layer({ limit: 1 }))),
    "the class of a limiter, got a Layer"
  ],
  [
    "a limit with a number",
    () => Policy.limit(untyped(10)),
    "Policy.limit needs the class of a limiter, got the number 10"
  ],
  [
    "a cache with a layer",
    () => Policy.cache(untyped(Users.layer({ timeToLive: "1 minute" }))),
    "Policy.cache needs the class of a cache, got a Layer"
  ],
  [
    "a policy around a loader",
    () => Policy.timeout("1 second")(untyped(page)),
    "a policy is piped onto a resource, got a loader"
  ],
  [
    "a policy around an Effect",
    () => Policy.timeout("1 second")(untyped(Effect.void)),
    "a policy is piped onto a resource, got an Effect"
  ],
  [
    "a match with a case missing",
    () => {
      const x = Resource.match("x", { on: plan, cases: untyped({ free: user }) })
      return Loader.load(Loader.make({ x }), { plan: "pro" })
    },
    'there is no case for "pro": the cases are "free"'
  ],
  [
    "an override by name",
    () => Loader.override(page, untyped("org"), untyped({ id: "acme" })),
    'Loader.override needs the resource to replace, got the string "org"'
  ],
  [
    "values for a target that there is not",
    () => Loader.withValues(page, untyped({ organization: 1 })),
    'the value for target "organization" has nothing to replace: the loader does not load it'
  ],
  [
    "a limiter that is not provided",
    () => Loader.load(Loader.make({ user: user.pipe(Policy.limit(Postgres)) })),
    "Service not found: app/Postgres"
  ]
]

/** What is thrown, or what an effect that is given fails with. */
const told = (run: () => unknown): string => {
  const exit = Effect.runSyncExit(
    Effect.suspend(() => {
      const given = run()
      return Effect.isEffect(given) ? (given as Effect.Effect<unknown, unknown>) : Effect.succeed(given)
    })
  )
  return Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "nothing"
}

describe("without types, a typical mistake is refused with what to do", () => {
  it.each(mistakes)("%s", (_what, run, says) => {
    assert.include(told(run), says)
  })
})
