/** An HTTP service that can be told to go wrong. It knows users by their ids: `GET /users?ids=1,2`. */
import { Deferred, Effect } from "effect"
import { createServer, type ServerResponse } from "node:http"
import { listen, unlisten } from "./listening.ts"

/**
 * - `Answers`: all is well.
 * - `Refuses`: nobody listens, and what was connected is cut.
 * - `Resets`: the connection is reset in the place of an answer.
 * - `Halves`: the answer says how long it is, and ends in the middle.
 * - `Hangs`: no answer ever comes.
 * - `Delays`: the answer comes so many milliseconds late.
 * - `Misshapes`: the answer is well-formed, and not what was agreed on.
 * - `Forgets`: the last of the users that were asked for is missing.
 * - `Fails`: status 503.
 */
type Behaviour =
  | { readonly _tag: "Answers" | "Refuses" | "Resets" | "Halves" | "Hangs" | "Misshapes" | "Forgets" | "Fails" }
  | { readonly _tag: "Delays"; readonly millis: number }

interface FaultyService {
  readonly url: string
  /** Done when a request hangs. */
  readonly hanging: Effect.Effect<void>
  readonly behave: (behaviour: Behaviour) => Effect.Effect<void>
}

export const make = Effect.acquireRelease(
  Effect.promise(() => open()),
  ({ behave }) => behave({ _tag: "Refuses" })
)

const open = async (): Promise<FaultyService> => {
  let behaviour: Behaviour = { _tag: "Answers" }
  let hangs = Deferred.makeUnsafe<void>()
  const server = createServer((request, response) => {
    if (behaviour._tag === "Hangs") Deferred.doneUnsafe(hangs, Effect.void)
    const ids = new URL(request.url ?? "/", "http://localhost").searchParams.get("ids")
    answer(response, usersOf(ids?.split(",") ?? []), behaviour)
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    hanging: Effect.suspend(() => Deferred.await(hangs)),
    behave: (next) =>
      Effect.promise(async () => {
        behaviour = next
        hangs = Deferred.makeUnsafe()
        if (next._tag !== "Refuses") return listen(server, port)
        server.closeAllConnections()
        return unlisten(server)
      }).pipe(Effect.asVoid)
  }
}

const names = new Map([
  ["1", "Ada"],
  ["2", "Bob"]
])

const usersOf = (ids: ReadonlyArray<string>) => ids.map((id) => ({ id, name: names.get(id) ?? "somebody" }))

const send = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body))
}

const sendHalf = (response: ServerResponse, body: string): void => {
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length })
  response.write(body.slice(0, body.length / 2), () => response.destroy())
}

const answer = (response: ServerResponse, users: ReturnType<typeof usersOf>, behaviour: Behaviour): void => {
  switch (behaviour._tag) {
    case "Answers":
      return send(response, users)
    case "Delays":
      setTimeout(() => send(response, users), behaviour.millis)
      return
    case "Halves":
      return sendHalf(response, JSON.stringify(users))
    case "Misshapes":
      return send(
        response,
        users.map(({ id }) => ({ id, name: null }))
      )
    case "Forgets":
      return send(response, users.slice(0, -1))
    case "Fails":
      response.writeHead(503).end()
      return
    case "Hangs":
      return
    case "Refuses":
    case "Resets":
      response.socket?.resetAndDestroy()
  }
}
