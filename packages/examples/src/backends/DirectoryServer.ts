/** The HTTP service of the example: people, what they are told, and what they may do. It listens on a free port. */
import { NodeHttpServer } from "@effect/platform-node"
import { Context, type Duration, Effect, Exit, Layer, Scope } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import { latency } from "./Latency.ts"

const users = new Map([["ada", { id: "ada", name: "Ada Lovelace" }]])

const notifications = [{ text: "Build 1182 passed" }, { text: "Grace asks for a review of #87" }]

const permissions = { role: "maintainer", can: ["read", "deploy", "invite"] }

const answer = (after: Duration.Duration, body: (id: string | undefined) => unknown) =>
  Effect.gen(function* () {
    const { id } = yield* HttpRouter.params
    yield* Effect.sleep(after)
    const found = body(id)
    return found === undefined ? HttpServerResponse.empty({ status: 404 }) : HttpServerResponse.jsonUnsafe(found)
  })

const routes = HttpRouter.addAll([
  HttpRouter.route("GET", "/health", Effect.succeed(HttpServerResponse.empty())),
  HttpRouter.route(
    "GET",
    "/users/:id",
    answer(latency.user, (id) => users.get(id ?? ""))
  ),
  HttpRouter.route(
    "GET",
    "/users/:id/notifications",
    answer(latency.notifications, () => notifications)
  ),
  HttpRouter.route(
    "GET",
    "/users/:id/permissions/:project",
    answer(latency.permissions, () => permissions)
  )
])

const listening = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provideMerge(
    NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: "1 second" })
  )
)

/** The service as it runs: where it is, and how to stop it before the program ends. */
export class DirectoryServer extends Context.Service<
  DirectoryServer,
  { readonly url: string; readonly stop: Effect.Effect<void> }
>()("examples/DirectoryServer") {
  static readonly layer = Layer.effect(
    DirectoryServer,
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope)
      const server = Context.get(yield* Layer.buildWithScope(listening, scope), HttpServer.HttpServer)
      return { url: HttpServer.formatAddress(server.address), stop: Scope.close(scope, Exit.void) }
    })
  )
}
