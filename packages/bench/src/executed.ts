/**
 * Which files and functions of core run in one load: V8 counts calls. It is a program, since counting slows all later
 * code of its process down: `node packages/bench/src/executed.ts`.
 *
 * `--functions`: their names. `--json`: the figures, for the test. `--record`: writes `results/executed.json`, above
 * which `test/executed.test.ts` fails.
 */
import { Session } from "node:inspector/promises"
import { relative } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, Layer } from "effect"
import { Limiter, Loader, Policy, Resource } from "effect-loader"
import { bodies } from "./body.ts"
import { effectCalls, orgId as someOrg, userId as someUser } from "./page.ts"
import { writeRecord } from "./record.ts"
import { table } from "./table.ts"

export interface Executed {
  readonly what: string
  readonly files: ReadonlyArray<string>
  /** `run/Run.ts: settle`; a name stands once for each function that has it. */
  readonly functions: ReadonlyArray<string>
}

/** What a test allows. */
export interface ExecutedRecord {
  readonly what: string
  readonly files: ReadonlyArray<string>
  readonly functions: number
}

export const toRecord = (found: ReadonlyArray<Executed>): ReadonlyArray<ExecutedRecord> =>
  found.map(({ files, functions, what }) => ({ what, files, functions: functions.length }))

class Backend extends Limiter.Service<Backend>()("bench/Backend") {}

/** The page of five; its user is limited, or not. Both kinds of bodies, so that fibers end at once and later. */
const loadOf = (isLimited: boolean): (() => Promise<unknown>) => {
  const [synchronous, microtask] = bodies.map(effectCalls)
  const orgId = Resource.input<number>()("orgId")
  const userId = Resource.input<number>()("userId")
  const org = Resource.make("org", { deps: { orgId }, load: ({ orgId }) => microtask!.org(orgId) })
  const plain = Resource.make("user", { deps: { userId }, load: ({ userId }) => synchronous!.user(userId) })
  const user = isLimited ? plain.pipe(Policy.limit(Backend)) : plain
  const project = Resource.make("project", { deps: { org }, load: ({ org }) => microtask!.project(org) })
  const artifacts = Resource.make("artifacts", { deps: { org }, load: ({ org }) => synchronous!.artifacts(org) })
  const permissions = Resource.make("permissions", {
    deps: { project, user },
    load: ({ project, user }) => synchronous!.permissions(project, user)
  })
  const page = Loader.make({ org, user, project, artifacts, permissions })
  const load = Loader.load(page, { orgId: someOrg, userId: someUser })
  return () => Effect.runPromise(Effect.provideContext(load, backend) as Effect.Effect<unknown>)
}

const backend = Effect.runSync(Effect.scoped(Layer.build(Backend.layer({ limit: 4 }))))

const core = new URL(".", import.meta.resolve("effect-loader")).href

/** The functions of core that are called while something runs. */
const calledIn = async (session: Session, run: () => Promise<unknown>): Promise<ReadonlyArray<string>> => {
  // Taking the counts sets them to zero.
  await session.post("Profiler.takePreciseCoverage")
  await run()
  const { result } = await session.post("Profiler.takePreciseCoverage")
  return result
    .filter(({ url }) => url.startsWith(core))
    .flatMap(({ functions, url }) =>
      functions
        .filter(({ ranges }) => ranges[0]!.count > 0)
        .map(
          ({ functionName }) => `${relative(fileURLToPath(core), fileURLToPath(url))}: ${functionName || "(anonymous)"}`
        )
    )
    .toSorted()
}

const measure = async (): Promise<ReadonlyArray<Executed>> => {
  const session = new Session()
  session.connect()
  await session.post("Profiler.enable")
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false })
  const found: Array<Executed> = []
  for (const what of ["a page", "a page with one limit"]) {
    const run = loadOf(what !== "a page")
    // The first load makes what later ones share.
    await run()
    const functions = await calledIn(session, run)
    found.push({ what, files: [...new Set(functions.map((name) => name.split(": ")[0]!))], functions })
  }
  session.disconnect()
  return found
}

if (import.meta.main) {
  const found = await measure()
  if (process.argv.includes("--json")) process.stdout.write(JSON.stringify(found))
  else {
    const rows = found.map(({ files, functions, what }) => [what, String(files.length), String(functions.length)])
    process.stdout.write(`${table(["a load of", "files of core", "functions"], rows)}\n`)
    if (process.argv.includes("--functions")) {
      for (const { functions, what } of found) process.stdout.write(`\n${what}:\n  ${functions.join("\n  ")}\n`)
    }
    if (process.argv.includes("--record")) await writeRecord("executed", toRecord(found))
  }
}
