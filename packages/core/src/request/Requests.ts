/** The requests of a run: who asks what answers them, and who is told. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Request from "effect/Request"
import type { AnyRequest } from "../batching/AnyResolver.ts"
import type { RequestOptions } from "../batching/ask.ts"
import type { Batches } from "../batching/Batches.ts"
import type { Asks, ItemLoads, Load } from "../compile/Program.ts"
import type { AnyEffect, Dependencies } from "../model/Node.ts"
import type { Foresight } from "./Foresight.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import type { RunWatch } from "../watch/RunWatch.ts"
import type { Tried } from "../attempt/AttemptState.ts"
import { checked, type Expected, type Named } from "../base/UserValue.ts"
import { call } from "../model/UserEffect.ts"

const aRequest: Expected<AnyRequest> = {
  text: "a Request",
  read: (value) => (Request.isRequest(value) ? value : undefined)
}

/** What a user's function gave, if it is a request; otherwise a defect that says so. */
export const asRequest = (of: Named, value: unknown): AnyRequest => checked(of, "`request`", aRequest, value)

/** What loads a step that has nothing around it: an effect, unless a user's `load` gave something else. */
export const loadOf = (step: Load, deps: Dependencies): unknown => {
  if (step.asks === undefined) return call(step.load, deps)
  const { means, resolver } = step.asks
  return means.ask(means.batchesOf(resolver), () => asRequest(step, step.load(deps)))
}

export class Requests {
  private readonly watch: RunWatch | undefined
  private readonly foresight: Foresight | undefined

  constructor(watch: RunWatch | undefined, foresight: Foresight | undefined) {
    this.watch = watch
    this.foresight = foresight
  }

  /** A request that nothing wraps, and that nobody is told of. */
  askBarely(index: number, step: Load, asks: Asks, deps: Dependencies): AnyEffect {
    this.foresight?.hasCome(index, undefined)
    return asks.means.ask(batchesFor(asks), () => asRequest(step, step.load(deps)), this.tellingOf(index, asks))
  }

  /** The requests of a list whose items nothing wraps, all at once. `onFailure` is told which of them failed. */
  askForAll(
    index: number,
    step: Load,
    { asks, load }: Pick<ItemLoads, "load"> & { readonly asks: Asks },
    all: ReadonlyArray<unknown>,
    deps: Dependencies,
    onFailure: (item: number, cause: Cause.Cause<unknown>) => void
  ): AnyEffect {
    return Effect.suspend(() => {
      const requests = all.map((item, k) => asRequest(step, load(item, deps, k)))
      this.foresight?.hasCome(index, undefined)
      return asks.means.askAll(batchesFor(asks), requests, onFailure, this.tellingOf(index, asks))
    })
  }

  /** Asks, and tells when. */
  ask(tried: Tried, asks: Asks, request: () => AnyRequest): AnyEffect {
    const { index, item } = tried
    const { watch } = this
    const asked = Effect.suspend(() => {
      const attempt = tried.attempts || 1
      const reports = tried.perCall?.take()
      const onSent: RequestOptions["onSent"] =
        watch === undefined && reports === undefined
          ? undefined
          : (sent) => {
              tried.call = sent
              watch?.requestSent(index, attempt, item, sent)
            }
      watch?.requestMade(index, attempt, item)
      this.foresight?.hasCome(index, item)
      return asks.means.ask(batchesFor(asks), request, { ...this.tellingOf(index, asks), onSent, reports })
    })
    return asks.asking === undefined ? asked : asks.asking(asked)
  }

  private tellingOf(index: number, { patience }: Asks): RequestOptions {
    const place = this.foresight?.placeOf(index)
    if (patience === undefined) return { place }
    return { place, deadline: monotonicNow(Fiber.getCurrent()!.getRef(Clock.Clock)) + patience }
  }
}

/** Where to ask. Calls with policies around them are shared by all that have the same ones. */
const batchesFor = (asks: Asks): Batches =>
  asks.calls.length === 0
    ? asks.means.batchesOf(asks.resolver)
    : asks.means.protectedBatches(asks, Fiber.getCurrent()!.context as Context.Context<never>)

/** Asks where others ask, for what belongs to no run. */
export const askOutside = (asks: Asks, request: () => AnyRequest): AnyEffect =>
  Effect.suspend(() => asks.means.ask(batchesFor(asks), request))
