/** Metrics of a limiter, read from its stats at intervals. */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import type { Limiter, Stats } from "../limiter/Limiter.ts"
import { snakeCase } from "./Words.ts"

const prefix = "effect_loader_limiter_"

type ReadStat = (stats: Stats) => number | undefined

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000)

const gauges: ReadonlyArray<readonly [name: string, description: string, read: ReadStat]> = [
  ["limit", "The limit, in permits", ({ limit }) => limit],
  ["in_flight", "Permits in use", ({ inFlight }) => inFlight],
  ["waiting", "Runs, and uses by hand, that wait for permits", ({ waiting }) => waiting],
  ["queue_delay_seconds", "How long the last granted request waited", ({ queueDelay }) => seconds(queueDelay)],
  ["baseline_seconds", "The estimated latency without queueing", ({ baseline }) => seconds(baseline)],
  ["gradient", "The current latency divided by the baseline", ({ gradient }) => gradient]
]

const counters: ReadonlyArray<readonly [name: string, description: string, read: (stats: Stats) => number]> = [
  ["granted_total", "Granted requests for permits", ({ granted }) => granted],
  ["drops_total", "Attempts that overloaded the backend", ({ drops }) => drops]
]

const reasons = ["QueueFull", "Deadline", "Shed"] as const

/** Writes stats into metrics. Counters continue from the last written value. */
const writer = (limiter: string) => {
  const attributes = { limiter }
  const levels = gauges.map(([name, description, read]) => ({
    metric: Metric.gauge(prefix + name, { description, attributes }),
    read
  }))
  const refusals = reasons.map((reason) => ({
    metric: Metric.counter(`${prefix}refused_total`, {
      description: "Requests that were refused",
      attributes: { limiter, reason: snakeCase(reason) },
      incremental: true
    }),
    read: ({ refused }: Stats) => refused[reason],
    written: 0
  }))
  const counts = counters.map(([name, description, read]) => ({
    metric: Metric.counter(prefix + name, { description, attributes, incremental: true }),
    read,
    written: 0
  }))
  return (stats: Stats, context: Context.Context<never>): void => {
    for (const { metric, read } of levels) {
      const level = read(stats)
      if (level !== undefined) metric.updateUnsafe(level, context)
    }
    for (const count of [...counts, ...refusals]) {
      const now = count.read(stats)
      count.metric.updateUnsafe(now - count.written, context)
      count.written = now
    }
  }
}

/**
 * Keeps metrics of a limiter, in the metric registry of the layer's own context: `effect_loader_limiter_limit`,
 * `_in_flight`, `_waiting`, `_queue_delay_seconds`, `_baseline_seconds` and `_gradient` as gauges, `_granted_total`,
 * `_drops_total` and `_refused_total` (by `reason`) as counters, all by `limiter`.
 *
 * - `every`: how often the limiter's stats are read. Default: every second.
 *
 * @example
 * ```ts
 * import { Effect, Layer, Metric } from "effect"
 * import { Limiter, Metrics } from "effect-loader"
 *
 * class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
 *
 * const live = Metrics.layerLimiter(Postgres).pipe(Layer.provideMerge(Postgres.layer({ limit: 10 })))
 *
 * const program = Effect.andThen(Effect.yieldNow, Metric.snapshot).pipe(Effect.provide(live))
 * Effect.runPromise(program).then((metrics) =>
 *   console.log(metrics.some(({ id }) => id === "effect_loader_limiter_limit")) // true
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerLimiter = <Self>(
  limiter: Context.Key<Self, Limiter>,
  { every = Duration.seconds(1) }: { readonly every?: Duration.Input } = {}
): Layer.Layer<never, never, Self> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { stats } = yield* limiter
      const context = yield* Effect.context<never>()
      const write = writer(limiter.key)
      const read = Effect.map(stats, (stats) => write(stats, context))
      yield* Effect.forkScoped(Effect.repeat(read, Schedule.spaced(every)), { startImmediately: true })
      // The last interval is reported at the end.
      yield* Effect.addFinalizer(() => read)
    })
  )
