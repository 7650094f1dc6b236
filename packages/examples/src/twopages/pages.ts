/** Two pages on one database: a report that needs 62 queries, and a greeting that needs three. */
import { Context, Duration, Effect, Layer } from "effect"
import { Resource } from "effect-loader"

/** How long each query takes. */
export const query = Duration.millis(20)

/** What a query asks for, and that it was answered. */
export class Database extends Context.Service<Database, { readonly ask: (what: string) => Effect.Effect<string> }>()(
  "twopages/Database"
) {
  static readonly layer = Layer.succeed(Database, { ask: (what) => Effect.as(Effect.sleep(query), what) })
}

const ask = (what: string) => Database.use((database) => database.ask(what))

const builds = Array.from({ length: 60 }, (_, i) => `build ${i + 1}`)

const project = Resource.make("project", { load: () => ask("project") })
const list = Resource.make("list", { deps: { project }, load: () => Effect.as(ask("list"), builds) })
const durations = Resource.forEach("durations", {
  deps: { list },
  items: ({ list }) => list,
  load: (build) => ask(build)
})

export const report = { project, durations }

const user = Resource.make("user", { load: () => ask("user") })
const team = Resource.make("team", { deps: { user }, load: () => ask("team") })
const inbox = Resource.make("inbox", { deps: { user }, load: () => ask("inbox") })

export const greeting = { user, team, inbox }
