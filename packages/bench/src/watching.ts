/**
 * The cost of observers.
 *
 * A control measures a load without observers against itself. An observer that does nothing, and metrics, are measured
 * against a load without observers. Spans are measured against hand-written code that makes the same tree of spans.
 */
import { Context, Effect, Layer, Metric, Tracer } from "effect"
import { Metrics, Observer, Tracing } from "effect-loader"
import { bodies, type Body } from "./body.ts"
import { byHand, type Around } from "./contenders/effect-all.ts"
import { contender } from "./contenders/ours.ts"
import type { Contender, Prepared } from "./contenders/Contender.ts"
import { compete, median, type Rounds } from "./measure.ts"
import { duration, ratio, round, table } from "./table.ts"
import { layered } from "./workload.ts"

/** A time, and its ratio to the time that it is compared with: medians over rounds. */
interface Cost {
  readonly time: number
  readonly ratio: number
}

export interface Watching {
  readonly what: string
  /** Without observers, against itself. */
  readonly control: Cost
  readonly observer: Cost
  readonly metrics: Cost
  /** Against `Effect.withSpan` around each call. */
  readonly spans: Cost
  /** Against the same without the stack of each call site, which costs more than the span. */
  readonly spansWithoutStack: Cost
}

/** A context as an application has it: its layers are built once. These layers release nothing. */
const contextOf = (layer: Layer.Layer<never>): Context.Context<never> =>
  Effect.runSync(Effect.scoped(Layer.build(layer)))

/** A tracer that makes spans and keeps none. */
const listening = Context.make(Tracer.Tracer, Tracer.make({ span: (options) => new Tracer.NativeSpan(options) }))

const contexts = {
  observer: contextOf(Observer.layer(() => {})),
  metrics: Context.add(contextOf(Metrics.layer), Metric.MetricRegistry, new Map()),
  spans: Context.merge(contextOf(Tracing.layer), listening)
}

/** The spans that `Tracing` makes, by hand: one around the whole, one around each call. */
const spansByHand = (options: Tracer.SpanOptions): Around => ({
  calls: ({ artifacts, org, permissions, project, user }) => ({
    org: (orgId) => Effect.withSpan(org(orgId), "org", options),
    user: (userId) => Effect.withSpan(user(userId), "user", options),
    project: (of) => Effect.withSpan(project(of), "project", options),
    artifacts: (of) => Effect.withSpan(artifacts(of), "artifacts", options),
    permissions: (of, whose) => Effect.withSpan(permissions(of, whose), "permissions", options)
  }),
  node: (i, self) => Effect.withSpan(self, `r${i}`, options),
  whole: (self) => Effect.withSpan(self, "load page", options),
  context: listening
})

/** One workload, prepared for a contender. */
interface Workload {
  readonly name: string
  readonly prepare: (contender: Contender) => Prepared
}

const workloadsOf = (body: Body): ReadonlyArray<Workload> => {
  const graph = layered(1000)
  return [
    { name: `page of 5, ${body.name}`, prepare: (contender) => contender.page!(body) },
    { name: `${graph.name}, ${body.name}`, prepare: (contender) => contender.graph!(graph, body) }
  ]
}

/** The cost of the first contender against each of the others. */
const compare = async (
  { prepare }: Workload,
  rounds: Rounds,
  contenders: ReadonlyArray<Contender>
): Promise<ReadonlyArray<Cost>> => {
  const contestants = contenders.map((one) => ({ name: one.name, run: prepare(one).run }))
  const [own, ...others] = await compete(contestants, rounds)
  return others.map(({ ratio }) => ({ time: own!.median, ratio }))
}

/**
 * Prepares and compares several times, and returns the medians. The place of a graph in memory makes it a few per cent
 * faster or slower for its whole life, which is more than the differences measured here.
 */
const against = async (
  workload: Workload,
  { times, ...rounds }: Settings,
  [first, ...others]: readonly [Contender, ...ReadonlyArray<Contender>]
): Promise<ReadonlyArray<Cost>> => {
  const all: Array<ReadonlyArray<Cost>> = []
  for (let k = 0; k < times; k++) all.push(await compare(workload, rounds, [first, ...others]))
  return others.map((_, i) => ({
    time: median(all.map((costs) => costs[i]!.time)),
    ratio: median(all.map((costs) => costs[i]!.ratio))
  }))
}

interface Settings extends Rounds {
  /** How often contestants are prepared. */
  readonly times: number
}

// With observers, more code has to get warm before times are stable.
const thorough: Settings = { warmUp: 20, measured: 31, sampleMs: 6, times: 5 }
const quick: Settings = { warmUp: 1, measured: 5, sampleMs: 3, times: 1 }

const measure = async (workload: Workload, settings: Settings): Promise<Watching> => {
  const alone = contender("alone")
  const withContext = (name: keyof typeof contexts) => contender(name, { context: contexts[name] })
  const [control] = await against(workload, settings, [alone, contender("alone again")])
  const [observer] = await against(workload, settings, [withContext("observer"), alone])
  const [metrics] = await against(workload, settings, [withContext("metrics"), alone])
  const [spans, spansWithoutStack] = await against(workload, settings, [
    withContext("spans"),
    byHand("Effect.withSpan", spansByHand({})),
    byHand("Effect.withSpan, no stack", spansByHand({ captureStackTrace: false }))
  ])
  return {
    what: workload.name,
    control: control!,
    observer: observer!,
    metrics: metrics!,
    spans: spans!,
    spansWithoutStack: spansWithoutStack!
  }
}

export const measureWatching = async (isQuick: boolean): Promise<ReadonlyArray<Watching>> => {
  const found: Array<Watching> = []
  for (const workload of bodies.slice(0, 2).flatMap(workloadsOf)) {
    found.push(await measure(workload, isQuick ? quick : thorough))
  }
  return found
}

const columns = ["control", "observer", "metrics", "spans", "spansWithoutStack"] as const

export const watchingJson = (found: ReadonlyArray<Watching>): ReadonlyArray<object> =>
  found.map((row) => ({
    what: row.what,
    ...Object.fromEntries(columns.map((key) => [key, [round(row[key].time), round(row[key].ratio)]]))
  }))

export const watchingTable = (found: ReadonlyArray<Watching>): string =>
  table(
    ["observing", "control", "observer", "metrics", "spans / by hand", "/ by hand, no stacks"],
    found.map((row) => [
      row.what,
      ...columns.map((key) => {
        const { ratio: times, time } = row[key]
        return key === "spansWithoutStack" ? ratio(times) : `${ratio(times)} (${duration(time)})`
      })
    ])
  )
