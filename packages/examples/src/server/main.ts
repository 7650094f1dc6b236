/**
 * A service in code that is not Effect: Node's own HTTP server, one runtime, and a loader behind its handler. It makes
 * requests to itself, tells what happened, and ends.
 */
import { Effect, Layer, ManagedRuntime } from "effect"
import { Loader, Observer, Plan, Report, type RunEvent } from "effect-loader"
import { toWaterfall } from "@effect-loader/terminal"
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import { DirectoryServer } from "../backends/DirectoryServer.ts"
import * as Latency from "../backends/Latency.ts"
import { PostgresServer } from "../backends/PostgresServer.ts"
import { bad, bold, dim, fact, paragraph, print, section, width } from "../terminal/Text.ts"
import { warmUp } from "./Banners.ts"
import { Desk } from "./Desk.ts"
import { handlerOf } from "./handler.ts"
import { Page } from "./Page.ts"
import { services, StartUp } from "./startUp.ts"

const started: Array<RunEvent.RunEvent> = []
const served: Array<RunEvent.RunEvent> = []

const watched = (events: Array<RunEvent.RunEvent>) => Observer.layer((event) => events.push(event))

const runtime = ManagedRuntime.make(
  Layer.provideMerge(Layer.merge(Page.layer, watched(served)), StartUp.pipe(Layer.provide(watched(started))))
)

/** Prints from code that is not Effect. */
const tell = (what: Effect.Effect<void>): void => Effect.runSync(what)

const introduce = async (): Promise<void> => {
  const { directory, postgres } = await runtime.runPromise(
    Effect.all({ directory: DirectoryServer, postgres: PostgresServer })
  )
  tell(fact("SQL", postgres.description))
  tell(fact("HTTP", `a service of this program on ${directory.url}`))
  const latency = Latency.range(["user", "notifications"])
  tell(paragraph("", `latency injected by sleeps in queries and handlers: ${latency} an answer`))
  tell(fact("memory", "a cache of banners, and a desk that counts who is being served"))
  tell(fact("", dim(`latency injected by a sleep in the warm-up of the cache: ${warmUp}ms`)))
}

const showStart = (): void => {
  tell(section("The start-up graph", "each service as a resource, from src/server/startUp.ts"))
  tell(print(Plan.toText(Loader.plan(services))))
  tell(section("The start-up", "each is built as soon as what it needs is there"))
  tell(print(toWaterfall(Report.fromEvents(started)!, { columns: width })))
}

const listen = async (): Promise<Server> => {
  const server = createServer(handlerOf(runtime))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return server
}

const pageOf = (org: string, user: string = "ada"): string => `/orgs/${org}/projects/launchpad?user=${user}`

/** What a client gets: the status and the beginning of the body, or that it went away. */
const get = async (url: string, patience: number = 10_000): Promise<string> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(patience) })
    const body = await response.text()
    const room = width - 19
    return `${response.status}  ${body.length > room ? `${body.slice(0, room - 1)}…` : body}`
  } catch {
    return `-    the client went away after ${patience}ms`
  }
}

const runsEnded = (): ReadonlyArray<RunEvent.RunEnded> => served.filter((event) => event._tag === "RunEnded")

/** Waits until nothing is loaded any more: an answer that nobody waits for has no other sign of its end. */
const quiet = async (): Promise<void> => {
  while (served.filter(({ _tag }) => _tag === "RunStarted").length > runsEnded().length) await pause(5)
}

const showRequests = async (url: string): Promise<void> => {
  tell(section("Requests, one after the other"))
  const requests: ReadonlyArray<readonly [string, string, number?]> = [
    ["ok", pageOf("acme")],
    ["not found", pageOf("globex")],
    ["not allowed", pageOf("acme", "mallory")],
    ["no such page", "/favicon.ico"],
    ["slow client", pageOf("acme"), 100]
  ]
  for (const [what, path, patience] of requests) {
    tell(print(`${what.padEnd(14)}${await get(url + path, patience)}`))
  }
  await quiet()
  const last = runsEnded().at(-1)!.run
  tell(section("What became of the load of the client that went away"))
  const events = served.filter(({ run }) => run === last)
  tell(print(toWaterfall(Report.fromEvents(events)!, { columns: width })))
}

const showCrowd = async (url: string): Promise<void> => {
  tell(section("40 clients at once", "every fourth goes away after 10 to 100ms"))
  const before = runsEnded().length
  const clients = Array.from({ length: 40 }, (_, i) =>
    get(url + pageOf("acme"), i % 4 === 0 ? 10 + i * 2.25 : undefined)
  )
  const answers = await Promise.all(clients)
  await quiet()
  const ends = runsEnded().slice(before)
  const { givenBack, taken } = await runtime.runPromise(Desk.useSync((desk) => desk.count()))
  const count = (what: RunEvent.RunEnd) => ends.filter(({ end }) => end === what).length
  tell(fact("answers", `${answers.filter((answer) => answer.startsWith("200")).length} pages`))
  const ended = `${count("Completed")} completed, ${count("Failed")} failed, ${count("Interrupted")} interrupted`
  tell(fact("loads", `${ends.length} begun and over: ${ended}`))
  tell(fact("places", `${taken} taken at the desk in all, ${givenBack} given back`))
}

/** No new requests, then the end of the runtime: it interrupts what is still loaded, and releases what was started. */
const shutDown = async (server: Server | undefined): Promise<void> => {
  server?.closeAllConnections()
  server?.close()
  await runtime.dispose()
}

const main = async (): Promise<void> => {
  console.log(`\n${bold("effect-loader")}  a page from Node's own HTTP server\n`)
  let server: Server | undefined
  process.on("SIGINT", () => void shutDown(server).then(() => process.exit(130)))
  try {
    await introduce()
    showStart()
    server = await listen()
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await showRequests(url)
    await showCrowd(url)
  } finally {
    await shutDown(server)
  }
  tell(section("Shut down", "the runtime is disposed of, which releases all that was started"))
}

main().catch((error: unknown) => {
  process.exitCode = 1
  console.error(`\n${bad("failed")} ${error instanceof Error ? error.message : String(error)}`)
})
