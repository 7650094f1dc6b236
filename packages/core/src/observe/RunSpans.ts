/** The spans of one run, made from its events. `Tracing.ts` describes their names and attributes. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { BatchSpans } from "../batching/BatchSpans.ts"
import type { Plan } from "../compile/Plan.ts"
import type { Watcher } from "../watch/Observer.ts"
import {
  attemptKey,
  type CompensationStarted,
  type ResourceEnded,
  type ResourceEvent,
  type RunEvent,
  type RunStarted,
  undoKey
} from "../watch/RunEvent.ts"
import { Spanner } from "./Spanner.ts"
import { causeType, errorType, outcomeOf, snakeCase } from "./Words.ts"

/** The most events and links of one span. */
export interface SpanLimits {
  readonly events: number
  readonly links: number
}

const none: ReadonlyArray<never> = []

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
  /** The number of events, those that were left out included. */
  events: number
}

/** The dependencies of each resource, by name. They are found once for each plan. */
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
export class RunSpans implements Watcher {
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
        // Its span has ended, so it gets another one.
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

  /** Adds an event to the span of a resource, within the limit, since items can cause any number of events. */
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
