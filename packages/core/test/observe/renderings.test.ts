/** Runs of one page in every text and JSON format, in golden files. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Logger, References, Schedule } from "effect"
import {
  Diff,
  Explanation,
  Loader,
  Logging,
  Observer,
  Plan,
  Policy,
  Report,
  Resource,
  type RunEvent
} from "effect-loader"
import * as Wire from "effect-loader/wire"
import { golden } from "../golden.ts"
import { withTime } from "../withTime.ts"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}

interface Given {
  /** The time of `artifacts`, in milliseconds. */
  readonly artifacts?: number
  readonly orgExists?: boolean
  readonly options?: Loader.Options
}

const pageOf = ({ artifacts: millis = 70, options = {}, orgExists = true }: Given) => {
  let attempts = 0
  const orgId = Resource.input<string>()("orgId")
  const org = Resource.make("org", {
    deps: { orgId },
    load: ({ orgId: id }) =>
      Effect.andThen(Effect.sleep(40), orgExists ? Effect.void : Effect.fail(new NotFound({ id })))
  }).pipe(Policy.timeout("500 millis"))
  const user = Resource.make("user", {
    load: () =>
      Effect.andThen(
        Effect.sleep(15),
        Effect.suspend(() => (++attempts < 2 ? Effect.fail("busy") : Effect.void))
      )
  }).pipe(Policy.retry({ times: 2, schedule: Schedule.spaced(30) }))
  const artifacts = Resource.make("artifacts", { deps: { org }, load: () => Effect.sleep(millis) })
  const avatar = Resource.make("avatar", { deps: { user }, load: () => Effect.fail("none") }).pipe(
    Resource.catch(() => Effect.sleep(20))
  )
  const permissions = Resource.make("permissions", { deps: { org }, after: [user], load: () => Effect.sleep(25) })
  return Loader.make({ artifacts, avatar, permissions }, { name: "page", concurrency: 2, ...options })
}

interface Shown {
  readonly report: Report.Report<unknown>
  readonly events: ReadonlyArray<RunEvent.RunEvent>
  readonly logs: ReadonlyArray<string>
}

/** The events of a run, with 1 for the number of the run. */
const show = (loader: Loader.Loader<unknown, unknown, never, { readonly orgId: string }>): Effect.Effect<Shown> =>
  Effect.gen(function* () {
    const events: Array<RunEvent.RunEvent> = []
    const logs: Array<string> = []
    const { report } = yield* withTime(Loader.loadWithReport(loader, { orgId: "acme" })).pipe(
      Observer.observe((event) => events.push({ ...event, run: 1 })),
      Effect.provide([
        Logging.layer,
        Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void logs.push(line.replace(/ fiber=\S+/, "")))])
      ]),
      Effect.provideService(References.MinimumLogLevel, "Debug")
    )
    // Stacks contain the path of this file.
    const same = (line: string): string => line.replace(/ run=\d+/, " run=1").replaceAll(/\\n +at .*?(?=\\n\})/g, "")
    return { report: { ...report, run: 1 }, events, logs: logs.map(same) }
  })

const runs: Record<string, Given> = {
  small: {},
  failing: { orgExists: false },
  "timed-out": { artifacts: 1000, options: { timeout: 100 } },
  batched: { options: { scheduling: "batched" } }
}

const sleeper = (name: string, millis: number, deps: Record<string, Resource.Any> = {}) =>
  Resource.make(name, { deps, load: () => Effect.sleep(millis) })

const pretty = (json: string): string => `${JSON.stringify(JSON.parse(json), undefined, 2)}\n`

const lines = (texts: ReadonlyArray<string>): string => `${texts.join("\n")}\n`

describe("renderings", () => {
  for (const [name, given] of Object.entries(runs)) {
    it.effect(`of a run: ${name}`, () =>
      Effect.gen(function* () {
        const loader = pageOf(given)
        const { events, logs, report } = yield* show(loader)
        const { report: before } = yield* show(pageOf({}))
        yield* golden(`plan-${name}.txt`, lines([Plan.toText(report.plan)]))
        const explanation = Loader.explain(loader, { reports: [before], expected: { avatar: 20 } })
        yield* golden(`explanation-${name}.txt`, lines([Explanation.toText(explanation)]))
        yield* golden(`summary-${name}.txt`, lines([Report.toSummary(report)]))
        yield* golden(`diff-${name}.txt`, lines([Diff.toText(Report.diff(before, report))]))
        yield* golden(`logs-${name}.txt`, lines(logs))
        yield* golden(`trace-${name}.json`, pretty(Report.toChromeTrace(report)))
        yield* golden(`wire-${name}.json`, pretty(Wire.reportToJson(report)))
        yield* golden(`wire-${name}.ndjson`, lines(events.map(Wire.eventToJson)))
      })
    )
  }

  it.effect("of 500 resources are short, except the plan", () =>
    Effect.gen(function* () {
      const first = Array.from({ length: 100 }, (_, i) => sleeper(`r${i}`, (i * 37) % 211))
      const rest = Array.from({ length: 400 }, (_, i) =>
        sleeper(`r${i + 100}`, (i * 53) % 97, { one: first[i % 100]!, other: first[(i * 7) % 100]! })
      )
      const targets = Object.fromEntries(rest.map((resource) => [resource.name, resource]))
      const loader = Loader.make(targets, { name: "many", concurrency: 50 }) as Loader.Loader<unknown>
      const { report } = yield* show(loader)
      yield* golden("plan-500.txt", lines([Plan.toText(report.plan)]))
      yield* golden("summary-500.txt", lines([Report.toSummary(report)]))
      const explanation = Explanation.toText(Loader.explain(loader, { reports: [report] }))
      const figures = explanation.slice(Plan.toText(report.plan).length + 1).split("\n")
      yield* golden("explanation-500.txt", lines(figures))
      assert.isBelow(Math.max(...figures.map((line) => line.length)), 200)
    })
  )
})
