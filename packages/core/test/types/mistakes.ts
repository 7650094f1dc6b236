/** Typical mistakes, and what TypeScript says of them. `docs/messages.md` is made from this table. */

/** What all programs of the table begin with. */
export const start = `import { Context, Data, Effect } from "effect"
import { Limiter, Loader, Policy, Resource, ResourceCache } from "effect-loader"

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number }> {}
class Db extends Context.Service<Db, { readonly query: (sql: string) => Effect.Effect<string> }>()("app/Db") {}
class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
class Users extends ResourceCache.Service<Users>()("app/Users") {}

const orgId = Resource.input<string>()("orgId")
const plan = Resource.input<"free" | "pro">()("plan")
const org = Resource.make("org", { deps: { orgId }, load: ({ orgId }) => Effect.succeed({ id: orgId }) })
const user = Resource.make("user", { load: (): Effect.Effect<string, HttpError> => Effect.succeed("ada") })
const page = Loader.make({ org })
`

export interface Mistake {
  readonly title: string
  readonly wrong: string
  /** What of the compiler's text says what to do, or what is wrong. */
  readonly says: ReadonlyArray<string>
  readonly hint: string
  /** The same without the mistake. */
  readonly right: string
}

export const mistakes: ReadonlyArray<Mistake> = [
  {
    title: "The inputs are forgotten",
    wrong: `Loader.load(page)`,
    says: [`Property '"the inputs are missing"' is missing in type`, `MissingInputs<{ readonly orgId: string; }>`],
    hint: "The loader needs inputs: the type in `MissingInputs` says which.",
    right: `Loader.load(page, { orgId: "acme" })`
  },
  {
    title: "The inputs are forgotten in a pipe",
    wrong: `page.pipe(Loader.load)`,
    says: [
      `"the inputs are missing: page.pipe(Loader.load({ userId })), or Loader.load(page) where the loader needs none"`
    ],
    hint: "A loader that needs no inputs is not piped, but given: `Loader.load(page)`.",
    right: `page.pipe(Loader.load({ orgId: "acme" }))`
  },
  {
    title: "An input has a wrong key",
    wrong: `Loader.load(page, { org: "acme" })`,
    says: [`'org' does not exist in type '{ readonly orgId: string; }'`],
    hint: "The key of an input is its name.",
    right: `Loader.load(page, { orgId: "acme" })`
  },
  {
    title: "An input has a wrong key in a pipe",
    wrong: `page.pipe(Loader.load({ org: "acme" }))`,
    says: [`Property 'orgId' is missing in type '{ org: string; }' but required in type '{ readonly orgId: string; }'`],
    hint: "The last line says which input is missing.",
    right: `page.pipe(Loader.load({ orgId: "acme" }))`
  },
  {
    title: "A resource where a loader is needed",
    wrong: `Loader.load(user)`,
    says: [`"this is a resource: make a loader of it, Loader.make({ user })"`],
    hint: "A loader is compiled once, at module level, and runs many times.",
    right: `Loader.load(Loader.make({ user }))`
  },
  {
    title: "A resource where a loader is needed, with inputs",
    wrong: `Loader.load(org, { orgId: "acme" })`,
    says: [`is missing in type 'Resource<"org", `, `but required in type 'Loader<`],
    hint: "The text says that a resource came where a loader is needed.",
    right: `Loader.load(Loader.make({ org }), { orgId: "acme" })`
  },
  {
    title: "Dependencies in a list",
    wrong: `Resource.make("x", { deps: [org], load: () => Effect.void })`,
    says: [`"give an object with the resources by local key, { user, org }, not a list or an effect"`],
    hint: "The keys are the names that `load` uses.",
    right: `Resource.make("x", { deps: { org }, load: ({ org }) => Effect.succeed(org.id) })`
  },
  {
    title: "Dependencies as an Effect",
    wrong: `Resource.make("x", { deps: Effect.succeed({ org }), load: () => Effect.void })`,
    says: [`"give an object with the resources by local key, { user, org }, not a list or an effect"`],
    hint: "Dependencies are declared, not computed. One of several is chosen with `Resource.match`.",
    right: `Resource.make("x", { deps: { org }, load: () => Effect.void })`
  },
  {
    title: "Dependencies as a Promise",
    wrong: `Resource.make("x", { deps: Promise.resolve({ org }), load: () => Effect.void })`,
    says: [`"give an object with the resources by local key, { user, org }, not a promise"`],
    hint: "Dependencies that are declared later are given as a function.",
    right: `Resource.make("x", { deps: () => ({ org }), load: () => Effect.void })`
  },
  {
    title: "One resource as dependencies",
    wrong: `Resource.make("x", { deps: org, load: () => Effect.void })`,
    says: [`"give an object with the resource by local key, { user }, not the resource itself"`],
    hint: "Also a single dependency has a key.",
    right: `Resource.make("x", { deps: { org }, load: () => Effect.void })`
  },
  {
    title: "One resource as targets",
    wrong: `Loader.make(org)`,
    says: [`"give an object with the resource by local key, { user }, not the resource itself"`],
    hint: "The keys are those of the values that the load gives.",
    right: `Loader.make({ org })`
  },
  {
    title: "An Effect among the dependencies",
    wrong: `Resource.make("x", { deps: { name: Effect.succeed("acme") }, load: () => Effect.void })`,
    says: [`Type 'Effect<string, never, never>' is missing the following properties from type 'Resource<`],
    hint: "A dependency is a resource: give the effect a name.",
    right: `Resource.make("x", {
  deps: { name: Resource.make("name", { load: () => Effect.succeed("acme") }) },
  load: () => Effect.void
})`
  },
  {
    title: "A Promise among the dependencies",
    wrong: `Resource.make("x", { deps: { name: Promise.resolve("acme") }, load: () => Effect.void })`,
    says: [`Type 'Promise<string>' is missing the following properties from type 'Resource<`],
    hint: "A dependency is a resource: give what makes the promise a name.",
    right: `Resource.make("x", {
  deps: { name: Resource.make("name", { load: () => Effect.promise(() => Promise.resolve("acme")) }) },
  load: () => Effect.void
})`
  },
  {
    title: "A loader among the dependencies",
    wrong: `Resource.make("x", { deps: { page }, load: () => Effect.void })`,
    says: [`Type 'Loader<`, `is missing the following properties from type 'Resource<`],
    hint: "`Resource.fromLoader` makes a resource of a loader.",
    right: `Resource.make("x", {
  deps: { page: Resource.fromLoader("page", page, { inputs: { orgId } }) },
  load: () => Effect.void
})`
  },
  {
    title: "A dependency that is not declared",
    wrong: `Resource.make("x", { deps: { org }, load: ({ organization }) => Effect.succeed(organization) })`,
    says: [`Property 'organization' does not exist on type '{ readonly org: { id: string; }; }'`],
    hint: "`load` gets the values of `deps`, by their keys.",
    right: `Resource.make("x", { deps: { org }, load: ({ org }) => Effect.succeed(org) })`
  },
  {
    title: "A load that gives a value",
    wrong: `Resource.make("x", { load: () => 1 })`,
    says: [`Type 'number' is not assignable to type 'Effect<unknown, unknown, unknown>'`],
    hint: "Wrap the value, or declare it with `Resource.succeed`.",
    right: `Resource.make("x", { load: () => Effect.succeed(1) })`
  },
  {
    title: "A load that gives a Promise",
    wrong: `Resource.make("x", { load: async () => 1 })`,
    says: [`Type 'Promise<number>' is missing the following properties from type 'Effect<unknown, unknown, unknown>'`],
    hint: "Wrap what makes the promise: `Effect.tryPromise`, or `Effect.promise` where it never rejects.",
    right: `Resource.make("x", { load: () => Effect.promise(async () => 1) })`
  },
  {
    title: "An input that is called once",
    wrong: `Resource.input<string>("x")`,
    says: [`"the type comes first, and the name after it: Resource.input<string>()(name)"`],
    hint: "Two calls, so that TypeScript infers the name while you give the type.",
    right: `Resource.input<string>()("x")`
  },
  {
    title: "A service that is called once",
    wrong: `class Page extends Loader.Service("app/Page", { org }) {}`,
    says: [`"call it first: class Page extends Loader.Service<Page>()(id, { user }) {}"`],
    hint: "The class is a type argument of the first call.",
    right: `class Page extends Loader.Service<Page>()("app/Page", { org }) {}`
  },
  {
    title: "A limiter that is called once",
    wrong: `class Redis extends Limiter.Service<Redis>("app/Redis") {}`,
    says: [`"call it first: class Postgres extends Limiter.Service<Postgres>()(id) {}"`],
    hint: "As with all services, the class is a type argument of the first call.",
    right: `class Redis extends Limiter.Service<Redis>()("app/Redis") {}`
  },
  {
    title: "A cache that is called once",
    wrong: `class Orgs extends ResourceCache.Service<Orgs>("app/Orgs", { keyed: true }) {}`,
    says: [`"call it first: class Users extends ResourceCache.Service<Users>()(id) {}"`],
    hint: "As with all services, the class is a type argument of the first call.",
    right: `class Orgs extends ResourceCache.Service<Orgs>()("app/Orgs", { keyed: true }) {}`
  },
  {
    title: "A retry with a number",
    wrong: `user.pipe(Policy.retry(3))`,
    says: ['"give `times`, `schedule` or both: Policy.retry({ times: 3 })"'],
    hint: "`times` counts the retries after the first attempt.",
    right: `user.pipe(Policy.retry({ times: 3 }))`
  },
  {
    title: "A composed retry that reads errors of one type",
    wrong: `Policy.compose(Policy.timeout("1 second"), Policy.retry({ times: 3, while: (error: HttpError) => error.status >= 500 }))`,
    says: [`"it has to fit every resource: read the error as unknown, { while: (error: unknown) => ... }"`],
    hint: "The timeout adds an error that is no `HttpError`, and the policy is for resources with other errors, too.",
    right: `Policy.compose(
  Policy.timeout("1 second"),
  Policy.retry({ times: 3, while: (error) => error instanceof HttpError && error.status >= 500 })
)`
  },
  {
    title: "A default policy that reads errors of one type",
    wrong: `Loader.make({ user }, { policy: Policy.retry({ times: 3, while: (error: HttpError) => error.status >= 500 }) })`,
    says: [`"it has to fit every resource: read the error as unknown, { while: (error: unknown) => ... }"`],
    hint: "A default policy is for all resources of the loader.",
    right: `Loader.make(
  { user },
  { policy: Policy.retry({ times: 3, while: (error) => error instanceof HttpError && error.status >= 500 }) }
)`
  },
  {
    title: "A limit with a layer",
    wrong: `user.pipe(Policy.limit(Postgres.layer({ limit: 10 })))`,
    says: [`"the class of a limiter, Policy.limit(Postgres): provide its layer to the program"`],
    hint: "The resource names the limiter; the program is provided with its layer, once.",
    right: `user.pipe(Policy.limit(Postgres))`
  },
  {
    title: "A cache with a layer",
    wrong: `user.pipe(Policy.cache(Users.layer({ timeToLive: "1 minute" })))`,
    says: [`"the class of a cache, Policy.cache(Users): provide its layer to the program"`],
    hint: "The resource names the cache; the program is provided with its layer, once.",
    right: `user.pipe(Policy.cache(Users))`
  },
  {
    title: "A policy around a loader",
    wrong: `page.pipe(Policy.timeout("1 second"))`,
    says: [`is missing the following properties from type 'Resource<`],
    hint: "Policies are for resources. A loader has options: `timeout`, `concurrency`, and `policy` for all its resources.",
    right: `Loader.make({ org }, { timeout: "1 second" })`
  },
  {
    title: "A match with a case missing",
    wrong: `Resource.match("x", { on: plan, cases: { free: user } })`,
    says: [`Property 'pro' is missing in type '{ free: `, `but required in type '{ readonly free: `],
    hint: "Give the case, or an `orElse` for all values that have none.",
    right: `Resource.match("x", { on: plan, cases: { free: user }, orElse: org })`
  },
  {
    title: "A match with a case too many",
    wrong: `Resource.match("x", { on: plan, cases: { free: user, pro: org, other: org } })`,
    says: ['"the resource in `on` never has this value"'],
    hint: "The cases are the values of the resource in `on`.",
    right: `Resource.match("x", { on: plan, cases: { free: user, pro: org } })`
  },
  {
    title: "A match on an object",
    wrong: `Resource.match("x", { on: org, cases: { acme: user }, orElse: org })`,
    says: [`Type '{ id: string; }' is not assignable to type 'string | number | boolean'`],
    hint: "A match decides by a string, a number or a boolean: map the resource to one.",
    right: `Resource.match("x", { on: org.pipe(Resource.map((org) => org.id)), cases: { acme: user }, orElse: org })`
  },
  {
    title: "An override by a wrong type",
    wrong: `page.pipe(Loader.override(org, { id: 1 }))`,
    says: ["Type 'number' is not assignable to type 'string'"],
    hint: "The replacement has the type of the value: a value, an effect, a function, or a resource of the same name.",
    right: `page.pipe(Loader.override(org, { id: "1" }))`
  },
  {
    title: "Values for a target that there is not",
    wrong: `page.pipe(Loader.withValues({ organization: { id: "acme" } }))`,
    says: [`"the values are not those of the targets"`],
    hint: "The keys are those of `Loader.make`.",
    right: `page.pipe(Loader.withValues({ org: { id: "acme" } }))`
  },
  {
    title: "A service that is not provided",
    wrong: `const rows = Resource.make("rows", { load: () => Db.use((db) => db.query("select 1")) })
Effect.runPromise(Loader.load(Loader.make({ rows })))`,
    says: [`Type 'Db' is not assignable to type 'never'`],
    hint: "The last line names the service. Provide it to the load.",
    right: `const rows = Resource.make("rows", { load: () => Db.use((db) => db.query("select 1")) })
Effect.runPromise(Effect.provideService(Loader.load(Loader.make({ rows })), Db, { query: Effect.succeed }))`
  },
  {
    title: "A limiter that is not provided",
    wrong: `Effect.runPromise(Loader.load(Loader.make({ user: user.pipe(Policy.limit(Postgres)) })))`,
    says: [`Type 'Postgres' is not assignable to type 'never'`],
    hint: "Provide the layer of the limiter, once, at the top of the program.",
    right: `Loader.load(Loader.make({ user: user.pipe(Policy.limit(Postgres)) })).pipe(
  Effect.provide(Postgres.layer({ limit: 10 })),
  Effect.runPromise
)`
  }
]
