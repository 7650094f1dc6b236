/**
 * A way to a server that can be broken: a loopback port that passes on what it gets, and does with the answers what it is
 * told. It knows no protocol, so it breaks any.
 */
import { Effect } from "effect"
import { connect, createServer, type Server, type Socket } from "node:net"
import { listen, unlisten } from "./listening.ts"

/**
 * - `Passes`: all is well.
 * - `Refuses`: nobody listens, and what was connected is cut.
 * - `Resets`: the connection is reset where an answer would come.
 * - `Cuts`: the beginning of an answer comes, then the connection ends.
 * - `Delays`: whatever comes, comes so many milliseconds late.
 */
type Behaviour =
  | { readonly _tag: "Passes" | "Refuses" | "Resets" | "Cuts" }
  | { readonly _tag: "Delays"; readonly millis: number }

export interface FaultyLink {
  readonly port: number
  /** Done when a question has been passed on that has no answer yet. */
  readonly asked: Effect.Effect<void>
  readonly behave: (behaviour: Behaviour) => Effect.Effect<void>
}

export const to = (port: number, host: string = "127.0.0.1") =>
  Effect.acquireRelease(
    Effect.promise(() => open(port, host)),
    ({ behave }) => behave({ _tag: "Refuses" })
  )

const open = async (target: number, host: string): Promise<FaultyLink> => {
  let behaviour: Behaviour = { _tag: "Passes" }
  const questions = new Questions()
  const server = createServer((client) => join(client, connect(target, host), questions, () => behaviour))
  const sockets = socketsOf(server)
  const port = await listen(server)
  return {
    port,
    asked: questions.asked,
    behave: (next) =>
      Effect.promise(async () => {
        behaviour = next
        if (next._tag !== "Refuses") return listen(server, port)
        for (const socket of sockets) socket.destroy()
        return unlisten(server)
      }).pipe(Effect.asVoid)
  }
}

const socketsOf = (server: Server): ReadonlySet<Socket> => {
  const sockets = new Set<Socket>()
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  return sockets
}

/** The connections on which a question waits for its answer. */
class Questions {
  private readonly open = new Set<Socket>()
  private readonly waiting = new Set<() => void>()

  readonly asked: Effect.Effect<void> = Effect.callback((resume) => {
    const tell = () => resume(Effect.void)
    if (this.open.size > 0) return tell()
    this.waiting.add(tell)
    return Effect.sync(() => this.waiting.delete(tell))
  })

  ask(client: Socket): void {
    this.open.add(client)
    for (const tell of this.waiting) tell()
    this.waiting.clear()
  }

  end(client: Socket): void {
    this.open.delete(client)
  }
}

/** Where one side ends, however it does, so does the other. */
const join = (client: Socket, server: Socket, questions: Questions, behaviour: () => Behaviour): void => {
  client.on("data", (question) => {
    server.write(question)
    questions.ask(client)
  })
  server.on("data", (answer) => {
    questions.end(client)
    pass(answer, client, behaviour())
  })
  client.once("close", () => questions.end(client))
  for (const [one, other] of [
    [client, server],
    [server, client]
  ] as const) {
    one.on("error", () => {})
    one.once("close", () => other.destroy())
  }
}

const pass = (answer: Buffer, client: Socket, behaviour: Behaviour): void => {
  switch (behaviour._tag) {
    case "Passes":
      client.write(answer)
      return
    case "Delays":
      setTimeout(() => client.write(answer), behaviour.millis)
      return
    case "Cuts":
      client.end(answer.subarray(0, Math.floor(answer.length / 3)))
      return
    case "Resets":
    case "Refuses":
      client.resetAndDestroy()
  }
}
