/** Resources, loaders and policies can have any names: no text about them is harmful to its readers. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Metric, References, Result } from "effect"
import { Diff, Explanation, Loader, Logging, Metrics, Observer, Plan, Report, type RunEvent } from "effect-loader"
import * as Diagram from "effect-loader/diagram"
import * as Wire from "effect-loader/wire"
import { PrometheusMetrics } from "effect/observability"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { golden } from "../golden.ts"
import { withTime } from "../withTime.ts"
import { acting, hostileNames, pageOf } from "./hostile.ts"

const columns = 80

/** All texts about a run of such a page. */
const written = Effect.fnUntraced(
  function* (name: string) {
    const page = pageOf(name)
    const plan = Loader.plan(page)
    const events: Array<RunEvent.RunEvent> = []
    const logs: Array<string> = []
    const report = yield* withTime(Loader.settle(page)).pipe(
      Observer.observe((event) => events.push(event)),
      Effect.provide([
        Metrics.layer,
        Logging.layer,
        Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void logs.push(line))])
      ]),
      Effect.provideService(References.MinimumLogLevel, "Debug")
    )
    return {
      plan,
      report,
      events,
      lines: {
        plan: Plan.toText(plan),
        explanation: Explanation.toText(Loader.explain(page, { reports: [report] })),
        summary: Report.toSummary(report),
        diff: Diff.toText(Report.diff(report, { ...report, resources: [] })),
        waterfall: Report.toWaterfall(report, { columns }),
        logs: logs.join("\n"),
        Mermaid: Diagram.toMermaid(plan),
        Graphviz: Diagram.toGraphviz(plan)
      },
      prometheus: yield* PrometheusMetrics.format()
    }
  },
  (self) => Effect.suspend(() => Effect.provideService(self, Metric.MetricRegistry, new Map()))
)

type Written = Effect.Success<ReturnType<typeof written>>

const writtenOf = (name: string): Promise<Written> =>
  Effect.runPromise(written(name).pipe(Effect.provide(TestClock.layer())))

/** Logs contain causes, and messages of errors contain names unchanged: each logger escapes them. */
// oxlint-disable-next-line no-control-regex -- these are the characters to find
const actingInLogs = /[\u0000-\u0009\u000b-\u001f]/

const count = (text: string): number => text.split("\n").length

/** A line of the text format that Prometheus reads. */
const prometheusLine =
  /^(# (HELP|TYPE) .*|[a-z_]+\{[a-z_]+="([^"\\\n]|\\[\\"n])*"(,[a-z_]+="([^"\\\n]|\\[\\"n])*")*\} [\d.e+-]+)$/

const assertHarmless = ({ events, lines, plan, prometheus, report }: Written, plain: Written): void => {
  for (const [format, text] of Object.entries(lines)) {
    const counted = plain.lines[format as keyof Written["lines"]]
    assert.strictEqual(count(text), count(counted), `${format} has as many lines as ever`)
    assert.notMatch(text, format === "logs" ? actingInLogs : acting, format)
    const longest = Math.max(...text.split("\n").map((line) => line.length))
    assert.isAtMost(longest, format === "logs" ? Infinity : 600, `${format} has no endless lines`)
  }
  for (const line of prometheus.split("\n")) if (line !== "") assert.match(line, prometheusLine)
  for (const text of [Wire.reportToJson(report), Report.toChromeTrace(report), ...events.map(Wire.eventToJson)]) {
    assert.notMatch(text, /[<\n\u2028\u2029]/)
    JSON.parse(text)
  }
  const received = Result.getOrThrow(Wire.reportFromJson(Wire.reportToJson(report)))
  assert.deepStrictEqual(received.plan, plan)
}

describe("names do no harm", () => {
  it("in any format", { timeout: 120_000 }, async () => {
    const plain = await writtenOf("plain")
    const names = fc.string({ unit: "binary", minLength: 1 })
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        const all = await writtenOf(name)
        assertHarmless(all, plain)
        const { traceEvents } = JSON.parse(Report.toChromeTrace(all.report))
        assert.isTrue(traceEvents.some((event: { readonly name: string }) => event.name === name))
      }),
      { numRuns: 200, examples: hostileNames.map((name) => [name]) }
    )
  })

  it.effect("and are shown like this", () =>
    Effect.gen(function* () {
      const { lines, prometheus } = yield* written('</script>"\n\u001b[31m\u202e')
      const { logs, ...texts } = lines
      const untimed = logs.replaceAll(/timestamp=\S+ |fiber=\S+ | run=\d+/g, "")
      const counters = prometheus.split("\n").filter((line) => line.includes("_total{"))
      const all = Object.entries({ ...texts, logs: untimed, Prometheus: counters.join("\n") })
      yield* golden("hostile.txt", all.map(([format, text]) => `== ${format}\n${text.trimEnd()}\n`).join("\n"))
    })
  )
})
