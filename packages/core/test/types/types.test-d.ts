/** What is inferred, and what must not compile. */
// What must not compile is refused by these, too.
// @effect-diagnostics missingEffectError:off missingEffectContext:off
import {
  type Cause,
  Context,
  Data,
  Effect,
  type Exit,
  Layer,
  type Option,
  type Result,
  Request,
  RequestResolver,
  Schedule,
  type Scope
} from "effect"
import {
  Batching,
  Loader,
  type LoadTimeout,
  type MatchError,
  Policy,
  type Report,
  Resource,
  type ResourceError,
  Saga,
  type Types
} from "effect-loader"
import { RetryBudget } from "effect-loader/resilience"
import { describe, expectTypeOf, it } from "vitest"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}
class DbError extends Data.TaggedError("DbError")<{ readonly code: number }> {}
class Db extends Context.Service<Db, { readonly query: (sql: string) => Effect.Effect<string, DbError> }>()(
  "test/Db"
) {}

const orgId = Resource.input<string>()("orgId")
const userId = Resource.input<number>()("userId")

const org = Resource.make("org", {
  deps: { orgId },
  load: ({ orgId }) => (orgId === "" ? Effect.fail(new NotFound({ id: orgId })) : Effect.succeed({ id: orgId }))
})
const user = Resource.make("user", {
  deps: { userId },
  load: ({ userId }) => Effect.flatMap(Db, (db) => db.query(String(userId)))
})
const both = Resource.make("both", {
  deps: { org, u: user },
  load: ({ org, u }) => Effect.succeed([org.id, u] as const)
})

type OrgError = ResourceError<"org", NotFound>
type UserError = ResourceError<"user", DbError>
type UserInput = { readonly userId: number }

describe("resources", () => {
  it("accumulate inputs, errors and services through dependencies", () => {
    expectTypeOf(org).toEqualTypeOf<
      Resource.Resource<"org", { id: string }, OrgError, never, { readonly orgId: string }>
    >()
    expectTypeOf(user).toEqualTypeOf<Resource.Resource<"user", string, UserError, Db, UserInput>>()
    expectTypeOf<Resource.Success<typeof both>>().toEqualTypeOf<readonly [string, string]>()
    expectTypeOf<Resource.Error<typeof both>>().toEqualTypeOf<OrgError | UserError>()
    expectTypeOf<Resource.Services<typeof both>>().toEqualTypeOf<Db>()
    expectTypeOf<Resource.Input<typeof both>>().toEqualTypeOf<{ readonly orgId: string } & UserInput>()
  })

  it("accumulate through after, which gives no value", () => {
    const later = Resource.make("later", { after: [user], load: (deps) => Effect.succeed(deps) })
    expectTypeOf(later).toEqualTypeOf<Resource.Resource<"later", Types.Values<{}>, UserError, Db, UserInput, never>>()
  })

  it("accumulate through the after of lists, requests, choices and loaders inside", () => {
    class Ask extends Request.TaggedClass("Ask")<{ readonly id: number }, string> {}
    const resolver = RequestResolver.fromFunction<Ask>(() => "")
    const inner = Loader.make({ one: Resource.succeed("one", 1) })
    const given = Loader.make({ orgId })
    const after = [user] as const
    const load = (item: number) => Effect.succeed(item)
    const list = Resource.forEach("r", { after, items: () => [1], load })
    const lazy = Resource.forEach("r", { after: () => [user], items: () => [1], load })
    const request = Resource.fromRequest("r", { after, request: () => new Ask({ id: 1 }), resolver })
    const requests = Resource.forEachRequest("r", {
      after,
      items: () => [1],
      request: (id) => new Ask({ id }),
      resolver
    })
    const on = Resource.succeed("on", true)
    const one = Resource.succeed("one", 1)
    const choice = Resource.match("r", { after, on, cases: { true: one, false: one } })
    const open = Resource.match("r", { after: () => after, on, cases: { true: one }, orElse: one })
    const nested = Resource.fromLoader("r", inner, { after })
    const withInputs = Resource.fromLoader("r", given, { inputs: { orgId }, after: () => after })

    expectTypeOf(list).toEqualTypeOf<Resource.Resource<"r", ReadonlyArray<number>, UserError, Db, UserInput, never>>()
    expectTypeOf(lazy).toEqualTypeOf<typeof list>()
    expectTypeOf<UserError>().toExtend<Resource.Error<typeof request>>()
    expectTypeOf<UserError>().toExtend<Resource.Error<typeof requests>>()
    expectTypeOf<Resource.Services<typeof request | typeof requests>>().toEqualTypeOf<Db>()
    expectTypeOf<Resource.Input<typeof request>>().toEqualTypeOf<UserInput>()
    expectTypeOf<Resource.Input<typeof requests>>().toEqualTypeOf<UserInput>()
    expectTypeOf(choice).toEqualTypeOf<Resource.Resource<"r", number, UserError, Db, UserInput, never>>()
    expectTypeOf(open).toEqualTypeOf<typeof choice>()
    expectTypeOf(nested).toEqualTypeOf<
      Resource.Resource<"r", { readonly one: number }, UserError, Db, UserInput, never>
    >()
    expectTypeOf<Resource.Input<typeof withInputs>>().toEqualTypeOf<{ readonly orgId: string } & UserInput>()
    // @ts-expect-error -- what is waited for is a resource
    Resource.forEach("r", { after: [1], items: () => [1], load })
    // @ts-expect-error -- the inputs are missing
    Resource.fromLoader("r", given, { after })
  })

  it("accept lazily given dependencies, and functions and generators as load", () => {
    const lazy = Resource.make("lazy", {
      deps: () => ({ org }),
      after: () => [user],
      load: ({ org }) => Effect.succeed(org.id)
    })
    expectTypeOf<Resource.Error<typeof lazy>>().toEqualTypeOf<OrgError | UserError>()
    const viewed = Resource.make("viewed", {
      deps: () => ({ org: org.pipe(Resource.option) }),
      load: ({ org }) => Effect.succeed(org)
    })
    expectTypeOf<Resource.Success<typeof viewed>>().toEqualTypeOf<Option.Option<{ id: string }>>()
    const generated = Resource.make("generated", {
      deps: { org },
      load: Effect.fn("generated")(function* ({ org }) {
        const db = yield* Db
        return yield* db.query(org.id)
      })
    })
    expectTypeOf(generated).toEqualTypeOf<
      Resource.Resource<
        "generated",
        string,
        OrgError | ResourceError<"generated", DbError>,
        Db,
        { readonly orgId: string }
      >
    >()
  })

  it("a struct is the object of its members' values", () => {
    const all = Resource.struct("all", { org, user })
    expectTypeOf<Resource.Success<typeof all>>().toEqualTypeOf<{
      readonly org: { id: string }
      readonly user: string
    }>()
    expectTypeOf<Resource.Error<typeof all>>().toEqualTypeOf<OrgError | UserError>()
  })

  it("a wrong key does not compile", () => {
    // @ts-expect-error there is no such dependency
    Resource.make("x", { deps: { org }, load: ({ user }) => Effect.succeed(user) })
    // @ts-expect-error a value where a resource is expected
    Resource.make("x", { deps: { org: "acme" }, load: () => Effect.succeed(1) })
    // @ts-expect-error `load` must give an effect
    Resource.make("x", { load: () => 1 })
  })

  it("a resource of the wrong type does not compile", () => {
    const wantsNumber = (deps: { readonly n: Resource.Resource<string, number> }) => deps
    // @ts-expect-error its value is a string
    wantsNumber({ n: Resource.succeed("n", "one") })
  })
})

describe("recovery", () => {
  it("takes a resource's own error away, and no ancestor's", () => {
    const viewer = Resource.make("viewer", {
      deps: { org },
      load: ({ org }) => (org.id === "" ? Effect.fail(new DbError({ code: 1 })) : Effect.succeed(org.id))
    })
    expectTypeOf<Resource.Error<typeof viewer>>().toEqualTypeOf<OrgError | ResourceError<"viewer", DbError>>()
    const caught = viewer.pipe(Resource.catch((error) => Effect.succeed(error.code)))
    expectTypeOf<Resource.Error<typeof caught>>().toEqualTypeOf<OrgError>()
    expectTypeOf<Resource.Success<typeof caught>>().toEqualTypeOf<string | number>()
    const again = viewer.pipe(Resource.catch(() => Effect.flatMap(Db, () => Effect.fail(new NotFound({ id: "" })))))
    expectTypeOf<Resource.Error<typeof again>>().toEqualTypeOf<OrgError | ResourceError<"viewer", NotFound>>()
    expectTypeOf<Resource.Services<typeof again>>().toEqualTypeOf<Db>()
    const optional = viewer.pipe(Resource.option)
    expectTypeOf<Resource.Success<typeof optional>>().toEqualTypeOf<Option.Option<string>>()
    expectTypeOf<Resource.Error<typeof optional>>().toEqualTypeOf<OrgError>()
    const first = Resource.option(viewer, { ancestors: true })
    expectTypeOf<Resource.Error<typeof first>>().toEqualTypeOf<never>()
    const section = viewer.pipe(Resource.option({ ancestors: true }))
    expectTypeOf<Resource.Error<typeof section>>().toEqualTypeOf<never>()
    const spared = viewer.pipe(
      Resource.catchCause((cause) => {
        expectTypeOf(cause).toEqualTypeOf<Cause.Cause<DbError>>()
        return Effect.fail(new NotFound({ id: "" }))
      })
    )
    expectTypeOf<Resource.Error<typeof spared>>().toEqualTypeOf<OrgError | ResourceError<"viewer", NotFound>>()
    const defaulted = viewer.pipe(Resource.orElseSucceed(() => null))
    expectTypeOf<Resource.Success<typeof defaulted>>().toEqualTypeOf<string | null>()
  })

  it("by tag takes those errors away, and knows the tags", () => {
    const both = Resource.make("both", {
      deps: { org },
      load: ({ org }): Effect.Effect<string, DbError | NotFound> => Effect.succeed(org.id)
    })
    const caught = both.pipe(
      Resource.catchTag("NotFound", (error) => {
        expectTypeOf(error).toEqualTypeOf<NotFound>()
        return Effect.succeed(1)
      })
    )
    expectTypeOf<Resource.Success<typeof caught>>().toEqualTypeOf<string | number>()
    expectTypeOf<Resource.Error<typeof caught>>().toEqualTypeOf<OrgError | ResourceError<"both", DbError>>()
    const all = Resource.catchTag(both, ["NotFound", "DbError"], (error) => {
      expectTypeOf(error).toEqualTypeOf<NotFound | DbError>()
      return Effect.flatMap(Db, () => Effect.fail("again" as const))
    })
    expectTypeOf<Resource.Error<typeof all>>().toEqualTypeOf<OrgError | ResourceError<"both", "again">>()
    expectTypeOf<Resource.Services<typeof all>>().toEqualTypeOf<Db>()
    // @ts-expect-error -- it has no such error
    both.pipe(Resource.catchTag("Busy", () => Effect.succeed(1)))
  })

  it("as null or a result leaves the errors of ancestors, unless they are asked for", () => {
    const viewer = Resource.make("viewer", {
      deps: { org },
      load: ({ org }) => (org.id === "" ? Effect.fail(new DbError({ code: 1 })) : Effect.succeed(org.id))
    })
    type ViewerError = OrgError | ResourceError<"viewer", DbError>
    const maybe = viewer.pipe(Resource.orNull)
    expectTypeOf<Resource.Success<typeof maybe>>().toEqualTypeOf<string | null>()
    expectTypeOf<Resource.Error<typeof maybe>>().toEqualTypeOf<OrgError>()
    const section = viewer.pipe(Resource.orNull({ ancestors: true }))
    expectTypeOf<Resource.Success<typeof section>>().toEqualTypeOf<string | null>()
    expectTypeOf<Resource.Error<typeof section>>().toEqualTypeOf<never>()
    expectTypeOf(Resource.orNull(viewer, { ancestors: true })).toEqualTypeOf<typeof section>()
    const known = viewer.pipe(Resource.result)
    expectTypeOf<Resource.Success<typeof known>>().toEqualTypeOf<Result.Result<string, DbError>>()
    expectTypeOf<Resource.Error<typeof known>>().toEqualTypeOf<OrgError>()
    const all = viewer.pipe(Resource.result({ ancestors: true }))
    expectTypeOf<Resource.Success<typeof all>>().toEqualTypeOf<Result.Result<string, ViewerError>>()
    expectTypeOf<Resource.Error<typeof all>>().toEqualTypeOf<never>()
    expectTypeOf(Resource.result(viewer, { ancestors: true })).toEqualTypeOf<typeof all>()
  })

  it("is not what maps an error, a value or follows a load", () => {
    const viewer = Resource.make("viewer", {
      deps: { org },
      load: ({ org }) => (org.id === "" ? Effect.fail(new DbError({ code: 1 })) : Effect.succeed(org.id))
    })
    const mapped = viewer.pipe(Resource.mapError((error) => new NotFound({ id: String(error.code) })))
    expectTypeOf<Resource.Error<typeof mapped>>().toEqualTypeOf<OrgError | ResourceError<"viewer", NotFound>>()
    const unfailing = Resource.succeed("one", 1).pipe(Resource.mapError(() => "never"))
    expectTypeOf<Resource.Error<typeof unfailing>>().toEqualTypeOf<never>()
    const ready = viewer.pipe(Resource.as("ready"))
    expectTypeOf<Resource.Success<typeof ready>>().toEqualTypeOf<"ready">()
    expectTypeOf<Resource.Error<typeof ready>>().toEqualTypeOf<Resource.Error<typeof viewer>>()
    const tapped = viewer.pipe(
      Resource.tap((id) => {
        expectTypeOf(id).toEqualTypeOf<string>()
        return Effect.flatMap(Db, () => Effect.fail("tapped" as const))
      })
    )
    expectTypeOf<Resource.Success<typeof tapped>>().toEqualTypeOf<string>()
    expectTypeOf<Resource.Error<typeof tapped>>().toEqualTypeOf<
      OrgError | ResourceError<"viewer", DbError | "tapped">
    >()
    expectTypeOf<Resource.Services<typeof tapped>>().toEqualTypeOf<Db>()
    // @ts-expect-error -- it gives no effect
    viewer.pipe(Resource.tap(() => 1))
  })

  it("sees the errors of the policies piped before", () => {
    org.pipe(
      Policy.timeout("1 second"),
      Resource.catch((error) => {
        expectTypeOf(error).toEqualTypeOf<NotFound | Cause.TimeoutError>()
        return Effect.succeed(null)
      })
    )
  })
})

describe("policies", () => {
  it("add to the resource's own error", () => {
    const timed = both.pipe(Policy.timeout("1 second"))
    expectTypeOf<Resource.Error<typeof timed>>().toEqualTypeOf<
      OrgError | UserError | ResourceError<"both", Cause.TimeoutError>
    >()
    const composed = org.pipe(Policy.compose(Policy.timeout("1 second"), Policy.retry({ times: 3 })))
    expectTypeOf<Resource.Error<typeof composed>>().toEqualTypeOf<ResourceError<"org", NotFound | Cause.TimeoutError>>()
  })

  it("of one's own say what they add", () => {
    const guarded = Policy.around<DbError, Db>("guarded", (self) =>
      Effect.andThen(
        Effect.flatMap(Db, (db) => db.query("")),
        self
      )
    )
    expectTypeOf(guarded).toEqualTypeOf<Policy.Policy<DbError, Db>>()
    const guardedOrg = org.pipe(guarded)
    expectTypeOf<Resource.Error<typeof guardedOrg>>().toEqualTypeOf<ResourceError<"org", NotFound | DbError>>()
    expectTypeOf<Resource.Services<typeof guardedOrg>>().toEqualTypeOf<Db>()
  })

  it("a retry predicate knows the error, and one over an error that cannot occur does not compile", () => {
    org.pipe(
      Policy.timeout("1 second"),
      Policy.retry({
        times: 3,
        while: (error) => {
          expectTypeOf(error).toEqualTypeOf<NotFound | Cause.TimeoutError>()
          return error._tag === "TimeoutError"
        }
      })
    )
    const onDb = Policy.retry({ times: 3, while: (error: DbError) => error.code === 1 })
    user.pipe(onDb)
    // @ts-expect-error this resource fails with something else
    org.pipe(onDb)
    // @ts-expect-error the timeout adds an error that the predicate does not take
    user.pipe(Policy.timeout("1 second"), onDb)
    // @ts-expect-error the error has no such tag
    org.pipe(Policy.retry({ times: 3, while: (error) => error._tag === "DbError" }))
    // @ts-expect-error without an end
    Policy.retry({})
    // @ts-expect-error composing takes policies that fit every resource
    Policy.compose(Policy.timeout("1 second"), onDb)
  })

  it("a policy that reads any error fits every resource: composed, as a default policy, and around items", () => {
    class Budget extends RetryBudget.Service<Budget>()("test/Budget") {}
    const any = Policy.retry({ times: 3, while: (error) => error instanceof DbError })
    expectTypeOf(any).toEqualTypeOf<Policy.Policy>()
    expectTypeOf(Saga.abortIf((error: unknown) => error === "fraud")).toEqualTypeOf<Policy.Policy>()
    expectTypeOf(Saga.rewind(org, { times: 1, while: (error) => error === 1 })).toEqualTypeOf<Policy.Policy>()
    const standard = Policy.compose(
      Policy.timeout("1 second"),
      Policy.retry({ times: 3, budget: Budget, while: (error) => error instanceof DbError })
    )
    expectTypeOf(standard).toEqualTypeOf<Policy.Policy<Cause.TimeoutError, Budget>>()
    const composed = user.pipe(standard)
    expectTypeOf<Resource.Error<typeof composed>>().toEqualTypeOf<ResourceError<"user", DbError | Cause.TimeoutError>>()
    const page = Loader.make(
      { org },
      { policy: Policy.retry({ times: 3, budget: Budget, while: (error) => error instanceof DbError }) }
    )
    expectTypeOf<Loader.Error<typeof page>>().toEqualTypeOf<OrgError>()
    expectTypeOf<Loader.Services<typeof page>>().toEqualTypeOf<Budget>()
    const declared: Policy.PolicyFor<unknown, Budget> = Policy.retry({ times: 3, budget: Budget, while: () => true })
    expectTypeOf(Policy.compose(declared)).toEqualTypeOf<Policy.Policy<never, Budget>>()
    Resource.forEach("list", { items: () => [1], load: () => Effect.fail("no"), each: any })
    const onDb = Policy.retry({ times: 3, while: (error: DbError) => error.code === 1 })
    // @ts-expect-error a default policy is for every resource
    Loader.make({ user }, { policy: onDb })
  })

  it("a schedule over an error fits the resources that have it", () => {
    const onNotFound = Schedule.spaced("1 second").pipe(Schedule.setInputType<NotFound>())
    org.pipe(Policy.retry({ schedule: onNotFound, times: 2 }))
    // @ts-expect-error it has another error
    user.pipe(Policy.retry({ schedule: onNotFound, times: 2 }))
  })
})

describe("loaders", () => {
  const page = Loader.make({ org, who: user, both }, { timeout: "1 second" })

  it("show values, errors, services and inputs", () => {
    type A = { readonly org: { id: string }; readonly who: string; readonly both: readonly [string, string] }
    expectTypeOf<Loader.Success<typeof page>>().toEqualTypeOf<A>()
    expectTypeOf<Loader.Error<typeof page>>().toEqualTypeOf<OrgError | UserError | LoadTimeout>()
    expectTypeOf<Loader.Services<typeof page>>().toEqualTypeOf<Db>()
    expectTypeOf<Loader.Input<typeof page>>().toEqualTypeOf<{ readonly orgId: string } & UserInput>()
    const inputs = { orgId: "acme", userId: 1 }
    expectTypeOf(Loader.load(page, inputs)).toEqualTypeOf<Effect.Effect<A, OrgError | UserError | LoadTimeout, Db>>()
    expectTypeOf(page.pipe(Loader.load(inputs))).toEqualTypeOf<
      Effect.Effect<A, OrgError | UserError | LoadTimeout, Db>
    >()
    expectTypeOf(Loader.settle(page, inputs)).toEqualTypeOf<Effect.Effect<Report.Report<A>, never, Db>>()
    expectTypeOf(page.pipe(Loader.settle(inputs))).toEqualTypeOf<Effect.Effect<Report.Report<A>, never, Db>>()
    type Reported = Effect.Success<ReturnType<typeof Loader.loadWithReport<A, OrgError, never, unknown, unknown>>>
    expectTypeOf<Reported["exit"]>().toEqualTypeOf<Exit.Exit<A, OrgError>>()
  })

  it("errors narrow by resource", () => {
    const answer = Loader.load(page, { orgId: "acme", userId: 1 }).pipe(
      Effect.catchTag("ResourceError", (error) => {
        if (error.resource === "org") expectTypeOf(error.error).toEqualTypeOf<NotFound>()
        else expectTypeOf(error.error).toEqualTypeOf<DbError>()
        // @ts-expect-error no resource has this name
        return Effect.succeed(error.resource === "artifacts")
      })
    )
    expectTypeOf<Effect.Error<typeof answer>>().toEqualTypeOf<LoadTimeout>()
  })

  it("a missing or wrong input does not compile", () => {
    // @ts-expect-error no inputs at all
    expectTypeOf(Loader.load(page))
    // @ts-expect-error userId is missing
    expectTypeOf(Loader.load(page, { orgId: "acme" }))
    // @ts-expect-error userId is a number
    expectTypeOf(Loader.load(page, { orgId: "acme", userId: "1" }))
    // @ts-expect-error userId is missing
    expectTypeOf(page.pipe(Loader.load({ orgId: "acme" })))
    const none = Loader.make({ one: Resource.succeed("one", 1) })
    expectTypeOf(Loader.load(none)).toEqualTypeOf<Effect.Effect<{ readonly one: number }>>()
  })

  it("a default policy adds its error under any name, and its services", () => {
    const guarded = Policy.around<DbError, Db>("guarded", (self) =>
      Effect.andThen(
        Effect.flatMap(Db, (db) => db.query("")),
        self
      )
    )
    const limited = Loader.make({ org }, { policy: Policy.compose(guarded, Policy.timeout("1 second")) })
    expectTypeOf<Loader.Error<typeof limited>>().toEqualTypeOf<
      OrgError | ResourceError<string, DbError | Cause.TimeoutError>
    >()
    expectTypeOf<Loader.Services<typeof limited>>().toEqualTypeOf<Db>()
  })

  it("a scope that a resource needs stays the caller's", () => {
    const connection = Resource.make("connection", {
      load: () => Effect.acquireRelease(Effect.succeed(1), () => Effect.void)
    })
    expectTypeOf(Loader.load(Loader.make({ connection }))).toEqualTypeOf<
      Effect.Effect<{ readonly connection: number }, never, Scope.Scope>
    >()
  })

  it("options are checked", () => {
    // @ts-expect-error no such scheduling
    Loader.make({ org }, { scheduling: "lazy" })
    // @ts-expect-error targets are resources
    Loader.make({ org: "acme" })
  })
})

describe("loaders with something changed", () => {
  class Database extends Context.Service<Database, { readonly query: (sql: string) => Effect.Effect<string> }>()(
    "Database"
  ) {}
  class Down extends Data.TaggedError("Down")<{}> {}
  const orgId = Resource.input<string>()("orgId")
  const org = Resource.make("org", { deps: { orgId }, load: ({ orgId }) => Effect.succeed({ id: orgId }) })
  const user = Resource.make("user", { load: () => Effect.succeed("ada") })
  const page = Loader.make({ org, user })

  it("override takes what fits, and adds its errors, services and inputs", () => {
    expectTypeOf(page.pipe(Loader.override(org, { id: "x" }))).toEqualTypeOf<typeof page>()
    const failing = Loader.override(page, org, Effect.fail(new Down()))
    expectTypeOf<Loader.Error<typeof failing>>().toEqualTypeOf<ResourceError<"org", Down>>()
    const f = page.pipe(
      Loader.override(org, () =>
        Effect.as(
          Database.use((db) => db.query("x")),
          { id: "x" }
        )
      )
    )
    expectTypeOf<Loader.Services<typeof f>>().toEqualTypeOf<Database>()
    const token = Resource.input<number>()("token")
    const other = Resource.make("org", { deps: { token }, load: () => Effect.succeed({ id: "" }) })
    const withToken = Loader.override(page, org, other)
    expectTypeOf<Loader.Input<typeof withToken>>().toEqualTypeOf<
      { readonly orgId: string } & { readonly token: number }
    >()
    // @ts-expect-error another type of value
    Loader.override(page, org, { id: 1 })
    // @ts-expect-error another type of value
    Loader.override(page, org, Effect.succeed({ nope: "" }))
    // @ts-expect-error another type of value
    page.pipe(Loader.override(org, Resource.make("org", { load: () => Effect.succeed(1) })))
    // @ts-expect-error another name
    Loader.override(page, user, Resource.make("org", { load: () => Effect.succeed("ada") }))
  })

  it("withValues takes values of the targets", () => {
    expectTypeOf(Loader.withValues(page, { user: "bob" })).toEqualTypeOf<typeof page>()
    expectTypeOf(page.pipe(Loader.withValues({ user: "bob" }))).toEqualTypeOf<typeof page>()
    // @ts-expect-error another type of value
    Loader.withValues(page, { user: 1 })
    // @ts-expect-error another type of value
    page.pipe(Loader.withValues({ user: 1 }))
    // @ts-expect-error no such target
    Loader.withValues(page, { nobody: 1 })
  })

  it("merge has the targets of both, under their new keys where they have any", () => {
    const author = Resource.make("author", { load: () => Effect.fail(new Down()) as Effect.Effect<number, Down> })
    const both = Loader.merge(page, Loader.make({ user: author }), { rename: { user: "author" } })
    expectTypeOf<Loader.Success<typeof both>>().toEqualTypeOf<{
      readonly org: { id: string }
      readonly user: string
      readonly author: number
    }>()
    expectTypeOf<Loader.Error<typeof both>>().toEqualTypeOf<ResourceError<"author", Down>>()
    // @ts-expect-error the second has no such target
    Loader.merge(page, Loader.make({ author }), { rename: { nobody: "x" } })
  })
})

describe("lists, choices, loaders inside, and layers", () => {
  class Down extends Data.TaggedError("Down")<{}> {}
  const orgId = Resource.input<string>()("orgId")
  const ids = Resource.make("ids", { deps: { orgId }, load: () => Effect.succeed([1, 2]) })
  const find = (id: number): Effect.Effect<{ readonly id: number }, NotFound, Db> => Effect.succeed({ id })
  const users = Resource.forEach("users", { deps: { ids }, items: ({ ids }) => ids, load: (id) => find(id) })

  it("forEach infers the item, and what its policy adds", () => {
    expectTypeOf(users).toEqualTypeOf<
      Resource.Resource<
        "users",
        ReadonlyArray<{ readonly id: number }>,
        ResourceError<"users", NotFound>,
        Db,
        { readonly orgId: string }
      >
    >()
    const timed = Resource.forEach("timed", {
      items: () => ["abc"],
      load: (letter, deps, index) => {
        expectTypeOf(letter).toEqualTypeOf<string>()
        expectTypeOf(deps).toEqualTypeOf<Types.Values<{}>>()
        expectTypeOf(index).toEqualTypeOf<number>()
        return Effect.succeed(letter)
      },
      each: Policy.timeout("1 second")
    })
    expectTypeOf<Resource.Error<typeof timed>>().toEqualTypeOf<ResourceError<"timed", Cause.TimeoutError>>()
    const again = Policy.retry({ times: 2, while: (error: NotFound) => error.id === "" })
    const retried = Resource.forEach("retried", { items: () => [1], load: find, each: again })
    expectTypeOf<Resource.Error<typeof retried>>().toEqualTypeOf<ResourceError<"retried", NotFound>>()
    // @ts-expect-error the predicate knows another error than the items have
    Resource.forEach("bad", { items: () => [1], load: () => Effect.fail(new Down()), each: again })
    // @ts-expect-error what is no list
    Resource.forEach("bad", { items: () => 1, load: () => Effect.void })
  })

  it("where a loader runs for each item, its errors nest", () => {
    const inner = Loader.make({ org, user }, { timeout: "1 second" })
    const pages = Resource.forEach("pages", {
      items: () => ["a"],
      load: (orgId) => Loader.load(inner, { orgId, userId: 1 })
    })
    expectTypeOf<Resource.Error<typeof pages>>().toEqualTypeOf<
      ResourceError<"pages", OrgError | UserError | LoadTimeout>
    >()
  })

  it("match is complete over literals and booleans, and has the types of all its cases", () => {
    const kind = Resource.make("kind", { load: () => Effect.succeed("a" as "a" | "b") })
    const choice = Resource.match("choice", { on: kind, cases: { a: org, b: users } })
    expectTypeOf<Resource.Success<typeof choice>>().toEqualTypeOf<
      { id: string } | ReadonlyArray<{ readonly id: number }>
    >()
    expectTypeOf<Resource.Error<typeof choice>>().toEqualTypeOf<OrgError | ResourceError<"users", NotFound>>()
    expectTypeOf<Resource.Services<typeof choice>>().toEqualTypeOf<Db>()
    expectTypeOf<Resource.Input<typeof choice>>().toEqualTypeOf<{ readonly orgId: string }>()
    const flag = Resource.input<boolean>()("flag")
    const either = Resource.match("either", { on: flag, cases: { true: org, false: kind } })
    expectTypeOf<Resource.Success<typeof either>>().toEqualTypeOf<{ id: string } | "a" | "b">()
    const level = Resource.input<1 | 2>()("level")
    const number = Resource.match("number", { on: level, cases: { 1: org, 2: kind } })
    expectTypeOf<Resource.Error<typeof number>>().toEqualTypeOf<OrgError>()
    // @ts-expect-error one is missing
    Resource.match("bad", { on: kind, cases: { a: org } })
    // @ts-expect-error one can never be
    Resource.match("bad", { on: kind, cases: { a: org, b: users, c: user } })
    // @ts-expect-error what cannot decide
    Resource.match("bad", { on: org, cases: {} })
    const rest = Resource.match("rest", { on: kind, cases: { a: org }, orElse: user })
    expectTypeOf<Resource.Success<typeof rest>>().toEqualTypeOf<{ id: string } | string>()
  })

  it("match over an open type has an error for what has no case, unless there is an `orElse`", () => {
    const text = Resource.input<string>()("text")
    const open = Resource.match("open", { on: text, cases: { a: org } })
    expectTypeOf<Resource.Error<typeof open>>().toEqualTypeOf<OrgError | ResourceError<"open", MatchError>>()
    const closed = Resource.match("closed", { on: text, cases: { a: org }, orElse: user })
    expectTypeOf<Resource.Error<typeof closed>>().toEqualTypeOf<OrgError | UserError>()
  })

  it("fromLoader maps inputs, and nests errors", () => {
    const inner = Loader.make({ org, user })
    const session = Resource.make("session", { load: () => Effect.fail(new Down()) as Effect.Effect<string, Down> })
    const page = Resource.fromLoader("page", inner, { inputs: { orgId: session, userId } })
    expectTypeOf(page).toEqualTypeOf<
      Resource.Resource<
        "page",
        { readonly org: { id: string }; readonly user: string },
        ResourceError<"page", OrgError | UserError> | ResourceError<"session", Down>,
        Db,
        UserInput
      >
    >()
    const later = Resource.fromLoader("later", () => inner, { inputs: { orgId: session, userId } })
    expectTypeOf<Resource.Error<typeof later>>().toEqualTypeOf<
      ResourceError<"later", OrgError | UserError> | ResourceError<"session", Down>
    >()
    const alone = Resource.fromLoader("alone", Loader.make({ session }))
    expectTypeOf<Resource.Success<typeof alone>>().toEqualTypeOf<{ readonly session: string }>()
    // @ts-expect-error one input is missing
    Resource.fromLoader("bad", inner, { inputs: { userId } })
    // @ts-expect-error an input of another type
    Resource.fromLoader("bad", inner, { inputs: { userId, orgId: userId } })
    // @ts-expect-error no inputs at all
    Resource.fromLoader("bad", inner)
  })

  class Config extends Context.Service<Config, { readonly url: string }>()("test/Config") {}
  class Cache extends Context.Service<Cache, { readonly get: number }>()("test/Cache") {}
  const ConfigLive: Layer.Layer<Config, Down> = Layer.succeed(Config, { url: "" })
  const DbLive: Layer.Layer<Db, DbError, Config | Cache> = Layer.effect(
    Db,
    Effect.fail(new DbError({ code: 1 })) as Effect.Effect<never, DbError, Config | Cache>
  )

  it("fromLayer provides its service to layers that depend on it, with policies and fallbacks around it too", () => {
    const config = Resource.fromLayer("config", Config, ConfigLive).pipe(
      Policy.timeout("1 second"),
      Resource.catch(() => Effect.succeed({ url: "spare" }))
    )
    const db = Resource.fromLayer("db", Db, DbLive, { deps: { config } })
    expectTypeOf<Resource.Error<typeof db>>().toEqualTypeOf<ResourceError<"db", DbError>>()
    expectTypeOf<Resource.Services<typeof db>>().toEqualTypeOf<Cache | Scope.Scope>()
    const strict = Resource.fromLayer("config", Config, ConfigLive).pipe(Policy.timeout("1 second"))
    const fed = Resource.fromLayer("db", Db, DbLive, { deps: { strict } })
    expectTypeOf<Resource.Services<typeof fed>>().toEqualTypeOf<Cache | Scope.Scope>()
    const changed = strict.pipe(Resource.map(({ url }) => ({ url })))
    const unfed = Resource.fromLayer("db", Db, DbLive, { deps: { changed } })
    expectTypeOf<Resource.Services<typeof unfed>>().toEqualTypeOf<Config | Cache | Scope.Scope>()
    const used = Resource.make("used", { deps: { fed }, load: ({ fed }) => fed.query("x") })
    expectTypeOf<Resource.Success<typeof used>>().toEqualTypeOf<string>()
    // @ts-expect-error a layer of something else
    Resource.fromLayer("bad", Db, ConfigLive)
  })

  it("toLayer provides the named targets, if they are such services", () => {
    const config = Resource.fromLayer("config", Config, ConfigLive)
    const size = Resource.make("size", { deps: { orgId }, load: () => Effect.succeed({ get: 1 }) })
    const start = Loader.make({ config, size })
    const layer = Loader.toLayer(start, { config: Config, size: Cache }, { orgId: "" })
    expectTypeOf(layer).toEqualTypeOf<Layer.Layer<Config | Cache, ResourceError<"config", Down>>>()
    expectTypeOf(Loader.toLayer(start, { size: Cache }, { orgId: "" })).toEqualTypeOf<
      Layer.Layer<Cache, ResourceError<"config", Down>>
    >()
    // @ts-expect-error a service of another shape
    Loader.toLayer(start, { config: Cache }, { orgId: "" })
    // @ts-expect-error no such target
    Loader.toLayer(start, { nope: Cache }, { orgId: "" })
    // @ts-expect-error inputs are missing
    Loader.toLayer(start, { size: Cache })
  })
})

describe("requests", () => {
  class Tenant extends Context.Service<Tenant, string>()("test/Tenant") {}
  class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string, NotFound, Tenant> {}
  class GetOrg extends Request.TaggedClass("GetOrg")<{ readonly id: number }, number> {}
  const Users = RequestResolver.make<GetUser>(() => Effect.void)
  const Both = RequestResolver.make<GetUser | GetOrg>(() => Effect.void)
  type Unanswered = Batching.UnansweredRequest

  it("fromRequest takes success, errors and services from the request, and knows that it may be forgotten", () => {
    const one = Resource.fromRequest("one", {
      deps: { userId },
      request: ({ userId }) => new GetUser({ id: userId }),
      resolver: Users
    })
    expectTypeOf(one).toEqualTypeOf<
      Resource.Resource<"one", string, ResourceError<"one", NotFound | Unanswered>, Tenant, UserInput>
    >()
    const org = Resource.fromRequest("org", { request: () => new GetOrg({ id: 1 }), resolver: Both })
    expectTypeOf(org).toEqualTypeOf<Resource.Resource<"org", number, ResourceError<"org", Unanswered>>>()
    // @ts-expect-error a resolver of other requests
    Resource.fromRequest("bad", { request: () => new GetOrg({ id: 1 }), resolver: Users })
    // @ts-expect-error no request
    Resource.fromRequest("bad", { request: () => 1, resolver: Users })
  })

  it("forEachRequest gives the answers in a list, and takes a policy for each", () => {
    const list = Resource.forEachRequest("list", {
      deps: { userId },
      items: ({ userId }) => [userId],
      request: (id) => new GetUser({ id }),
      resolver: Users,
      each: Policy.timeout("1 second")
    })
    expectTypeOf<Resource.Success<typeof list>>().toEqualTypeOf<ReadonlyArray<string>>()
    expectTypeOf<Resource.Error<typeof list>>().toEqualTypeOf<
      ResourceError<"list", NotFound | Unanswered | Cause.TimeoutError>
    >()
  })

  it("lists that are declared where they are used need no services that they do not need", () => {
    const requests = Loader.make({
      list: Resource.forEachRequest("list", { items: () => [1], request: (id) => new GetOrg({ id }), resolver: Both })
    })
    const items = Loader.make({ list: Resource.forEach("list", { items: () => [1], load: (n) => Effect.succeed(n) }) })
    expectTypeOf<Loader.Services<typeof requests>>().toEqualTypeOf<never>()
    expectTypeOf<Loader.Services<typeof items>>().toEqualTypeOf<never>()
  })

  it("graphAware keeps what a resolver answers, in both styles", () => {
    expectTypeOf(Batching.graphAware(Users, { maxHold: 1 })).toEqualTypeOf<typeof Users>()
    expectTypeOf(Users.pipe(Batching.graphAware({ maxHold: "1 second" }))).toEqualTypeOf<typeof Users>()
  })
})
