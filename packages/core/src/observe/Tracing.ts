/**
 * Spans: one for each run, for each of its resources, and for each attempt where there can be several.
 *
 * The span of a resource is current while its `load` runs, so spans made inside it, and those of batches that it takes
 * part in, are its children. It links to the spans of the resource's dependencies. Names follow OpenTelemetry's conventions if
 * there are any, and otherwise begin with `effect_loader.`.
 *
 * | span           | name               | from                                             | to                         |
 * | -------------- | ------------------ | ------------------------------------------------ | -------------------------- |
 * | of a run       | `load <loader>`    | the start of the run, below the caller's span    | the end of the run         |
 * | of a resource  | `<resource>`       | its first attempt, below the run's span          | its end                    |
 * | of an item     | `<resource> item`  | an attempt of an item of a list, as below        | the attempt's end          |
 * | of an attempt  | `<resource> <k>`   | the attempt's start, below the resource's span   | the attempt's end          |
 * | of a batch     | `batch <tag>`      | the start of a resolver's call, below the first caller's span | the end of the call |
 * | of a compensation | `undo <resource>` | its start, below the run's span, with a link to the resource's | its end     |
 * | of a cleanup   | `clean up <resource>` | as of a compensation                          | its end                    |
 *
 * The span of a batch links to the spans of all its callers; `<tag>` is the tag of its requests, if they have one.
 * A resource without attempts of its own (a struct, or one that was skipped) has a span without extent.
 *
 * | attribute                     | on             | what                                                               |
 * | ----------------------------- | -------------- | ------------------------------------------------------------------ |
 * | `effect_loader.loader`        | all            | the loader's name                                                  |
 * | `effect_loader.run`           | all            | the run's number in this process                                   |
 * | `effect_loader.end`           | runs           | `completed`, `failed`, `timed_out`, `interrupted`                  |
 * | `effect_loader.resource`      | all but runs   | the resource's name                                                |
 * | `effect_loader.outcome`       | resources      | `succeeded`, `degraded`, `failed`, `died`, `interrupted`, `skipped` |
 * | `effect_loader.attempts`      | resources      | the number of attempts                                             |
 * | `effect_loader.queued`        | resources      | milliseconds of waiting for a slot or a permit, if it waited |
 * | `effect_loader.fallback`      | resources      | the source of a degraded value                                     |
 * | `effect_loader.skip.reason`   | resources      | why it never ran: `dependency_failed`, `not_chosen`, `run_failed`, `run_timed_out`, `run_interrupted` |
 * | `effect_loader.skip.resource` | resources      | the resource because of which it never ran                         |
 * | `effect_loader.items`         | resources      | of a list, the number of items                                     |
 * | `effect_loader.item`          | attempts       | of a list, the index of the item, from 0                           |
 * | `effect_loader.chosen`        | resources      | of a choice, the resource that was chosen                          |
 * | `effect_loader.attempt`       | attempts       | the number of the attempt, from 1                                  |
 * | `effect_loader.batch.requests` | batches       | the number of requests of the call                                 |
 * | `effect_loader.batch.callers` | batches        | the number of attempts that wait for their answers                 |
 * | `effect_loader.inside`        | compensations  | of a nested loader, the resources on the path to the compensated one |
 * | `effect_loader.dependency`    | links          | the name of the dependency                                         |
 * | `otel.dropped_events_count`   | resources      | the number of events that were left out, if any                    |
 * | `otel.dropped_links_count`    | resources, batches | the number of links that were left out, if any                 |
 * | `error.type`                  | resources, attempts, compensations | the tag or the name of the error, also of a degraded one      |
 *
 * | event of a resource | attributes                                                                                     |
 * | ------------------- | ---------------------------------------------------------------------------------------------- |
 * | `cache`             | `effect_loader.cache`, `effect_loader.cache.level`, `effect_loader.cache.result`, `effect_loader.item` |
 * | `retry`             | `effect_loader.attempt`, and `effect_loader.delay` in milliseconds                             |
 * | `hedge`             | `effect_loader.attempt`                                                                        |
 * | `refused`           | `effect_loader.policy`, `error.type`                                                           |
 * | `fallback`          | `effect_loader.fallback`, `error.type`                                                         |
 *
 * Failures and defects end a span as errors. A skipped resource ends as interrupted, which is neither an error nor a success.
 * A resource that is loaded again after a rewind has a span for each time.
 *
 * A list can have any number of items, and each may cause events and links. A span keeps the first of them, up to the limits
 * of {@link Options}, and counts the others in `otel.dropped_events_count` and `otel.dropped_links_count`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { layerWatch, type Watch } from "../watch/Observer.ts"
import { RunSpans, type SpanLimits } from "./RunSpans.ts"

/**
 * When runs have spans.
 *
 * - `"listened"`, the default: if there is a tracer other than Effect's silent default, or a span around the run.
 * - `"always"`, `"never"`: in any case. If Effect's tracing is disabled, there are no spans either way.
 *
 * @since 0.1.0
 * @category models
 */
export type Spans = "listened" | "always" | "never"

/**
 * When runs have spans, and the limits of one span.
 *
 * - `spans`: see {@link Spans}. Default `"listened"`.
 * - `eventCountLimit`, `linkCountLimit`: the maximal numbers of events and links of one span, whole numbers from 0. Default 128
 *   each, as in OpenTelemetry's SDKs. The first ones are kept, and an attribute counts the others.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly spans?: Spans
  readonly eventCountLimit?: number
  readonly linkCountLimit?: number
}

const defaultLimits: SpanLimits = { events: 128, links: 128 }

const checkedLimit = (option: string, given: number): number => {
  if (Number.isInteger(given) && given >= 0) return given
  throw new Cause.IllegalArgumentError(`Tracing.layerWith: \`${option}\` must be a whole number from 0, got ${given}`)
}

/** The nearest span around a run that is not hidden from its children. */
const visible = (span: Tracer.AnySpan | undefined): Option.Option<Tracer.AnySpan> => {
  let current = span
  while (current !== undefined && Context.get(current.annotations, Tracer.DisablePropagation)) {
    current = current._tag === "Span" ? Option.getOrUndefined(current.parent) : undefined
  }
  return Option.fromUndefinedOr(current)
}

const watch =
  (spans: Spans, limits: SpanLimits): Watch =>
  (context) => {
    if (spans === "never" || !Context.get(context, References.TracerEnabled)) return undefined
    const around = Context.getOrUndefined(context as Context.Context<Tracer.ParentSpan>, Tracer.ParentSpan)
    const silent = around === undefined && Context.get(context, Tracer.Tracer) === Tracer.nativeTracer
    return silent && spans === "listened" ? undefined : new RunSpans(context, visible(around), limits)
  }

/**
 * Makes spans for all runs inside its scope, if there is a tracer or a span around them. The top of this module lists their names
 * and attributes.
 *
 * @example
 * ```ts
 * import { Effect, Tracer } from "effect"
 * import { Loader, Resource, Tracing } from "effect-loader"
 *
 * const names: Array<string> = []
 * const tracer = Tracer.make({
 *   span: (options) => {
 *     names.push(options.name)
 *     return new Tracer.NativeSpan(options)
 *   }
 * })
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.succeed(["ada"]) })
 *
 * const program = Loader.load(Loader.make({ members }, { name: "page" }))
 * Effect.runSync(program.pipe(Effect.provide(Tracing.layer), Effect.withTracer(tracer)))
 * console.log(names) // [ "load page", "org", "members" ]
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never> = /* @__PURE__ */ layerWatch(
  /* @__PURE__ */ Effect.succeed(/* @__PURE__ */ watch("listened", defaultLimits))
)

/**
 * As {@link layer}, with {@link Options}: when there are spans, and the limits of one span. A limit that is not a whole number
 * from 0 throws.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource, Tracing } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.map(Effect.currentSpan, (span) => span.name) })
 *
 * const program = Loader.load(Loader.make({ org }))
 * const { org: name } = Effect.runSync(program.pipe(Effect.provide(Tracing.layerWith({ spans: "always" }))))
 * console.log(name) // org
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = ({
  eventCountLimit = defaultLimits.events,
  linkCountLimit = defaultLimits.links,
  spans = "listened"
}: Options): Layer.Layer<never> => {
  const events = checkedLimit("eventCountLimit", eventCountLimit)
  const links = checkedLimit("linkCountLimit", linkCountLimit)
  return layerWatch(Effect.succeed(watch(spans, { events, links })))
}
