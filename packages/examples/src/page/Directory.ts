/** Users, their notifications and permissions, from the HTTP service. */
import { Context, Data, Effect, Layer, Schema } from "effect"
import type { HttpClientError } from "effect/http"
import { DirectoryServer } from "../backends/DirectoryServer.ts"
import * as JsonClient from "../backends/JsonClient.ts"
import { Notification, Permissions, type ProjectId, User, type UserId } from "./Model.ts"
import { NotFound } from "./NotFound.ts"

/** The service gave no usable answer: nobody listens, or it answered with a failure of its own. */
class DirectoryDown extends Data.TaggedError("DirectoryDown")<{
  readonly message: string
  readonly cause: HttpClientError.HttpClientError
}> {}

const down = (cause: HttpClientError.HttpClientError) =>
  new DirectoryDown({
    message: `${cause.response === undefined ? "no connection" : `status ${cause.response.status}`} (${cause.request.url})`,
    cause
  })

export class Directory extends Context.Service<Directory>()("page/Directory", {
  make: Effect.gen(function* () {
    const { url } = yield* DirectoryServer
    const directory = yield* JsonClient.make(url)
    yield* directory.isThere("/health")

    const get = <A, I>(path: string, schema: Schema.Codec<A, I>): Effect.Effect<A, DirectoryDown> =>
      Effect.mapError(directory.get(path, schema), down)

    return {
      user: (id: UserId): Effect.Effect<User, NotFound | DirectoryDown> =>
        get(`/users/${id}`, User).pipe(
          Effect.catchIf(
            ({ cause }) => cause.response?.status === 404,
            () => Effect.fail(new NotFound({ kind: "user", id }))
          )
        ),

      notifications: (id: UserId): Effect.Effect<ReadonlyArray<Notification>, DirectoryDown> =>
        get(`/users/${id}/notifications`, Schema.Array(Notification)),

      permissions: (id: UserId, project: ProjectId): Effect.Effect<Permissions, DirectoryDown> =>
        get(`/users/${id}/permissions/${project}`, Permissions)
    }
  })
}) {
  static readonly layer = Layer.effect(this, this.make)
}
