/** Makes the requests of a run, and reports them. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Request from "effect/Request"
import type { AttemptState } from "../attempt/AttemptState.ts"
import type { Loading } from "../attempt/Loading.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import { checked, type Expected, type Named } from "../base/UserValue.ts"
import type { AnyRequest } from "../batching/AnyResolver.ts"
import { sharedCall } from "./SharedCalls.ts"
import type { RequestOptions } from "../batching/ask.ts"
import type { Batches } from "../batching/Batches.ts"
import type { Hooks } from "../model/Extension.ts"
import type { AnyEffect } from "../model/Node.ts"
import type { Asks } from "../model/Step.ts"
import type { Run } from "../run/Run.ts"

const aRequest: Expected<AnyRequest> = {
  text: "a Request",
  read: (value) => (Request.isRequest(value) ? value : undefined)
}

/** The request that a user's function returned. Any other value is a defect. */
export const asRequest = (of: Named, value: unknown): AnyRequest => checked(of, "`request`", aRequest, value)

/** The batches that a request joins. Requests with the same policies around calls share calls. */
const batchesFor = (asks: Asks): Batches =>
  asks.calls.length === 0
    ? asks.means.batchesOf(asks.resolver)
    : asks.means.protectedBatches(asks, Fiber.getCurrent()!.context as Context.Context<never>)

const optionsOf = ({ placeOf }: Hooks, index: number, { patience }: Asks): RequestOptions => {
  const place = placeOf?.(index)
  if (patience === undefined) return { place }
  return { place, deadline: monotonicNow(Fiber.getCurrent()!.getRef(Clock.Clock)) + patience }
}

/** A request without layers and observers. */
export const askBarely = ({ hooks }: Run, index: number, asks: Asks, request: () => AnyRequest): AnyEffect => {
  hooks.permits?.begun()
  hooks.hasCome?.(index, undefined)
  return asks.means.ask(batchesFor(asks), request, optionsOf(hooks, index, asks))
}

/** The requests of a list whose items have no layers, all at once. `onFailure` gets the failed items. */
export const askForAll = (
  { hooks }: Run,
  index: number,
  asks: Asks,
  requests: ReadonlyArray<AnyRequest>,
  onFailure: (item: number, cause: Cause.Cause<unknown>) => void
): AnyEffect => {
  hooks.hasCome?.(index, undefined)
  return asks.means.askAll(batchesFor(asks), requests, onFailure, optionsOf(hooks, index, asks))
}

/** A request that reports when it is made and sent. */
const ask = ({ hooks, sink }: Run, state: AttemptState, asks: Asks, request: () => AnyRequest): AnyEffect => {
  const { index, item } = state
  const asked = Effect.suspend(() => {
    const attempt = state.attempts || 1
    const reports = state.perCall?.take()
    const onSent: RequestOptions["onSent"] =
      sink === undefined && reports === undefined
        ? undefined
        : (sent) => {
            state.call = sharedCall(sent)
            sink?.(index, item, { _tag: "RequestSent", attempt, sent })
          }
    sink?.(index, item, { _tag: "RequestMade", attempt })
    hooks.hasCome?.(index, item)
    return asks.means.ask(batchesFor(asks), request, { ...optionsOf(hooks, index, asks), onSent, reports })
  })
  return asks.asking === undefined ? asked : asks.asking(asked)
}

/** For users' functions that return a request. */
export const requests = (asks: Asks): Loading => ({
  inRun: ({ run }, { state, step }, given) => ask(run, state, asks, () => asRequest(step, given())),
  outside: (of, given) => Effect.suspend(() => asks.means.ask(batchesFor(asks), () => asRequest(of, given())))
})
