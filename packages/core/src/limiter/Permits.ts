/**
 * The Effect side of a limiter: it gives the machine (`Admission`) the time and does what that decides.
 *
 * A permit cannot get lost: from asking to giving back nothing can be interrupted but the wait and the attempt itself,
 * and however these end, what they had is given back.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { forkInRoot } from "../base/Fork.ts"
import { Held } from "../base/Held.ts"
import { aBoolean, answerOf } from "../base/UserValue.ts"
import { tookTooLong } from "../base/TimeUp.ts"
import { type Admission, type Outcome, type Stats } from "./Admission.ts"
import { CurrentShare, type ShareOptions } from "./CurrentShare.ts"
import { LimitExceeded } from "./LimitExceeded.ts"
import { Loan } from "./Loan.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import type { PermitSource } from "./PermitSource.ts"
import { sourceIn } from "./SourceIn.ts"
import type { Flow, Request, Ticket } from "./Ticket.ts"

/** Whether an error says that the backend had too much to do. */
export type IsOverload = (error: unknown) => boolean

export class Permits implements PermitSource {
  readonly name: string
  private readonly admission: Admission
  private readonly isOverload: IsOverload
  /** Told of the first defect of `isOverload`. */
  private onDefect: ((defect: unknown) => void) | undefined
  private readonly waiters = new Map<Ticket, () => void>()
  private draining = false
  private alarm: { readonly at: number; readonly fiber: Fiber.Fiber<void> } | undefined = undefined

  constructor(name: string, admission: Admission, isOverload: IsOverload, onDefect?: (defect: unknown) => void) {
    this.onDefect = onDefect
    this.name = name
    this.admission = admission
    this.isOverload = isOverload
  }

  stats(): Stats {
    return this.admission.stats()
  }

  /** How long a resource usually takes with a permit, in milliseconds. */
  usual(resource: string): number {
    return this.admission.latencies.usual(resource)
  }

  /** The 99th percentile of the event loop's lag since the last time, in milliseconds. */
  reportLag(lag: number, clock: Clock.Clock): void {
    this.admission.reportLag(lag, monotonicNow(clock))
    this.drain(clock)
  }

  /** The most permits that can ever be asked for. */
  get max(): number {
    return this.admission.maxPermits
  }

  /** What is wrong with asking for so many permits, if anything is. */
  problemWith(count: number, resource: string): Cause.IllegalArgumentError | undefined {
    if (!(Number.isInteger(count) && count >= 1)) {
      return new Cause.IllegalArgumentError(
        `limiter "${this.name}": \`permits\` must be a whole number from 1, got ${count}`
      )
    }
    if (count <= this.max) return undefined
    const asks = resource === "" ? "an attempt" : `"${resource}"`
    return new Cause.IllegalArgumentError(
      `limiter "${this.name}" has at most ${this.max} permits: ${asks} would wait for ${count} for ever`
    )
  }

  /** How many permits can be in use at the moment. */
  get limit(): number {
    return this.admission.limit
  }

  ask(request: Request, clock: Clock.Clock, onOver: () => void): Ticket {
    const ticket = this.admission.offer(request, monotonicNow(clock))
    if (ticket.state === "Waiting") this.waiters.set(ticket, onOver)
    this.drain(clock)
    return ticket
  }

  leave(ticket: Ticket, clock: Clock.Clock): undefined {
    this.waiters.delete(ticket)
    // It may have got its permits in the moment in which it was given up.
    if (ticket.state === "Held") this.admission.end(ticket, "Unknown", monotonicNow(clock))
    if (ticket.state === "Waiting") this.admission.leave(ticket)
    return this.drain(clock)
  }

  end(ticket: Ticket, exit: Exit.Exit<unknown, unknown>, clock: Clock.Clock): undefined {
    this.admission.end(ticket, this.outcome(exit), monotonicNow(clock))
    return this.drain(clock)
  }

  isShared(flow: Flow): boolean {
    return this.admission.isShared(flow)
  }

  refusal(ticket: Ticket, clock: Clock.Clock): LimitExceeded {
    return new LimitExceeded({
      limiter: this.name,
      reason: ticket.refusal!,
      waited: Duration.millis(monotonicNow(clock) - ticket.askedAt),
      limit: this.admission.limit
    })
  }

  /**
   * Tells everybody whose waiting is over. They go on at once, and what they do may lead here again: that only adds to
   * what the first of these loops has to do, so that no stack grows.
   */
  private drain(clock: Clock.Clock): undefined {
    if (this.draining) return undefined
    if (this.admission.waiting === 0 && this.waiters.size === 0) return this.setAlarm(clock)
    this.draining = true
    for (
      let next = this.admission.next(monotonicNow(clock));
      next !== undefined;
      next = this.admission.next(monotonicNow(clock))
    ) {
      const resume = this.waiters.get(next)
      this.waiters.delete(next)
      resume?.()
    }
    this.draining = false
    return this.setAlarm(clock)
  }

  /** Comes back when a deadline passes, if nothing else happens until then. */
  private setAlarm(clock: Clock.Clock): undefined {
    const at = this.admission.wakeAt
    if (at === (this.alarm?.at ?? Infinity)) return undefined
    const before = this.alarm
    this.alarm = undefined
    before?.fiber.interruptUnsafe()
    if (at === Infinity) return undefined
    const ring = Effect.sync(() => {
      this.alarm = undefined
      this.drain(clock)
    })
    // A little late rather than a little early: then it would have nothing to do yet. It is for all that wait.
    const pause = clock.sleep(Duration.millis(Math.ceil(Math.max(0, at - monotonicNow(clock)))))
    this.alarm = { at, fiber: forkInRoot(Context.empty(), Effect.andThen(pause, ring)) }
    return undefined
  }

  private outcome(exit: Exit.Exit<unknown, unknown>): Outcome {
    if (Exit.isSuccess(exit)) return "Answered"
    const fail = exit.cause.reasons.find(Cause.isFailReason)
    if (fail === undefined) return tookTooLong(exit.cause) ? "Dropped" : "Unknown"
    if (Cause.isTimeoutError(fail.error)) return "Dropped"
    try {
      const says = answerOf(`limiter "${this.name}"`, "`isOverload`", aBoolean, () => this.isOverload(fail.error))
      return says ? "Dropped" : "Unknown"
    } catch (defect) {
      // A holder gives back its permits here, which nothing may keep it from.
      this.onDefect?.(defect)
      this.onDefect = undefined
      return "Unknown"
    }
  }
}

/** Runs an effect with permits. */
export const hold = <A, E, R>(
  permits: Permits,
  self: Effect.Effect<A, E, R>,
  request: (clock: Clock.Clock, share: ShareOptions) => Request
): Effect.Effect<A, E | LimitExceeded, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiber((fiber) => {
      const clock = fiber.getRef(Clock.Clock)
      const asked = request(clock, fiber.getRef(CurrentShare))
      const problem = permits.problemWith(asked.permits, asked.resource)
      if (problem !== undefined) return Effect.die(problem)
      return borrow({ permits, request: asked, fiber, clock, restore, self })
    })
  )

/** An effect that is to run with permits, and what it takes. */
interface Borrowing<A, E, R> {
  readonly permits: Permits
  readonly request: Request
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly clock: Clock.Clock
  readonly restore: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly self: Effect.Effect<A, E, R>
}

/** Gets the permits, from whoever has some, and gives them back in the end. Nothing but `restore` can be interrupted. */
const borrow = <A, E, R>(borrowing: Borrowing<A, E, R>): Effect.Effect<A, E | LimitExceeded, R> => {
  const { clock, fiber, permits, request, restore } = borrowing
  const held = fiber.getRef(Held)
  const source = sourceIn(held, permits)
  let onOver = (): void => {}
  const ticket = source.ask(request, clock, () => onOver())
  if (ticket.state !== "Waiting") return answered(borrowing, held, source, ticket)
  const wait = Effect.callback<void>((resume) => {
    onOver = () => resume(Effect.void)
    if (ticket.state !== "Waiting") onOver()
  })
  const waited = Effect.onExitPrimitive(
    restore(wait),
    (exit) => (Exit.isSuccess(exit) ? undefined : source.leave(ticket, clock)),
    true
  )
  return Effect.flatMap(waited, () => answered(borrowing, held, source, ticket))
}

const answered = <A, E, R>(
  borrowing: Borrowing<A, E, R>,
  held: Held,
  source: PermitSource,
  ticket: Ticket
): Effect.Effect<A, E | LimitExceeded, R> => {
  const { clock, fiber, permits, restore, self } = borrowing
  if (ticket.state === "Refused") return Effect.fail(permits.refusal(ticket, clock))
  if (ticket.state === "Done") return borrow(borrowing)
  return lending(new Loan(permits, source, ticket, held), fiber, clock, restore(self))
}

/** Runs an effect, in its own fiber, that others inside it can borrow from; without a step more than that takes. */
const lending = <A, E, R>(
  loan: Loan,
  fiber: Fiber.Fiber<unknown, unknown>,
  clock: Clock.Clock,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const { context } = fiber
  fiber.setContext(Context.add(context, Held, loan))
  return Effect.onExitPrimitive(
    self,
    (exit) => {
      fiber.setContext(context)
      return loan.close(exit, clock)
    },
    true
  )
}
