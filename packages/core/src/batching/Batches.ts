/**
 * The requests that go to one resolver, from all runs.
 *
 * Effect collects and sends them: each one goes through `Effect.requestUnsafe`. `Batches` merges equal requests, interrupts
 * calls that no waiter needs any more, and fails the requests that a resolver leaves without an answer.
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
import { type AnyRequest, type AnyResolver, changed, type BatchEntries, type BatchEntry } from "./AnyResolver.ts"
import { PendingRequest, type Requester, type RequestWaiter } from "./PendingRequest.ts"
import { type BatchSpanLimits, BatchSpans } from "./BatchSpans.ts"
import { Call, type Sent } from "./Call.ts"
import { innermostAround } from "./CommonSpan.ts"
import { PendingRequests } from "./PendingRequests.ts"
import { type Hold, holdOf, isOutOfTime } from "./Hold.ts"
import { UnansweredRequest } from "./UnansweredRequest.ts"

type Running = Effect.Effect<void, unknown>

/** Policies around each call of a resolver. */
export type AroundCall = (self: Running) => Running

/** The property of an entry of Effect that holds its request. */
const requestOf = Symbol("request")

type LinkedEntry = { -readonly [K in keyof BatchEntry]: BatchEntry[K] } & { [requestOf]?: PendingRequest }

export class Batches {
  private readonly given: AnyResolver
  private readonly resolver: AnyResolver
  private readonly hold: Hold | undefined
  private readonly around: AroundCall | undefined
  private readonly pending = new PendingRequests()
  /** The request that `make` gives to Effect, until Effect has made its entry. */
  private making: PendingRequest | undefined = undefined
  /** The batches of each transaction. */
  private readonly apart = new WeakMap<object, Batches>()

  constructor(resolver: AnyResolver, around?: AroundCall) {
    this.given = resolver
    this.around = around
    this.hold = holdOf(resolver)
    this.resolver = changed(resolver, {
      // Effect calls this first with each new entry.
      preCheck: (entry: LinkedEntry) => {
        entry[requestOf] = this.making!
        return resolver.preCheck === undefined || resolver.preCheck(entry)
      },
      runAll: (entries, key) =>
        Effect.withFiber((fiber) => this.send(fiber, entries, () => resolver.runAll(entries as never, key))) as never
    })
  }

  /** Makes the only request of a requester. */
  ask(request: AnyRequest, requester: Requester): RequestWaiter {
    // The first request of a batch starts the fiber that sends it, which must not keep the asynchronous context of one caller.
    return inRoot(() => this.batchesFor(requester).collect(request, requester, 0))
  }

  /** Makes the requests of a requester in order, until it waits no more: an answer can come at once and be a failure. */
  askEach(
    requests: ReadonlyArray<AnyRequest>,
    requester: Requester & { readonly waits: boolean }
  ): ReadonlyArray<RequestWaiter> {
    return inRoot(() => {
      const batches = this.batchesFor(requester)
      const waiters: Array<RequestWaiter> = []
      for (let k = 0; k < requests.length && requester.waits; k++)
        waiters.push(batches.collect(requests[k]!, requester, k))
      return waiters
    })
  }

  private batchesFor({ context }: Requester): Batches {
    const unshareable = unshareableIn(context)
    return unshareable === undefined ? this : this.apartFor(unshareable)
  }

  private collect(request: AnyRequest, requester: Requester, index: number): RequestWaiter {
    const identity = identityOf(request)
    const known = this.pending.find(identity, requester.context)
    const pending = known ?? new PendingRequest(request, identity, requester.context, this.onGone)
    const waiter = pending.add(requester, index)
    if (this.hold !== undefined) waiter.enter(this.hold)
    if (known === undefined) this.make(pending)
    return waiter
  }

  /** The batches of one transaction: no other caller may get a value that was read in it. */
  private apartFor(unshareable: object): Batches {
    let batches = this.apart.get(unshareable)
    if (batches === undefined) this.apart.set(unshareable, (batches = new Batches(this.given, this.around)))
    return batches
  }

  private make(pending: PendingRequest): void {
    this.pending.add(pending)
    this.making = pending
    pending.cancel = Effect.requestUnsafe(pending.request, {
      resolver: this.resolver,
      context: pending.context,
      onExit: (exit) => pending.answer(exit)
    })
  }

  private readonly onGone = (pending: PendingRequest): void => this.pending.remove(pending)

  /** Sends one batch. */
  private send(fiber: Fiber.Fiber<unknown, unknown>, entries: BatchEntries, run: () => Running): Running {
    const call = new Call(fiber, entries)
    const requests: Array<PendingRequest> = []
    const waiters: Array<RequestWaiter> = []
    // The requests of a list have one context.
    let inside: BatchEntry["context"] | undefined
    let outside: BatchEntry["context"] | undefined
    for (const entry of entries as ReadonlyArray<LinkedEntry>) {
      if (entry.context !== inside) outside = outsideStep((inside = entry.context))
      entry.context = outside!
      const request = entry[requestOf]!
      // Also where all its waiters have left, since others may wait for the same call: see `Call.givenUp`.
      request.call = call
      requests.push(request)
      this.pending.remove(request)
      request.addWaitersTo(waiters)
    }
    for (const waiter of waiters) waiter.letGo()
    const running = Effect.suspend(() => {
      // The policies around a call can delay it, and some waiters may have left meanwhile.
      const left = waiters.filter(({ waits }) => waits)
      tell(left, { batch: call.number, requests: entries.length, callers: left.length, ...timeOf(fiber) })
      const ending = Effect.sync(() => {
        call.ended()
        refuseForgotten(requests)
      })
      return Effect.andThen(reporting(left, run()), ending)
    })
    const contexts = new Set(waiters.map(({ requester }) => requester.context))
    const [first = fiber.context, ...others] = contexts
    const common = inCommon(first, others)
    const whole = inSpan(running, waiters, entries, common)
    const { around } = this
    const outcome = Effect.suspend(() => call.outcome)
    return Effect.updateContext(around === undefined ? whole : around(Effect.andThen(whole, outcome)), () => common)
  }
}

/** Runs the reports of a call's waiters, each once, and then the call. */
const reporting = (waiters: ReadonlyArray<RequestWaiter>, self: Running): Running => {
  const reports = new Set<Effect.Effect<void>>()
  for (const { requester } of waiters) requester.reports?.forEach((report) => reports.add(report))
  return reports.size === 0 ? self : Effect.andThen(Effect.all(reports, { discard: true }), self)
}

const tell = (waiters: ReadonlyArray<RequestWaiter>, sent: Sent): void => {
  for (const { requester } of waiters) requester.onSent?.(sent)
}

const timeOf = (fiber: Fiber.Fiber<unknown, unknown>): Pick<Sent, "outOfTime"> =>
  isOutOfTime(fiber) ? { outOfTime: true } : {}

const refuseForgotten = (requests: ReadonlyArray<PendingRequest>): void => {
  for (const pending of requests) {
    if (!pending.isAnswered) pending.answer(Exit.fail(new UnansweredRequest({ request: pending.request })))
  }
}

const parentOf = (context: Context.Context<never>): Tracer.AnySpan | undefined =>
  Context.getOrUndefined(context as Context.Context<Tracer.ParentSpan>, Tracer.ParentSpan)

/**
 * Runs a call in the innermost span that contains all its waiters, if there is one. Where the run of a waiter is traced, the
 * call has a span of its own there, with links to the spans of its waiters. The number of links is limited: an attribute of
 * the span counts the links that are left out.
 */
const inSpan = (
  self: Running,
  waiters: ReadonlyArray<RequestWaiter>,
  entries: BatchEntries,
  common: Context.Context<never>
): Running => {
  const spans = new Set<Tracer.AnySpan>()
  for (const { requester } of waiters) {
    const span = parentOf(requester.context)
    if (span !== undefined) spans.add(span)
  }
  const parent = parentOf(common) ?? innermostAround(spans)
  const placed = parent === undefined ? self : Effect.provideService(self, Tracer.ParentSpan, parent)
  const limits = waiters.map(spanLimitsOf).find((limits) => limits !== undefined)
  if (limits === undefined) return placed
  const links = Array.from(spans, (span) => ({ span, attributes: {} })).slice(0, limits.links)
  const attributes = {
    "effect_loader.batch.requests": entries.length,
    "effect_loader.batch.callers": waiters.length,
    ...(links.length < spans.size && { "otel.dropped_links_count": spans.size - links.length })
  }
  const options = { attributes, captureStackTrace: false, links }
  return Effect.withSpan(self, nameOf(entries), parent === undefined ? options : { ...options, parent })
}

/** The limits of a span for the call, if the run of a waiter is observed and traced. */
const spanLimitsOf = ({ requester: { context, onSent } }: RequestWaiter): BatchSpanLimits | undefined =>
  onSent === undefined ? undefined : Context.get(context, BatchSpans)

const nameOf = ([{ request }]: BatchEntries): string => {
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
