/** In which asynchronous context loads run: an `AsyncLocalStorage` of each caller, and who sees it. */
import { assert, describe, it } from "@effect/vitest"
import { AsyncLocalStorage } from "node:async_hooks"
import { type Context, Effect, Exit, Fiber, Layer, Request, RequestResolver } from "effect"
import * as fc from "fast-check"
import { Batching, Limiter, Loader, Policy, Resource, ResourceCache, Saga } from "effect-loader"
import { withTime } from "../withTime.ts"

const store = new AsyncLocalStorage<string>()

class Db extends Limiter.Service<Db>()("app/Db") {}
class Api extends Limiter.Service<Api>()("app/Api") {}
class Users extends ResourceCache.Service<Users>()("app/Users") {}
class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: string }, string> {}

const services = Layer.mergeAll(
  Db.layer({ limit: 1 }),
  Api.layer({ limit: 2 }),
  // Some values are stale when they are read again, and refreshed.
  Users.layer({ timeToLive: 3, staleWhileRevalidate: "1 hour" })
)

/** What ran where: of a shared load and of a call the caller is not known. */
interface Seen {
  readonly what: string
  readonly caller: string | undefined
  readonly store: string | undefined
}

const kinds = ["load", "list", "request", "requests", "inside", "shared", "item shared"] as const
const policies = ["db", "api", "retry", "hedge", "undo"] as const

const step = fc.record({
  kind: fc.constantFrom(...kinds),
  policies: fc.uniqueArray(fc.constantFrom(...policies), { maxLength: 3 }),
  takes: fc.integer({ min: 0, max: 4 }),
  deps: fc.array(fc.nat(5), { maxLength: 2 })
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const program = fc.record({
  steps: fc.array(step, { minLength: 2, maxLength: 6 }),
  concurrency: fc.constantFrom(1, 2, undefined),
  callers: fc.array(fc.record({ waits: fc.integer({ min: 0, max: 6 }), fails: fc.boolean() }), {
    minLength: 2,
    maxLength: 5
  })
})
type Program = typeof program extends fc.Arbitrary<infer P> ? P : never

type AnyLoader = Loader.Loader<unknown, unknown, unknown, { readonly caller: string }, unknown>
type AnyResource = Resource.Resource<string, any, any, any, any>

/** The policies that may be there: each item of a list takes permits, and a resource those of one limiter. */
const fitting = ({ kind, policies }: Step) =>
  policies.filter((policy, at) => {
    if (kind.includes("list") || kind.includes("item") || kind === "requests")
      return policy === "retry" || policy === "undo"
    if (kind === "inside") return policy === "retry"
    return (policy !== "db" && policy !== "api") || !policies.slice(0, at).some((p) => p === "db" || p === "api")
  })

/** The targets of a page, and what their loads saw. */
class Pages {
  readonly seen: Array<Seen> = []
  private readonly resolvers = [1, 2].map((takes) => {
    const resolver = RequestResolver.make<GetUser>((entries) =>
      Effect.andThen(
        this.note("call", undefined, takes),
        Effect.forEach(entries, (entry) => Request.succeed(entry, entry.request.id), { discard: true })
      )
    )
    return takes === 1 ? resolver : Batching.graphAware(resolver, { maxHold: "1 second" })
  })
  readonly caller = Resource.input<string>()("caller")

  private note(what: string, caller: string | undefined, takes: number) {
    const note = Effect.sync(() => void this.seen.push({ what, caller, store: store.getStore() }))
    return takes === 0 ? note : Effect.andThen(Effect.andThen(note, Effect.sleep(takes)), note)
  }

  targets({ steps }: Program, depth = 0): Record<string, AnyResource> {
    const made: Array<AnyResource> = []
    steps.forEach((step, i) => {
      const deps = Object.fromEntries(
        step.deps.flatMap((d) => (d < i ? [[`dep${d}`, made[d]!]] : [])).concat([["caller", this.caller]])
      )
      made.push(this.step(`r${depth}-${i}`, step, deps, depth))
    })
    return Object.fromEntries(made.map((resource) => [resource.name, resource]))
  }

  private step(name: string, step: Step, deps: Record<string, AnyResource>, depth: number): AnyResource {
    const made = this.bare(name, step, deps, depth)
    return fitting(step).reduce<AnyResource>((resource, policy) => {
      if (policy === "db") return resource.pipe(Policy.limit(Db)) as AnyResource
      if (policy === "api") return resource.pipe(Policy.limit(Api)) as AnyResource
      if (policy === "hedge") return resource.pipe(Policy.hedge({ after: 1 })) as AnyResource
      if (policy === "retry") return resource.pipe(Policy.retry({ times: 1 })) as AnyResource
      const undo = (value: unknown) =>
        typeof value === "string" && value.startsWith("caller") ? this.note("compensation", value, 1) : Effect.void
      return resource.pipe(Saga.compensate(undo as never)) as AnyResource
    }, made)
  }

  private bare(name: string, { kind, policies, takes }: Step, deps: Record<string, AnyResource>, depth: number) {
    const id = (k: number) => new GetUser({ id: `${name} ${k}` })
    const resolver = this.resolvers[name.length % 2]!
    const failed = new Set<string>()
    const own = ({ caller }: any) =>
      Effect.flatMap(this.note(name, caller, takes), () => {
        const fails = policies.includes("retry") && !failed.has(caller)
        failed.add(caller)
        return fails ? Effect.fail("once") : Effect.succeed(caller)
      })
    const key = () => name
    switch (kind) {
      case "load":
        return Resource.make(name, { deps, load: own })
      case "list":
        return Resource.forEach(name, {
          deps,
          items: () => [1, 2, 3],
          load: (_, deps) => own(deps),
          each: Policy.limit(Api)
        })
      case "request":
        return Resource.fromRequest(name, { deps, request: () => id(1), resolver })
      case "requests":
        return Resource.forEachRequest(name, { deps, items: () => [1, 2], request: id, resolver })
      case "shared":
        return Resource.make(name, { deps, key, load: () => this.note("shared", undefined, takes) }).pipe(
          Policy.cache(Users)
        )
      case "item shared":
        return Resource.forEach(name, {
          deps,
          items: () => [1, 2],
          key: (item: number) => `${name}:${item}`,
          load: () => this.note("shared", undefined, takes),
          each: Policy.cache(Users)
        } as never)
      case "inside": {
        if (depth > 0) return Resource.make(name, { deps, load: own })
        const steps = [
          { kind: "load", policies: ["db"], takes: 1, deps: [] },
          { kind: "request", policies: [], takes: 1, deps: [0] }
        ] as const
        const inner = Loader.make(this.targets({ steps } as unknown as Program, depth + 1), { concurrency: 1 })
        return Resource.fromLoader(name, inner as AnyLoader, { inputs: { caller: this.caller } } as never)
      }
    }
  }
}

describe("an AsyncLocalStorage of each caller", () => {
  it.effect("is seen by each load of that caller, and by no call or load that callers share", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(program, async (drawn) => {
          const pages = new Pages()
          const targets = pages.targets(drawn)
          const last = Resource.make("last", {
            deps: { ...targets, caller: pages.caller } as Record<string, AnyResource>,
            load: ({ caller }) => ((caller as string).endsWith("!") ? Effect.fail("last") : Effect.void)
          })
          const page = Loader.make({ ...targets, last }, {
            concurrency: drawn.concurrency,
            onCompensationFailure: () => Effect.void
          } as never)
          const all = Effect.gen(function* () {
            const context = yield* Effect.context<Db | Api | Users>()
            const fibers = drawn.callers.map(({ fails, waits }, k) => {
              const caller = `caller ${k}${fails ? "!" : ""}`
              const load = Effect.andThen(Effect.sleep(waits), Loader.load(page as never, { caller } as never))
              return store.run(caller, () => Effect.runForkWith(context as never)(load))
            })
            return yield* Effect.forEach(fibers, Fiber.await)
          })
          const exits = await Effect.runPromise(withTime(Effect.provide(all, services)) as Effect.Effect<any>)
          drawn.callers.forEach(({ fails }, k) => assert.strictEqual(Exit.isFailure(exits[k]), fails, String(exits[k])))
          for (const { caller, store, what } of pages.seen) assert.strictEqual(store, caller, what)
        }),
        { numRuns: 200 }
      )
    )
  )

  it.effect(
    "is seen by the loads of a run inside that has a store of its own, also where it waits for slots around it",
    () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const look = Effect.sync(() => void seen.push(store.getStore() ?? "none"))
        const rows = Resource.forEach("rows", {
          items: () => [1, 2],
          load: () => Effect.andThen(Effect.andThen(look, Effect.sleep(1)), look)
        })
        const inner = Loader.make({ rows })
        const start = (name: string) =>
          Resource.make(name, {
            load: () =>
              Effect.contextWith((context: Context.Context<never>) => {
                const fiber = store.run(name, () => Effect.runForkWith(context)(Loader.load(inner)))
                return Fiber.join(fiber)
              })
          })
        const page = Loader.make({ ann: start("ann"), bob: start("bob"), cy: start("cy") }, { concurrency: 2 })
        yield* withTime(Loader.load(page))
        const of = (name: string) => [name, name, name, name]
        assert.deepStrictEqual(
          seen.toSorted((a, b) => (a < b ? -1 : 1)),
          [...of("ann"), ...of("bob"), ...of("cy")]
        )
      })
  )
})
