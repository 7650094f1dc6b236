/** A page of two users, who come from one call to a backend, and what becomes of it when the backend goes wrong. */
import {
  type Cause,
  Context,
  Data,
  type Duration,
  Effect,
  Exit,
  Option,
  Request,
  RequestResolver,
  Schedule,
  Schema
} from "effect"
import { type Batching, Loader, Policy, Report, Resource } from "effect-loader"
import type { HttpClientError } from "effect/http"
import type { RedisError } from "effect/persistence/Redis"
import type { SqlError } from "effect/sql"
import { errorIn } from "../kit/errorIn.ts"

export const User = Schema.Struct({ id: Schema.String, name: Schema.String })
type User = typeof User.Type

/** The backend's answer has no such user. */
class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}

type BackendError = SqlError.SqlError | HttpClientError.HttpClientError | RedisError
type LookupError = BackendError | Schema.SchemaError

/** Users by their ids, in one call. */
export class Users extends Context.Service<
  Users,
  { readonly find: (ids: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<User>, LookupError> }
>()("faults/Users") {}

class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: string }, User, LookupError | NotFound, Users> {}

const resolver = RequestResolver.make<GetUser>((entries) =>
  Users.use((users) => users.find(entries.map(({ request }) => request.id))).pipe(
    Effect.provideContext(entries[0].context),
    Effect.map((found) => {
      for (const entry of entries) {
        const user = found.find(({ id }) => id === entry.request.id)
        entry.completeUnsafe(user === undefined ? Exit.fail(new NotFound(entry.request)) : Exit.succeed(user))
      }
    })
  )
)

const isTransient = ({ _tag }: Cause.TimeoutError | LookupError | NotFound | Batching.UnansweredRequest) =>
  _tag !== "SchemaError" && _tag !== "NotFound" && _tag !== "UnansweredRequest"

/** How often users are asked for again, and how long each attempt may take. */
interface Patience {
  readonly times: number
  readonly timeout: Duration.Input
}

const user = (id: string, { timeout, times }: Patience) =>
  Resource.fromRequest(`user ${id}`, { request: () => new GetUser({ id }), resolver }).pipe(
    Policy.timeout(timeout),
    Policy.retry({ times, schedule: Schedule.spaced("50 millis"), while: isTransient })
  )

/** The page itself can do without its users. */
export const page = (patience: Patience) => {
  const ada = user("1", patience)
  const bob = user("2", patience)
  const deps = { ada: Resource.option(ada), bob: Resource.option(bob) }
  const named = (user: Option.Option<User>) =>
    Option.match(user, { onNone: () => "somebody", onSome: ({ name }) => name })
  const page = Resource.make("page", {
    deps,
    load: ({ ada, bob }) => Effect.succeed(`${named(ada)} and ${named(bob)}`)
  })
  return Loader.make({ ada, bob, page })
}

/** Gives up after three attempts. */
export const hasty = 2

/** Goes on for as long as a restart takes. */
export const patient = 2000

const nameOf = (error: unknown): string => {
  const { _tag, reason } = error as { readonly _tag: string; readonly reason?: { readonly _tag: string } }
  return reason === undefined ? _tag : `${_tag} (${reason._tag})`
}

const tell = ({ attempts, outcome }: Report.ResourceReport): string => {
  if (outcome._tag === "Succeeded") return attempts === 1 ? "loaded" : "loaded after a retry"
  if (outcome._tag !== "Failed") return outcome._tag
  const error = errorIn(outcome.cause)
  if (error === undefined) return "no typed failure"
  return `${nameOf(error)}, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`
}

/** What became of the users, in a line. */
export const tellUsers = (report: Report.Report<unknown>): string => {
  const [ada, bob] = ["user 1", "user 2"].map((name) => tell(Report.get(report, name)!))
  return ada === bob ? `${ada}` : `one ${ada}, the other ${bob}`
}
