/** Effects that make requests and wait for the answers. */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { AnyRequest } from "./AnyResolver.ts"
import type { Requester, RequestWaiter } from "./PendingRequest.ts"
import type { Batches } from "./Batches.ts"

/** The optional parts of a `Requester`. */
export type RequestOptions = Partial<Pick<Requester, "place" | "onSent" | "deadline" | "reports">>

const noOptions: RequestOptions = {}

const currentContext = (): Context.Context<never> => Fiber.getCurrent()!.context

/** Makes one request. Its interruption removes the waiter; if that interrupts the call, it waits for the end of the call. */
export const ask = (
  batches: Batches,
  request: () => AnyRequest,
  { deadline, onSent, place, reports }: RequestOptions = noOptions
): Effect.Effect<unknown, unknown> =>
  Effect.callback((resume) => {
    const requester = { context: currentContext(), onExit: resume, place, onSent, deadline, reports }
    const waiter = batches.ask(request(), requester)
    return Effect.suspend(() => waiter.leave() ?? Effect.void)
  })

/** Makes several requests at once, and collects their answers in an array. The first failure fails them all. */
class ListRequester implements Requester {
  readonly context = currentContext()
  readonly onSent = undefined
  readonly reports = undefined
  readonly place: Requester["place"]
  readonly deadline: Requester["deadline"]
  private readonly resume: (self: Effect.Effect<ReadonlyArray<unknown>, unknown>) => void
  private readonly onFailure: OnFailure
  private waiters: ReadonlyArray<RequestWaiter> = []
  private readonly values: Array<unknown> = []
  private open: number

  constructor(
    count: number,
    { deadline, place }: RequestOptions,
    onFailure: OnFailure,
    resume: (self: Effect.Effect<ReadonlyArray<unknown>, unknown>) => void
  ) {
    this.open = count
    this.place = place
    this.deadline = deadline
    this.onFailure = onFailure
    this.resume = resume
  }

  ask(batches: Batches, requests: ReadonlyArray<AnyRequest>): void {
    if (this.open === 0) this.resume(Exit.succeed(this.values))
    this.waiters = batches.askEach(requests, this)
  }

  get waits(): boolean {
    return this.open > 0
  }

  readonly onExit = (exit: Exit.Exit<unknown, unknown>, index: number): void => {
    if (this.open <= 0) return
    if (Exit.isSuccess(exit)) {
      this.values[index] = exit.value
      if (--this.open === 0) this.resume(Exit.succeed(this.values))
    } else {
      this.open = 0
      this.onFailure(index, exit.cause)
      this.resume(Effect.andThen(this.leave, Exit.failCause(exit.cause)))
    }
  }

  get leave(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const ends = this.waiters.flatMap((waiter) => waiter.leave() ?? [])
      return ends.length === 0 ? Effect.void : Effect.forEach(ends, (end) => end, { discard: true })
    })
  }
}

/** Called with the index of the request that failed first, and its cause. */
type OnFailure = (index: number, cause: Cause.Cause<unknown>) => void

/** Makes several requests at once, without a fiber for each. The first failure fails the effect and leaves the other requests. */
export const askAll = (
  batches: Batches,
  requests: ReadonlyArray<AnyRequest>,
  onFailure: OnFailure,
  options: RequestOptions = noOptions
): Effect.Effect<ReadonlyArray<unknown>, unknown> =>
  Effect.callback<ReadonlyArray<unknown>, unknown>((resume) => {
    const requester = new ListRequester(requests.length, options, onFailure, resume)
    requester.ask(batches, requests)
    return requester.leave
  })
