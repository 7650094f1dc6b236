/**
 * Metrics of runs, as metrics of Effect: exporters such as `PrometheusMetrics` and `Otlp` of `effect/observability` read them.
 * Durations are seconds.
 *
 * | metric                                    | kind      | attributes                      | what                                       |
 * | ----------------------------------------- | --------- | ------------------------------- | ------------------------------------------ |
 * | `effect_loader_run_duration_seconds`      | histogram | `loader`, `end`                 | durations of runs                          |
 * | `effect_loader_resource_duration_seconds` | histogram | `loader`, `resource`, `outcome` | from a resource's start to its end         |
 * | `effect_loader_failures_total`            | counter   | `loader`, `resource`, `error`   | resources that failed or died, by the type of the error |
 * | `effect_loader_attempts_total`            | counter   | `loader`, `resource`            | attempts                                   |
 * | `effect_loader_retries_total`             | counter   | `loader`, `resource`            | attempts scheduled after a failed one      |
 * | `effect_loader_hedges_total`              | counter   | `loader`, `resource`            | further attempts while a slow one runs     |
 * | `effect_loader_refusals_total`            | counter   | `loader`, `resource`, `policy`  | refusals of policies                       |
 * | `effect_loader_timeouts_total`            | counter   | `loader`, `resource`            | timeouts of policies                       |
 * | `effect_loader_fallbacks_total`           | counter   | `loader`, `resource`, `fallback` | fallbacks that succeeded                  |
 * | `effect_loader_cache_reads_total`          | counter   | `loader`, `resource`, `cache`, `level`, `result` | reads of caches           |
 * | `effect_loader_batch_requests`            | histogram | `loader`                        | requests of each call of a resolver |
 * | `effect_loader_batch_wait_seconds`        | histogram | `loader`, `out_of_time`         | from the first request of a call to its beginning |
 * | `effect_loader_skips_total`               | counter   | `loader`, `resource`, `reason`  | resources that never ran                   |
 * | `effect_loader_compensations_total`       | counter   | `loader`, `resource`, `kind`, `outcome` | compensations (`kind` is `compensation`) and cleanups (`cleanup`): `succeeded`, `failed` |
 * | `effect_loader_resources_running`         | gauge     | `loader`                        | resources that run now                     |
 * | `effect_loader_resources_waiting`         | gauge     | `loader`                        | resources that wait for a slot, a permit, their batch, the thread or the pause before a retry |
 *
 * `end` is `completed`, `failed`, `timed_out` or `interrupted`; `outcome` is `succeeded`, `degraded`, `failed`, `died` or
 * `interrupted`; `reason` is `dependency_failed`, `not_chosen`, `run_failed`, `run_timed_out` or `run_interrupted`. `out_of_time` is `true`
 * if `maxHold` of a graph-aware resolver expired. `error` is the tag or the name of the error; it has at most 100 values in a
 * process, and `_OTHER` stands for all further ones. Each metric has at most 2,000 series; further ones count in a series whose only
 * attribute is `otel.metric.overflow`. A call that several runs share counts once, for the loader of its first request.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { layerWatch, type Watch, type Watcher } from "../watch/Observer.ts"
import type { PhaseTag } from "../watch/Report.ts"
import {
  attemptKey,
  type RequestMade,
  type RequestSent,
  type ResourceEvent,
  type RunEnd,
  type RunEvent
} from "../watch/RunEvent.ts"
import { type ResourceTimeline, Timeline } from "../watch/Timeline.ts"
import { causeType, otherType, outcomeOf, ownError, snakeCase } from "./Words.ts"

export { layerLimiter } from "./LimiterMetrics.ts"

/** Seconds: the boundaries that OpenTelemetry advises for durations of requests, and a finer one. */
const defaultBoundaries = [0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** From an unshared call to a page of a thousand. */
const batchSizes = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

/** The options of a metric. Effect caches the key of a metric whose attributes are given when it is made. */
type Make<Input, State> = (attributes: Record<string, string>) => Metric.Metric<Input, State>

/** The maximal number of series of a metric, and the attribute of the series for the rest, as in OpenTelemetry's SDKs. */
const mostSeries = 2000
const overflow = { "otel.metric.overflow": "true" }

/** One metric for each combination of attribute values. Each is made once, since making one costs more than an update. */
class Family<Input, State> {
  private readonly known = new Map<string, Metric.Metric<Input, State>>()
  private rest: Metric.Metric<Input, State> | undefined
  private readonly make: Make<Input, State>
  private readonly attributes: ReadonlyArray<string>

  constructor(make: Make<Input, State>, attributes: ReadonlyArray<string>) {
    this.make = make
    this.attributes = attributes
  }

  of(...values: ReadonlyArray<string>): Metric.Metric<Input, State> {
    const id = values.join("\u0000")
    let found = this.known.get(id)
    if (found === undefined) {
      if (this.known.size >= mostSeries) return (this.rest ??= this.make(overflow))
      found = this.make(Object.fromEntries(this.attributes.map((attribute, k) => [attribute, values[k]!])))
      this.known.set(id, found)
    }
    return found
  }
}

const counter = (name: string, description: string, ...own: ReadonlyArray<string>) =>
  new Family(
    (attributes) => Metric.counter(name, { description, attributes, incremental: true }),
    ["loader", "resource", ...own]
  )

const gauge = (name: string, description: string) =>
  new Family((attributes) => Metric.gauge(name, { description, attributes }), ["loader"])

/** The maximal number of types of errors in attributes, and the maximal length of one. */
const mostTypes = 100
const longestType = 100

/** Types of errors, of which there are few: a name that is made for each error would make a series for each. */
class ErrorTypes {
  private readonly known = new Set<string>()

  of(cause: Cause.Cause<unknown>): string {
    const type = causeType(cause)
    if (this.known.has(type)) return type
    if (this.known.size >= mostTypes || type.length > longestType) return otherType
    this.known.add(type)
    return type
  }
}

const makeFamilies = (boundaries: ReadonlyArray<number>) => {
  const histogram = (name: string, description: string, ...own: ReadonlyArray<string>) =>
    new Family(
      (attributes) => Metric.histogram(name, { description, boundaries, attributes: { ...attributes, unit: "s" } }),
      ["loader", ...own]
    )
  return {
    errorTypes: new ErrorTypes(),
    runs: histogram("effect_loader_run_duration_seconds", "Durations of runs", "end"),
    resources: histogram(
      "effect_loader_resource_duration_seconds",
      "From a resource's start to its end",
      "resource",
      "outcome"
    ),
    failures: counter("effect_loader_failures_total", "Resources that failed or died", "error"),
    attempts: counter("effect_loader_attempts_total", "Attempts"),
    retries: counter("effect_loader_retries_total", "Attempts scheduled after a failed one"),
    hedges: counter("effect_loader_hedges_total", "Further attempts while a slow one runs"),
    refusals: counter("effect_loader_refusals_total", "Refusals of policies", "policy"),
    timeouts: counter("effect_loader_timeouts_total", "Timeouts of policies"),
    fallbacks: counter("effect_loader_fallbacks_total", "Fallbacks that succeeded", "fallback"),
    cacheReads: counter("effect_loader_cache_reads_total", "Reads of caches", "cache", "level", "result"),
    batchRequests: new Family(
      (attributes) =>
        Metric.histogram("effect_loader_batch_requests", {
          description: "Requests of each call of a resolver",
          boundaries: batchSizes,
          attributes
        }),
      ["loader"]
    ),
    batchWaits: histogram(
      "effect_loader_batch_wait_seconds",
      "From the first request of a call to its beginning",
      "out_of_time"
    ),
    skips: counter("effect_loader_skips_total", "Resources that never ran", "reason"),
    compensations: counter("effect_loader_compensations_total", "Compensations and cleanups", "kind", "outcome"),
    running: gauge("effect_loader_resources_running", "Resources that run now"),
    waiting: gauge(
      "effect_loader_resources_waiting",
      "Resources that wait for a slot, a permit, their batch, the thread or a retry"
    )
  }
}

type Families = ReturnType<typeof makeFamilies>
type AnyContext = Context.Context<never>

/** The gauge that counts the resources in each phase. */
const gaugeOf: Record<PhaseTag, "running" | "waiting" | undefined> = {
  Dependency: undefined,
  Batch: "waiting",
  Slot: "waiting",
  Permit: "waiting",
  FairShare: "waiting",
  Thread: "waiting",
  Collecting: "waiting",
  Retry: "waiting",
  Attempt: "running",
  Items: "running",
  Fallback: "running",
  Policy: "running",
  Compensation: "running"
}

const askedKey = (event: RequestMade | RequestSent): string => `${attemptKey(event)} ${event.resource}`

const timeoutIn = (cause: Cause.Cause<unknown>): Cause.TimeoutError | undefined => {
  for (const reason of cause.reasons) {
    const error = reason._tag === "Fail" ? ownError(reason.error) : undefined
    if (Cause.isTimeoutError(error)) return error
  }
  return undefined
}

/** Counts calls of resolvers. All waiters of a call report it, one right after the other. */
class BatchMetrics {
  private readonly families: Families
  private last: number | undefined

  constructor(families: Families) {
    this.families = families
  }

  sent({ batch, outOfTime = false, requests }: RequestSent, loader: string, wait: number, context: AnyContext): void {
    if (batch === this.last) return
    this.last = batch
    this.families.batchRequests.of(loader).updateUnsafe(requests, context)
    this.families.batchWaits.of(loader, String(outOfTime)).updateUnsafe(wait / 1000, context)
  }
}

/** The metrics of one run. */
class RunMetrics implements Watcher {
  private readonly families: Families
  private readonly batches: BatchMetrics
  private readonly context: AnyContext
  private timeline: Timeline | undefined
  /** The last counted timeout of each resource. It can appear again as the error of the resource. */
  private readonly counted = new Map<string, Cause.TimeoutError>()
  /** When each pending request was made. */
  private readonly asked = new Map<string, number>()

  constructor(families: Families, batches: BatchMetrics, context: AnyContext) {
    this.families = families
    this.batches = batches
    this.context = context
  }

  readonly onEvent = (event: RunEvent): void => {
    if (event._tag === "RunStarted") this.timeline = new Timeline(event)
    else if (event._tag === "RunEnded") this.ended(event.end, event.at)
    else this.happened(this.timeline!, event)
  }

  private ended(end: RunEnd, at: number): void {
    const { loader, startedAt } = this.timeline!
    this.families.runs.of(loader, snakeCase(end)).updateUnsafe((at - startedAt) / 1000, this.context)
  }

  private happened(timeline: Timeline, event: ResourceEvent): void {
    const before = timeline.resources.get(event.resource)?.doing?._tag
    const resource = timeline.add(event)
    this.move(timeline.loader, before, resource?.doing?._tag)
    this.count(timeline.loader, event, resource)
  }

  private move(loader: string, before: PhaseTag | undefined, after: PhaseTag | undefined): void {
    const from = before === undefined ? undefined : gaugeOf[before]
    const to = after === undefined ? undefined : gaugeOf[after]
    if (from === to) return
    if (from !== undefined) this.families[from].of(loader).modifyUnsafe(-1, this.context)
    if (to !== undefined) this.families[to].of(loader).modifyUnsafe(1, this.context)
  }

  private count(loader: string, event: ResourceEvent, timeline: ResourceTimeline | undefined): void {
    const { resource } = event
    const one = (family: Family<number, unknown>, ...values: ReadonlyArray<string>): void =>
      family.of(loader, resource, ...values).updateUnsafe(1, this.context)
    switch (event._tag) {
      case "AttemptStarted":
        return one(this.families.attempts)
      case "RetryScheduled":
        return one(this.families.retries)
      case "HedgeStarted":
        return one(this.families.hedges)
      case "PolicyRefused":
        return one(this.families.refusals, event.policy)
      case "CacheRead":
        return one(this.families.cacheReads, event.cache, event.level, event.result)
      case "RequestMade":
        return void this.asked.set(askedKey(event), event.at)
      case "RequestSent":
        return this.batches.sent(event, loader, event.at - this.asked.get(askedKey(event))!, this.context)
      case "AttemptFailed":
        return this.countTimeout(loader, resource, timeoutIn(event.cause))
      case "ResourceFailed":
        this.countTimeout(loader, resource, timeoutIn(event.cause))
        one(this.families.failures, this.families.errorTypes.of(event.cause))
        break
      case "ResourceDied":
        one(this.families.failures, this.families.errorTypes.of(event.cause))
        break
      case "ResourceDegraded":
        this.countTimeout(loader, resource, Cause.isTimeoutError(event.error) ? event.error : undefined)
        one(this.families.fallbacks, event.fallback)
        break
      case "CompensationSucceeded":
      case "CompensationFailed": {
        const outcome = event._tag === "CompensationFailed" ? "failed" : "succeeded"
        return one(this.families.compensations, event.cleanup ? "cleanup" : "compensation", outcome)
      }
      case "ResourceSkipped":
        return one(this.families.skips, snakeCase(event.because._tag))
      case "ResourceSucceeded":
      case "ResourceInterrupted":
        break
      default:
        return
    }
    if (timeline?.startedAt === undefined) return
    const seconds = (event.at - timeline.startedAt) / 1000
    this.families.resources.of(loader, resource, outcomeOf(event)).updateUnsafe(seconds, this.context)
  }

  private countTimeout(loader: string, resource: string, timeout: Cause.TimeoutError | undefined): void {
    if (timeout === undefined || this.counted.get(resource) === timeout) return
    this.counted.set(resource, timeout)
    this.families.timeouts.of(loader, resource).updateUnsafe(1, this.context)
  }
}

const watch = (boundaries: ReadonlyArray<number>): Watch => {
  const families = makeFamilies(boundaries)
  const batches = new BatchMetrics(families)
  return (context) => new RunMetrics(families, batches, context)
}

/**
 * Keeps metrics of all runs inside its scope, in the metric registry of each run's own context. The top of this module lists their
 * names and attributes.
 *
 * @example
 * ```ts
 * import { Effect, Metric } from "effect"
 * import { Loader, Metrics, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const page = Loader.make({ org }, { name: "page" })
 *
 * const program = Effect.andThen(Loader.load(page), Metric.snapshot).pipe(Effect.provide(Metrics.layer))
 * const attempts = Effect.runSync(program).find(({ id }) => id === "effect_loader_attempts_total")
 * console.log(attempts?.attributes) // { loader: "page", resource: "org" }
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never> = /* @__PURE__ */ layerWatch(
  /* @__PURE__ */ Effect.sync(() => watch(defaultBoundaries))
)

/**
 * As {@link layer}, with other boundaries of the histograms, in seconds, ascending. The default is from 1 ms to 10 s.
 *
 * @example
 * ```ts
 * import { Effect, Metric } from "effect"
 * import { Loader, Metrics, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const program = Effect.andThen(Loader.load(Loader.make({ org })), Metric.snapshot)
 *
 * const boundaries = Metric.exponentialBoundaries({ start: 0.0001, factor: 10, count: 6 })
 * const metrics = Effect.runSync(program.pipe(Effect.provide(Metrics.layerWith({ boundaries }))))
 * console.log(metrics.some(({ id }) => id === "effect_loader_run_duration_seconds")) // true
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: { readonly boundaries: ReadonlyArray<number> }): Layer.Layer<never> =>
  layerWatch(Effect.sync(() => watch(options.boundaries)))
