/** A handler of Node's own HTTP server, which knows nothing of Effect but the runtime that it is given. */
import { Exit, type ManagedRuntime } from "effect"
import type { RequestListener, ServerResponse } from "node:http"
import { OrgId, ProjectId, UserId } from "../page/Model.ts"
import { type Answer, answer } from "./answer.ts"
import type { Page } from "./Page.ts"

/** `/orgs/acme/projects/launchpad?user=ada` */
const route = new URLPattern({ pathname: "/orgs/:org/projects/:project" })

const inputsOf = (url: string) => {
  const found = route.exec(url, "http://localhost")?.pathname.groups
  const user = new URL(url, "http://localhost").searchParams.get("user")
  if (found?.["org"] === undefined || found["project"] === undefined || user === null) return undefined
  return { orgId: OrgId.make(found["org"]), projectId: ProjectId.make(found["project"]), userId: UserId.make(user) }
}

/** Aborts when the client goes away before it has its answer. */
const disconnected = (response: ServerResponse): AbortSignal => {
  const controller = new AbortController()
  response.once("close", () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}

const send = (response: ServerResponse, { body, status }: Answer): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
}

const noSuchPage: Answer = { status: 404, body: { error: "no such page" } }
const broken: Answer = { status: 500, body: { error: "this is our fault" } }

export const handlerOf =
  <E>(runtime: ManagedRuntime.ManagedRuntime<Page, E>): RequestListener =>
  async (request, response) => {
    const inputs = inputsOf(request.url ?? "/")
    if (inputs === undefined) return send(response, noSuchPage)
    // The promise is there when the run is over, with its last finalizer, also when it was aborted.
    const exit = await runtime.runPromiseExit(answer(inputs), { signal: disconnected(response) })
    if (response.destroyed) return
    send(response, Exit.isSuccess(exit) ? exit.value : broken)
  }
