/** Effects that ask for requests and wait for the answers. */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { AnyRequest } from "./AnyResolver.ts"
import type { Asker, Caller } from "./Asked.ts"
import type { Batches } from "./Batches.ts"

/** The optional parts of an `Asker`. */
export type Telling = Partial<Pick<Asker, "place" | "onSent" | "deadline" | "reports">>

const nothing: Telling = {}

const currentContext = (): Context.Context<never> => Fiber.getCurrent()!.context

/** Asks for one request. Interrupting it leaves the request; where that interrupts the call, it waits for the call's end. */
export const ask = (
  batches: Batches,
  request: () => AnyRequest,
  { deadline, onSent, place, reports }: Telling = nothing
): Effect.Effect<unknown, unknown> =>
  Effect.callback((resume) => {
    const asker = { context: currentContext(), onExit: resume, place, onSent, deadline, reports }
    const caller = batches.ask(request(), asker)
    return Effect.suspend(() => caller.leave() ?? Effect.void)
  })

/** Asks for several requests at once, and collects their answers in an array. The first failure fails them all. */
class AskingAll implements Asker {
  readonly context = currentContext()
  readonly onSent = undefined
  readonly reports = undefined
  readonly place: Asker["place"]
  readonly deadline: Asker["deadline"]
  private readonly resume: (self: Effect.Effect<ReadonlyArray<unknown>, unknown>) => void
  private readonly onFailure: OnFailure
  private callers: ReadonlyArray<Caller> = []
  private readonly values: Array<unknown> = []
  private open: number

  constructor(
    count: number,
    { deadline, place }: Telling,
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
    this.callers = batches.askEach(requests, this)
  }

  get waits(): boolean {
    return this.open > 0
  }

  readonly onExit = (exit: Exit.Exit<unknown, unknown>, question: number): void => {
    if (this.open <= 0) return
    if (Exit.isSuccess(exit)) {
      this.values[question] = exit.value
      if (--this.open === 0) this.resume(Exit.succeed(this.values))
    } else {
      this.open = 0
      this.onFailure(question, exit.cause)
      this.resume(Effect.andThen(this.leave, Exit.failCause(exit.cause)))
    }
  }

  get leave(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const ends = this.callers.flatMap((caller) => caller.leave() ?? [])
      return ends.length === 0 ? Effect.void : Effect.forEach(ends, (end) => end, { discard: true })
    })
  }
}

/** Called with the index of the request that failed first, and its cause. */
type OnFailure = (index: number, cause: Cause.Cause<unknown>) => void

/** Asks for several requests at once, without a fiber for each. The first failure fails them all, and leaves the others. */
export const askAll = (
  batches: Batches,
  requests: ReadonlyArray<AnyRequest>,
  onFailure: OnFailure,
  telling: Telling = nothing
): Effect.Effect<ReadonlyArray<unknown>, unknown> =>
  Effect.callback<ReadonlyArray<unknown>, unknown>((resume) => {
    const asking = new AskingAll(requests.length, telling, onFailure, resume)
    asking.ask(batches, requests)
    return asking.leave
  })
