/**
 * Spans: one for each run, for each of its resources, and for each attempt where there can be several.
 *
 * The span of a resource is there while its `load` runs, so spans made inside it, and those of batches that it takes
 * part in, hang from it. It links to the spans of what the resource depends on. Names follow OpenTelemetry's
 * conventions where there are any, and begin with `effect_loader.` otherwise.
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
 * The span of a batch links to those of all who wait for it; `<tag>` is that of its requests, where they have one.
 * A resource without attempts of its own (a struct, or one that was skipped) has a span without extent.
 *
 * | attribute                     | on             | what                                                               |
 * | ----------------------------- | -------------- | ------------------------------------------------------------------ |
 * | `effect_loader.loader`        | all            | the loader's name                                                  |
 * | `effect_loader.run`           | all            | the run's number in this process                                   |
 * | `effect_loader.end`           | runs           | `completed`, `failed`, `timed_out`, `interrupted`                  |
 * | `effect_loader.resource`      | all but runs   | the resource's name                                                |
 * | `effect_loader.outcome`       | resources      | `succeeded`, `degraded`, `failed`, `died`, `interrupted`, `skipped` |
 * | `effect_loader.attempts`      | resources      | how often it was tried                                             |
 * | `effect_loader.queued`        | resources      | milliseconds that it waited for a slot or a permit, where it had to |
 * | `effect_loader.fallback`      | resources      | what gave the value of a degraded one                              |
 * | `effect_loader.skip.reason`   | resources      | why it never ran: `dependency_failed`, `not_chosen`, `run_failed`, `run_timed_out`, `run_interrupted` |
 * | `effect_loader.skip.resource` | resources      | the resource because of which it never ran                         |
 * | `effect_loader.items`         | resources      | of a list, how many items there were                               |
 * | `effect_loader.item`          | attempts       | of a list, which item, from 0                                      |
 * | `effect_loader.chosen`        | resources      | of a choice, the resource that was chosen                          |
 * | `effect_loader.attempt`       | attempts       | which attempt, from 1                                              |
 * | `effect_loader.batch.requests` | batches       | how many requests the call is for                                  |
 * | `effect_loader.batch.callers` | batches        | how many attempts wait for an answer to one of them                |
 * | `effect_loader.inside`        | compensations  | of a loader inside, the resources that lead to what is undone      |
 * | `effect_loader.dependency`    | links          | the name of what the resource depends on                           |
 * | `otel.dropped_events_count`   | resources      | how many events were left out, where any were                      |
 * | `otel.dropped_links_count`    | resources, batches | how many links were left out, where any were                   |
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
 * Failures and defects end a span as errors; what was skipped ends as interrupted, which is neither an error nor a success.
 * A resource that is loaded again after a rewind has a span for each time.
 *
 * A list can have any number of items, and each may cause events and links. A span keeps the first of them, up to the limits
 * of {@link Options}, and counts the others in `otel.dropped_events_count` and `otel.dropped_links_count`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { BatchSpans } from "../batching/BatchSpans.ts"
import type { Plan } from "../compile/Plan.ts"
import { layerWatch, type Watch, type Watcher } from "../watch/Observer.ts"
import { attemptKey } from "../watch/AttemptKey.ts"
import type { CompensationStarted, ResourceEnded, ResourceEvent, RunEvent, RunStarted } from "../watch/RunEvent.ts"
import { undoKey } from "../watch/UndoKey.ts"
import { causeType, errorType, outcomeOf, snakeCase } from "./Words.ts"

/**
 * When runs have spans.
 *
 * - `"listened"`, the default: when somebody listens, which is a tracer other than Effect's own silent one, or a span
 *   around the run.
 * - `"always"`, `"never"`: whoever listens. Where Effect's tracing is switched off, there are none in any case.
 *
 * @since 0.1.0
 * @category models
 */
export type Spans = "listened" | "always" | "never"

/**
 * When runs have spans, and how much one span may hold.
 *
 * - `spans`: see {@link Spans}. Default `"listened"`.
 * - `eventCountLimit`, `linkCountLimit`: how many events and links one span has at most, whole numbers from 0. Default 128
 *   each, as in OpenTelemetry's SDKs. The first are kept, and an attribute counts those that were left out.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly spans?: Spans
  readonly eventCountLimit?: number
  readonly linkCountLimit?: number
}

/** How much one span may hold. */
interface SpanLimits {
  readonly events: number
  readonly links: number
}

const defaultLimits: SpanLimits = { events: 128, links: 128 }

const checkedLimit = (option: string, given: number): number => {
  if (Number.isInteger(given) && given >= 0) return given
  throw new Cause.IllegalArgumentError(`Tracing.layerWith: \`${option}\` must be a whole number from 0, got ${given}`)
}

/** Makes and ends spans as `Effect.makeSpan` would in this context, where there is no fiber to do it. */
class Spanner {
  private readonly tracer: Tracer.Tracer
  private readonly clock: Clock.Clock
  private readonly timed: boolean
  private readonly annotations: ReadonlyArray<readonly [string, unknown]>
  private readonly links: ReadonlyArray<Tracer.SpanLink>
  private readonly sampled: boolean

  constructor(context: Context.Context<never>) {
    this.tracer = Context.get(context, Tracer.Tracer)
    this.clock = Context.get(context, Clock.Clock)
    this.timed = Context.get(context, References.TracerTimingEnabled)
    this.annotations = Object.entries(Context.get(context, References.TracerSpanAnnotations))
    this.links = Context.get(context, References.TracerSpanLinks)
    this.sampled = !LogLevel.isGreaterThan(
      Context.get(context, Tracer.MinimumTraceLevel),
      Context.get(context, Tracer.CurrentTraceLevel)
    )
  }

  make(name: string, parent: Option.Option<Tracer.AnySpan>, links: ReadonlyArray<Tracer.SpanLink>): Tracer.Span {
    const span = this.tracer.span({
      name,
      parent,
      annotations: Context.empty(),
      links: [...this.links, ...links],
      startTime: this.now(),
      kind: "internal",
      root: false,
      sampled: Option.isSome(parent) && !parent.value.sampled ? false : this.sampled
    })
    for (const [key, value] of this.annotations) span.attribute(key, value)
    return span
  }

  end(span: Tracer.Span, exit: Exit.Exit<unknown, unknown>): void {
    span.end(this.now(), exit)
  }

  event(span: Tracer.Span, name: string, attributes: Record<string, unknown>): void {
    span.event(name, this.now(), attributes)
  }

  private now(): bigint {
    return this.timed ? this.clock.currentTimeNanosUnsafe() : 0n
  }
}

const none: ReadonlyArray<never> = []

/** The nearest span around a run that lets others see it. */
const visible = (span: Tracer.AnySpan | undefined): Option.Option<Tracer.AnySpan> => {
  let current = span
  while (current !== undefined && Context.get(current.annotations, Tracer.DisablePropagation)) {
    current = current._tag === "Span" ? Option.getOrUndefined(current.parent) : undefined
  }
  return Option.fromUndefinedOr(current)
}

const exitOf = (event: ResourceEnded): Exit.Exit<unknown, unknown> => {
  switch (event._tag) {
    case "ResourceFailed":
    case "ResourceDied":
      return Exit.failCause(event.cause)
    case "ResourceInterrupted":
    case "ResourceSkipped":
      return Exit.interrupt()
    default:
      return Exit.void
  }
}

/** An attempt of a resource, or of an item of it. */
interface AttemptPlace {
  readonly resource: string
  readonly attempt: number
  readonly item?: number | undefined
}

const queueKey = ({ item, resource }: AttemptPlace): string => `${item} ${resource}`

type CompensationEnded = Extract<ResourceEvent, { readonly _tag: "CompensationSucceeded" | "CompensationFailed" }>

/** The spans of one resource in one run. */
interface ResourceSpans {
  readonly span: Tracer.Span
  /** By item and attempt. */
  readonly attempts: Map<string, Tracer.Span>
  started: number
  queued: number
  /** How many events there were, those that were left out included. */
  events: number
}

/** What each resource depends on, by name. Found once for a plan, however often it runs. */
const dependenciesOf = (plan: Plan): ReadonlyMap<string, ReadonlyArray<string>> => {
  let known = dependencies.get(plan)
  if (known === undefined) {
    known = new Map(plan.resources.map((resource) => [resource.name, resource.dependencies]))
    dependencies.set(plan, known)
  }
  return known
}

const dependencies = new WeakMap<Plan, ReadonlyMap<string, ReadonlyArray<string>>>()

/** The spans of one run. */
class RunSpans implements Watcher {
  private readonly spanner: Spanner
  private readonly limits: SpanLimits
  private readonly parent: Option.Option<Tracer.AnySpan>
  private readonly resources = new Map<string, ResourceSpans>()
  private readonly queuedAt = new Map<string, number>()
  private readonly undos = new Map<string, Array<Tracer.Span>>()
  private started: RunStarted | undefined
  private run: Tracer.Span | undefined
  private firstFailure: Cause.Cause<unknown> | undefined

  constructor(context: Context.Context<never>, parent: Option.Option<Tracer.AnySpan>, limits: SpanLimits) {
    this.spanner = new Spanner(context)
    this.limits = limits
    this.parent = parent
  }

  readonly onEvent = (event: RunEvent): void => {
    if (event._tag === "RunStarted") return this.start(event)
    if (event._tag === "RunEnded") return this.end(event.end)
    this.note(event)
  }

  readonly within = (
    context: Context.Context<never>,
    resource: string,
    attempt: number | undefined,
    item: number | undefined
  ): Context.Context<never> => {
    const spans = this.spansOf(resource)
    const span = attempt === undefined ? spans.span : this.attempt(spans, { resource, attempt, item })
    return Context.add(Context.add(context, Tracer.ParentSpan, span), BatchSpans, { links: this.limits.links })
  }

  readonly undoing = (context: Context.Context<never>, event: CompensationStarted): Context.Context<never> => {
    const { cleanup, inside, item, resource } = event
    const name = `${cleanup ? "clean up" : "undo"} ${inside?.at(-1) ?? resource}`
    const link = { span: this.spansOf(resource).span, attributes: {} }
    const span = this.spanner.make(name, Option.fromUndefinedOr(this.run), [link])
    this.describe(span)
    span.attribute("effect_loader.resource", resource)
    if (item !== undefined) span.attribute("effect_loader.item", item)
    if (inside !== undefined) span.attribute("effect_loader.inside", inside.join(" > "))
    const key = `${resource} ${undoKey(event)}`
    this.undos.set(key, [...(this.undos.get(key) ?? []), span])
    return Context.add(context, Tracer.ParentSpan, span)
  }

  private endUndo(event: CompensationEnded, exit: Exit.Exit<unknown, unknown>): void {
    const span = this.undos.get(`${event.resource} ${undoKey(event)}`)?.shift()
    if (span === undefined) return
    if (Exit.isFailure(exit)) span.attribute("error.type", causeType(exit.cause))
    this.spanner.end(span, exit)
  }

  private start(event: RunStarted): void {
    this.started = event
    this.run = this.spanner.make(`load ${event.loader}`, this.parent, none)
    this.describe(this.run)
  }

  private end(end: string): void {
    const run = this.run!
    run.attribute("effect_loader.end", snakeCase(end))
    this.spanner.end(run, this.exitOfRun(end))
  }

  private exitOfRun(end: string): Exit.Exit<unknown, unknown> {
    if (end === "Completed") return Exit.void
    if (end === "Interrupted") return Exit.interrupt()
    if (end === "TimedOut")
      return Exit.fail(new Cause.TimeoutError(`not loaded within ${this.started!.plan.timeout}ms`))
    return this.firstFailure === undefined ? Exit.void : Exit.failCause(this.firstFailure)
  }

  private note(event: ResourceEvent): void {
    switch (event._tag) {
      case "ResourceReady":
      case "RequestMade":
      case "RequestSent":
        return
      case "ResourceChosen":
        return this.spansOf(event.resource).span.attribute("effect_loader.chosen", event.chosen)
      case "ItemsStarted":
        return this.spansOf(event.resource).span.attribute("effect_loader.items", event.items)
      case "ResourceQueued":
        return void this.queuedAt.set(queueKey(event), event.at)
      case "CacheRead":
        return this.event(event.resource, "cache", {
          "effect_loader.cache": event.cache,
          "effect_loader.cache.level": event.level,
          "effect_loader.cache.result": event.result,
          ...(event.reason === undefined ? {} : { "effect_loader.cache.reason": event.reason }),
          ...(event.item === undefined ? {} : { "effect_loader.item": event.item })
        })
      case "PoliciesStarted":
        return void this.spansOf(event.resource)
      case "AttemptStarted":
        return this.attemptStarted(event)
      case "AttemptSucceeded":
        return this.endAttempt(event, Exit.void)
      case "AttemptFailed":
        return this.endAttempt(event, Exit.failCause(event.cause))
      case "AttemptInterrupted":
        return this.endAttempt(event, Exit.interrupt())
      case "RetryScheduled":
        return this.event(event.resource, "retry", {
          "effect_loader.attempt": event.attempt,
          "effect_loader.delay": event.retryAt - event.at
        })
      case "HedgeStarted":
        return this.event(event.resource, "hedge", {
          "effect_loader.attempt": event.attempt
        })
      case "PolicyRefused":
        return this.event(event.resource, "refused", {
          "effect_loader.policy": event.policy,
          ...(event.error === undefined ? {} : { "error.type": errorType(event.error) })
        })
      case "FallbackStarted":
        return this.event(event.resource, "fallback", {
          "effect_loader.fallback": event.fallback,
          "error.type": errorType(event.error)
        })
      case "ResourceRewound":
        // Its span has ended: it gets another one.
        return void this.resources.delete(event.resource)
      case "CompensationStarted":
        return
      case "CompensationSucceeded":
        return this.endUndo(event, Exit.void)
      case "CompensationFailed":
        return this.endUndo(event, Exit.failCause(event.cause))
      default:
        return this.endResource(event)
    }
  }

  /** An event on the span of a resource. Items can cause any number of them: this is the one place that adds some. */
  private event(resource: string, name: string, attributes: Record<string, unknown>): void {
    const spans = this.spansOf(resource)
    if (spans.events++ < this.limits.events) this.spanner.event(spans.span, name, attributes)
  }

  private attemptStarted(event: Extract<ResourceEvent, { readonly _tag: "AttemptStarted" }>): void {
    const spans = this.spansOf(event.resource)
    spans.started++
    const queuedAt = this.queuedAt.get(queueKey(event))
    if (queuedAt === undefined) return
    spans.queued += event.at - queuedAt
    this.queuedAt.delete(queueKey(event))
  }

  private endAttempt(event: AttemptPlace, exit: Exit.Exit<unknown, unknown>): void {
    const { attempts } = this.spansOf(event.resource)
    const span = attempts.get(attemptKey(event))
    if (span === undefined) return
    if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
      span.attribute("error.type", causeType(exit.cause))
    }
    this.spanner.end(span, exit)
    attempts.delete(attemptKey(event))
  }

  private endResource(event: ResourceEnded): void {
    const { events, queued, span, started } = this.spansOf(event.resource)
    span.attribute("effect_loader.outcome", outcomeOf(event))
    if (started > 0) span.attribute("effect_loader.attempts", started)
    if (queued > 0) span.attribute("effect_loader.queued", queued)
    countDropped(span, "events", events - this.limits.events)
    switch (event._tag) {
      case "ResourceDegraded":
        span.attribute("effect_loader.fallback", event.fallback)
        if (event.error !== undefined) span.attribute("error.type", errorType(event.error))
        break
      case "ResourceFailed":
      case "ResourceDied":
        this.firstFailure ??= event.cause
        span.attribute("error.type", causeType(event.cause))
        break
      case "ResourceSkipped":
        span.attribute("effect_loader.skip.reason", snakeCase(event.because._tag))
        if ("resource" in event.because) span.attribute("effect_loader.skip.resource", event.because.resource)
    }
    this.spanner.end(span, exitOf(event))
  }

  private spansOf(resource: string): ResourceSpans {
    let spans = this.resources.get(resource)
    if (spans === undefined) {
      const links = this.linksOf(resource)
      const kept = links.slice(0, this.limits.links)
      const span = this.spanner.make(resource, Option.fromUndefinedOr(this.run), kept)
      this.describe(span)
      span.attribute("effect_loader.resource", resource)
      countDropped(span, "links", links.length - kept.length)
      spans = { span, attempts: new Map(), started: 0, queued: 0, events: 0 }
      this.resources.set(resource, spans)
    }
    return spans
  }

  private attempt({ attempts, span }: ResourceSpans, of: AttemptPlace): Tracer.Span {
    const { attempt, item, resource } = of
    const made = this.spanner.make(`${resource} ${item === undefined ? attempt : "item"}`, Option.some(span), none)
    this.describe(made)
    made.attribute("effect_loader.resource", resource)
    if (item !== undefined) made.attribute("effect_loader.item", item)
    made.attribute("effect_loader.attempt", attempt)
    attempts.set(attemptKey(of), made)
    return made
  }

  private describe(span: Tracer.Span): void {
    span.attribute("effect_loader.loader", this.started!.loader)
    span.attribute("effect_loader.run", this.started!.run)
  }

  private linksOf(resource: string): ReadonlyArray<Tracer.SpanLink> {
    const names = dependenciesOf(this.started!.plan).get(resource) ?? none
    return names.flatMap((name) => {
      const spans = this.resources.get(name)
      return spans === undefined ? [] : [{ span: spans.span, attributes: { "effect_loader.dependency": name } }]
    })
  }
}

const countDropped = (span: Tracer.Span, what: "events" | "links", dropped: number): void => {
  if (dropped > 0) span.attribute(`otel.dropped_${what}_count`, dropped)
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
 * Makes spans for the runs of whatever it is provided to, when somebody listens. See the top of this module for their
 * names and attributes.
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
 * As {@link layer}, with {@link Options}: when there are spans, and how much one span may hold. A limit that is no whole
 * number from 0 throws.
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
