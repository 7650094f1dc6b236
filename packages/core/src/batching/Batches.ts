/**
 * The requests that go to one resolver, from all runs.
 *
 * Effect collects and sends them: each one goes through `Effect.request`. This adds that equal requests are made once,
 * that a call which no caller waits for is interrupted, and that a request which the resolver forgets fails with its name.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import { shared } from "../base/Shared.ts"
import { inRoot } from "../base/AsyncContext.ts"
import { inCommon } from "../base/Callers.ts"
import { identityOf } from "../base/Identity.ts"
import { outsideStep } from "../base/RunLocal.ts"
import { unshareableIn } from "../base/Unshareable.ts"
import { type AnyRequest, type AnyResolver, changed, type Entries, type Entry } from "./AnyResolver.ts"
import { Asked, type Asker, type Caller } from "./Asked.ts"
import { type BatchSpanLimits, BatchSpans } from "./BatchSpans.ts"
import { Call, type Sent } from "./Call.ts"
import { innermostAround } from "./CommonSpan.ts"
import { Collecting } from "./Collecting.ts"
import { type Hold, holdOf, isOutOfTime } from "./Hold.ts"
import { UnansweredRequest } from "./UnansweredRequest.ts"

type Running = Effect.Effect<void, unknown>

/** Policies around each call of a resolver. */
export type AroundCall = (self: Running) => Running

/** The property by which an entry of Effect finds its request. */
const ofEntry = Symbol("asked")

type Known = { -readonly [K in keyof Entry]: Entry[K] } & { [ofEntry]?: Asked }

export class Batches {
  private readonly given: AnyResolver
  private readonly resolver: AnyResolver
  private readonly hold: Hold | undefined
  private readonly around: AroundCall | undefined
  private readonly collecting = new Collecting()
  /** The request that is being made, which has no entry yet. */
  private making: Asked | undefined = undefined
  private readonly apart = new WeakMap<object, Batches>()

  constructor(resolver: AnyResolver, around?: AroundCall) {
    this.given = resolver
    this.around = around
    this.hold = holdOf(resolver)
    this.resolver = changed(resolver, {
      // Effect first asks of an entry whether it is to be sent at all.
      preCheck: (entry: Known) => {
        entry[ofEntry] = this.making!
        return resolver.preCheck === undefined || resolver.preCheck(entry)
      },
      runAll: (entries, key) =>
        Effect.withFiber((fiber) => this.send(fiber, entries, () => resolver.runAll(entries as never, key))) as never
    })
  }

  /** Asks for the only request of an asker. */
  ask(request: AnyRequest, asker: Asker): Caller {
    // Effect sends a batch on a fiber that its first request starts, so that fiber must not keep one caller's context.
    return inRoot(() => this.batchesFor(asker).collect(request, asker, 0))
  }

  /** Asks for the requests of an asker, in order, for as long as it waits for answers. */
  askEach(requests: ReadonlyArray<AnyRequest>, asker: Asker & { readonly waits: boolean }): ReadonlyArray<Caller> {
    return inRoot(() => {
      const batches = this.batchesFor(asker)
      const callers: Array<Caller> = []
      for (let k = 0; k < requests.length && asker.waits; k++) callers.push(batches.collect(requests[k]!, asker, k))
      return callers
    })
  }

  private batchesFor({ context }: Asker): Batches {
    const unshareable = unshareableIn(context)
    return unshareable === undefined ? this : this.apartFor(unshareable)
  }

  private collect(request: AnyRequest, asker: Asker, question: number): Caller {
    const identity = identityOf(request)
    const known = this.collecting.find(identity, asker.context)
    const asked = known ?? new Asked(request, identity, asker.context, this.onGone)
    const caller = asked.add(asker, question)
    if (this.hold !== undefined) caller.enter(this.hold)
    if (known === undefined) this.make(asked)
    return caller
  }

  /** The batches of one transaction: no other caller may get what they read. */
  private apartFor(unshareable: object): Batches {
    let batches = this.apart.get(unshareable)
    if (batches === undefined) this.apart.set(unshareable, (batches = new Batches(this.given, this.around)))
    return batches
  }

  private make(asked: Asked): void {
    this.collecting.add(asked)
    this.making = asked
    asked.cancel = Effect.requestUnsafe(asked.request, {
      resolver: this.resolver,
      context: asked.context,
      onExit: (exit) => asked.answer(exit)
    })
  }

  private readonly onGone = (asked: Asked): void => this.collecting.remove(asked)

  /** Sends the collected requests. */
  private send(fiber: Fiber.Fiber<unknown, unknown>, entries: Entries, run: () => Running): Running {
    const call = new Call(fiber, entries)
    const asked: Array<Asked> = []
    const callers: Array<Caller> = []
    // The requests of a list have one context.
    let inside: Entry["context"] | undefined
    let outside: Entry["context"] | undefined
    for (const entry of entries as ReadonlyArray<Known>) {
      if (entry.context !== inside) outside = outsideStep((inside = entry.context))
      entry.context = outside!
      const one = entry[ofEntry]!
      // Given-up requests may have callers elsewhere: see `Call`.
      one.call = call
      asked.push(one)
      this.collecting.remove(one)
      one.addCallersTo(callers)
    }
    for (const caller of callers) caller.letGo()
    const running = Effect.suspend(() => {
      // The policies around a call may have made it wait, and some callers may have left meanwhile.
      const left = callers.filter(({ waits }) => waits)
      tell(left, { batch: call.number, requests: entries.length, callers: left.length, ...timeOf(fiber) })
      const ending = Effect.sync(() => {
        call.ended()
        refuseForgotten(asked)
      })
      return Effect.andThen(reporting(left, run()), ending)
    })
    const contexts = new Set(callers.map(({ asker }) => asker.context))
    const [first = fiber.context, ...others] = contexts
    const common = inCommon(first, others)
    const whole = inSpan(running, callers, entries, common)
    const { around } = this
    const outcome = Effect.suspend(() => call.outcome)
    return Effect.updateContext(around === undefined ? whole : around(Effect.andThen(whole, outcome)), () => common)
  }
}

/** Runs the reports of a call's callers, each once, and then the call. */
const reporting = (callers: ReadonlyArray<Caller>, self: Running): Running => {
  const reports = new Set<Effect.Effect<void>>()
  for (const { asker } of callers) asker.reports?.forEach((report) => reports.add(report))
  return reports.size === 0 ? self : Effect.andThen(Effect.all(reports, { discard: true }), self)
}

const tell = (callers: ReadonlyArray<Caller>, sent: Sent): void => {
  for (const { asker } of callers) asker.onSent?.(sent)
}

const timeOf = (fiber: Fiber.Fiber<unknown, unknown>): Pick<Sent, "outOfTime"> =>
  isOutOfTime(fiber) ? { outOfTime: true } : {}

const refuseForgotten = (asked: ReadonlyArray<Asked>): void => {
  for (const one of asked) {
    if (!one.isAnswered) one.answer(Exit.fail(new UnansweredRequest({ request: one.request })))
  }
}

const parentOf = (context: Context.Context<never>): Tracer.AnySpan | undefined =>
  Context.getOrUndefined(context as Context.Context<Tracer.ParentSpan>, Tracer.ParentSpan)

/**
 * Runs a call in the innermost span that contains all its callers, if there is one. Where the run of a caller is traced, the
 * call has a span of its own there, with links to the spans of its callers. The number of links is limited, and the span
 * counts the others.
 */
const inSpan = (
  self: Running,
  callers: ReadonlyArray<Caller>,
  entries: Entries,
  common: Context.Context<never>
): Running => {
  const spans = new Set<Tracer.AnySpan>()
  for (const { asker } of callers) {
    const span = parentOf(asker.context)
    if (span !== undefined) spans.add(span)
  }
  const parent = parentOf(common) ?? innermostAround(spans)
  const placed = parent === undefined ? self : Effect.provideService(self, Tracer.ParentSpan, parent)
  const limits = callers.map(spanLimitsOf).find((limits) => limits !== undefined)
  if (limits === undefined) return placed
  const links = Array.from(spans, (span) => ({ span, attributes: {} })).slice(0, limits.links)
  const attributes = {
    "effect_loader.batch.requests": entries.length,
    "effect_loader.batch.callers": callers.length,
    ...(links.length < spans.size && { "otel.dropped_links_count": spans.size - links.length })
  }
  const options = { attributes, captureStackTrace: false, links }
  return Effect.withSpan(self, nameOf(entries), parent === undefined ? options : { ...options, parent })
}

/** Tells the callers of observed runs that their call begins. */
const spanLimitsOf = ({ asker: { context, onSent } }: Caller): BatchSpanLimits | undefined =>
  onSent === undefined ? undefined : Context.get(context, BatchSpans)

const nameOf = ([{ request }]: Entries): string => {
  const { _tag } = request as { readonly _tag?: unknown }
  return typeof _tag === "string" ? `batch ${_tag}` : "batch"
}

/** The batches of each resolver. Resources that name the same resolver share them. */
const known = /* @__PURE__ */ shared("batches", () => new WeakMap<AnyResolver, Batches>())

export const batchesOf = (resolver: AnyResolver): Batches => {
  let batches = known.get(resolver)
  if (batches === undefined) known.set(resolver, (batches = new Batches(resolver)))
  return batches
}
