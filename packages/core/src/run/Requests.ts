/** The requests of a run: who asks what answers them, and who is told. */
import { type Cause, Effect, Request } from "effect"
import type { AnyRequest } from "../batching/AnyResolver.ts"
import type { Telling } from "../batching/Asking.ts"
import type { Batches } from "../batching/Batches.ts"
import type { Asks, ItemLoads, Load } from "../compile/Program.ts"
import type { AnyEffect, Dependencies } from "../model/Node.ts"
import type { Foresight } from "./Foresight.ts"
import type { RunPermits } from "../limiter/RunPermits.ts"
import { limitedBatches } from "./LimitedCalls.ts"
import type { RunWatch } from "./RunWatch.ts"
import type { Tried } from "./Tried.ts"
import { call, type Named } from "../model/UserEffect.ts"

/** What a user's function gave, if it is a request; otherwise a defect that says so. */
export const asRequest = ({ name }: Named, value: unknown): AnyRequest => {
  if (Request.isRequest(value)) return value
  const given = value === null ? "null" : typeof value
  throw new TypeError(`resource "${name}" gave ${given} where a Request was expected: its \`request\` must return one`)
}

/** What loads a step that has nothing around it: an effect, unless a user's `load` gave something else. */
export const loadOf = (step: Load, deps: Dependencies): unknown => {
  if (step.asks === undefined) return call(step.load, deps)
  const { means, resolver } = step.asks
  return means.ask(means.batchesOf(resolver), () => asRequest(step, step.load(deps)))
}

export class Requests {
  private readonly limits: RunPermits | undefined
  private readonly watch: RunWatch | undefined
  private readonly foresight: Foresight | undefined

  constructor(limits: RunPermits | undefined, watch: RunWatch | undefined, foresight: Foresight | undefined) {
    this.limits = limits
    this.watch = watch
    this.foresight = foresight
  }

  /** A request that nothing wraps, and that nobody is told of. */
  askBarely(index: number, step: Load, asks: Asks, deps: Dependencies): AnyEffect {
    this.foresight?.hasCome(index, undefined)
    return asks.means.ask(this.batchesFor(asks), () => asRequest(step, step.load(deps)), this.tellingOf(index))
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
      return asks.means.askAll(this.batchesFor(asks), requests, onFailure, this.tellingOf(index))
    })
  }

  /** Asks, and tells when. */
  ask(tried: Tried, asks: Asks, request: () => AnyRequest): AnyEffect {
    const { index, item } = tried
    const { watch } = this
    const asked = Effect.suspend(() => {
      const attempt = tried.attempts || 1
      const onSent: Telling["onSent"] = watch && ((sent) => watch.requestSent(index, attempt, item, sent))
      watch?.requestMade(index, attempt, item)
      this.foresight?.hasCome(index, item)
      return asks.means.ask(this.batchesFor(asks), request, { ...this.tellingOf(index), onSent })
    })
    return asks.asking === undefined ? asked : asks.asking(asked)
  }

  /** Asks where others ask, for what belongs to no run. */
  askOutside(asks: Asks, request: () => AnyRequest): AnyEffect {
    return asks.means.ask(this.batchesFor(asks), request)
  }

  private tellingOf(index: number): Telling {
    return { place: this.foresight?.placeOf(index) }
  }

  /** Where to ask. What is limited shares calls with what asks for the same permits. */
  private batchesFor(asks: Asks): Batches {
    const { limit, means, resolver } = asks
    return limit === undefined ? means.batchesOf(resolver) : limitedBatches(this.limits!, limit, asks)
  }
}
