/**
 * The requests that go to one resolver, from all runs.
 *
 * Collecting and sending are Effect's: each request is one of `Effect.request`'s own. What is added is that equal ones
 * are made once, that a call which nobody waits for any more is interrupted, and that a request which the resolver
 * forgets fails by its name.
 */
import { Context, Effect, Exit, type Fiber, Hash, Tracer } from "effect"
import { type AnyRequest, type AnyResolver, changed, type Entries } from "./AnyResolver.ts"
import { Asked, Caller, type OnExit, type Telling } from "./Asked.ts"
import { BatchSpans } from "./BatchSpans.ts"
import { Call, type Sent } from "./Call.ts"
import { Collecting } from "./Collecting.ts"
import { type Hold, holdOf, isOutOfTime } from "./Hold.ts"
import { UnansweredRequest } from "./UnansweredRequest.ts"

type Running = Effect.Effect<void, unknown>

/** What goes around each call of a resolver. */
export type AroundCall = (self: Running) => Running

const nothing: Telling = {}

const unchanged: AroundCall = (self) => self

export class Batches {
  private readonly resolver: AnyResolver
  private readonly hold: Hold | undefined
  private readonly around: AroundCall
  private readonly collecting = new Collecting()

  constructor(resolver: AnyResolver, around: AroundCall = unchanged) {
    this.around = around
    this.hold = holdOf(resolver)
    this.resolver = changed(resolver, {
      runAll: (entries, key) =>
        Effect.withFiber((fiber) => this.send(fiber, entries, () => resolver.runAll(entries as never, key))) as never
    })
  }

  /** Asks for somebody in this context. */
  ask(request: AnyRequest, context: Context.Context<never>, onExit: OnExit, telling: Telling = nothing): Caller {
    const caller = new Caller(context, onExit, telling)
    const hash = Hash.hash(request)
    const known = this.collecting.find(hash, request, context)
    if (known === undefined) this.make(request, hash, caller)
    else this.join(known, caller)
    return caller
  }

  private join(asked: Asked, caller: Caller): void {
    asked.add(caller)
    if (this.hold !== undefined) caller.enter(this.hold)
  }

  private make(request: AnyRequest, hash: number, caller: Caller): void {
    const asked = new Asked(request, hash, caller.context, this.onGone)
    this.collecting.add(asked)
    this.join(asked, caller)
    asked.cancel = Effect.requestUnsafe(request, {
      resolver: this.resolver,
      context: caller.context,
      onExit: (exit) => asked.answer(exit)
    })
  }

  private readonly onGone = ({ context, request }: Asked): void => void this.collecting.take(request, context)

  /** What was collected is sent. */
  private send(fiber: Fiber.Fiber<unknown, unknown>, entries: Entries, run: () => Running): Running {
    const asked: Array<Asked> = []
    for (const { context, request } of entries) {
      const known = this.collecting.take(request, context)
      if (known !== undefined) asked.push(known)
    }
    const call = new Call(fiber, entries, asked.length)
    const callers: Array<Caller> = []
    for (const one of asked) {
      one.call = call
      callers.push(...one.callers)
    }
    for (const caller of callers) caller.letGo()
    const sent = { batch: call.number, requests: entries.length, callers: callers.length, ...timeOf(fiber) }
    const running = Effect.suspend(() => {
      for (const { telling } of callers) telling.onSent?.(sent)
      return Effect.andThen(
        run(),
        Effect.sync(() => refuseForgotten(asked))
      )
    })
    return this.around(inSpan(running, callers, entries))
  }
}

const timeOf = (fiber: Fiber.Fiber<unknown, unknown>): Pick<Sent, "outOfTime"> =>
  isOutOfTime(fiber) ? { outOfTime: true } : {}

const refuseForgotten = (asked: ReadonlyArray<Asked>): void => {
  for (const one of asked) {
    if (!one.isAnswered) one.answer(Exit.fail(new UnansweredRequest({ request: one.request })))
  }
}

/** A call in a span with links to all who wait for it, where somebody wants to see it. */
const inSpan = (self: Running, callers: ReadonlyArray<Caller>, entries: Entries): Running => {
  // Only those who are watched are told when a call begins.
  const isSeen = ({ context, telling }: Caller): boolean =>
    telling.onSent !== undefined && Context.get(context, BatchSpans)
  if (!callers.some(isSeen)) return self
  const spans = callers.flatMap(({ context }) => {
    const span = Context.getOrUndefined(context as Context.Context<Tracer.ParentSpan>, Tracer.ParentSpan)
    return span === undefined ? [] : [span]
  })
  const attributes = { "effect_loader.batch.requests": entries.length, "effect_loader.batch.callers": callers.length }
  const links = Array.from(new Set(spans), (span) => ({ span, attributes: {} }))
  return Effect.withSpan(self, nameOf(entries), { attributes, captureStackTrace: false, links })
}

const nameOf = ([{ request }]: Entries): string => {
  const { _tag } = request as { readonly _tag?: unknown }
  return typeof _tag === "string" ? `batch ${_tag}` : "batch"
}

/** The batches of each resolver: whoever names the same one shares them. */
const known = new WeakMap<AnyResolver, Batches>()

export const batchesOf = (resolver: AnyResolver): Batches => {
  let batches = known.get(resolver)
  if (batches === undefined) known.set(resolver, (batches = new Batches(resolver)))
  return batches
}
