/** The HTTP service of this example, which does as badly as it is told. It listens on a free port of this machine. */
import { Context, Effect, Layer } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * How it does: `well`; `unevenly`, with every fifth answer late; `refusing` all with a status 503 that asks for a second of
 * peace; `gone`, so that connections break.
 */
export type Health = "well" | "unevenly" | "refusing" | "gone"

/** How long answers take, in milliseconds: one that is late could as well not come. */
export const usual = 10
export const late = 5000

const bodies: Readonly<Record<string, unknown>> = {
  "/user": { name: "Ada Lovelace" },
  "/rate": { euro: 0.9 },
  "/offers": ["a difference engine"]
}

class Faults {
  health: Health = "well"
  asked = 0

  readonly answer = (request: IncomingMessage, response: ServerResponse): void => {
    const after = this.health === "unevenly" && ++this.asked % 5 === 0 ? late : usual
    if (this.health !== "unevenly") this.asked++
    if (this.health === "gone") return void request.socket.destroy()
    if (this.health === "refusing") return void response.writeHead(503, { "retry-after": "1" }).end()
    const timer = setTimeout(() => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(bodies[request.url ?? ""]))
    }, after)
    // Whoever has gone away waits for nothing.
    response.once("close", () => clearTimeout(timer))
  }
}

export class Backend extends Context.Service<
  Backend,
  {
    readonly url: string
    /** From now on it does so. */
    readonly become: (health: Health) => Effect.Effect<void>
    /** How many requests have reached it. */
    readonly asked: Effect.Effect<number>
  }
>()("outage/Backend") {
  static readonly layer = Layer.effect(
    Backend,
    Effect.gen(function* () {
      const faults = new Faults()
      const server = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer(faults.answer)
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) =>
          Effect.callback<void>((resume) => {
            server.close(() => resume(Effect.void))
            server.closeAllConnections()
          })
      )
      return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        become: (health) => Effect.sync(() => void (faults.health = health)),
        asked: Effect.sync(() => faults.asked)
      }
    })
  )
}
