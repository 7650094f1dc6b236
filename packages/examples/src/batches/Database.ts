/** A database of users as one has it: it answers each query after a while, and this one says what it was asked. */
import { Console, Data, Effect, Exit, Request, RequestResolver } from "effect"
import { Batching } from "effect-loader"

export class NoSuchUser extends Data.TaggedError("NoSuchUser")<{ readonly id: number }> {}

export interface User {
  readonly id: number
  readonly name: string
  readonly managerId: number
}

export class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, User, NoSuchUser> {}

const names = ["Ada", "Alan", "Barbara", "Edsger", "Frances", "Grace", "Hedy", "John", "Margaret", "Radia"]

const rowOf = (id: number): User => ({ id, name: `${names[id % names.length]} ${id}`, managerId: 1 + (id % 3) })

const isThere = (id: number): boolean => id > 0 && id <= 100

let queries = 0

/** How many queries there have been since the last time that this was asked. */
export const queriesSince = Effect.sync(() => {
  const since = queries
  queries = 0
  return since
})

/** `select * from users where id in (...)`: one query for all that are asked for. */
const select = (ids: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    queries++
    yield* Console.log(`  query for ${ids.length} users: ${ids.join(" ")}`)
    yield* Effect.sleep("20 millis")
    return new Map(ids.filter(isThere).map((id) => [id, rowOf(id)]))
  })

export const Users = RequestResolver.make<GetUser>((entries) =>
  Effect.gen(function* () {
    const rows = yield* select(entries.map(({ request }) => request.id))
    for (const entry of entries) {
      const { id } = entry.request
      const row = rows.get(id)
      entry.completeUnsafe(row === undefined ? Exit.fail(new NoSuchUser({ id })) : Exit.succeed(row))
    }
  })
)

/** The same, but a batch waits up to 200ms for what its page is still to ask. */
export const PatientUsers = Users.pipe(Batching.graphAware({ maxHold: "200 millis" }))
