/**
 * The Effect side of a limiter: it gives the machine (`Admission`) the time and does what that decides.
 *
 * A permit cannot get lost: from asking to giving back nothing can be interrupted but the wait and the attempt itself,
 * and however these end, what they had is given back.
 */
import { Cause, Clock, Context, Duration, Effect, Exit, Fiber } from "effect"
import { type Admission, type Outcome, type Stats } from "./Admission.ts"
import { LimitExceeded } from "./LimitExceeded.ts"
import type { Request, Ticket } from "./Ticket.ts"

/** Whether an error says that the backend had too much to do. */
export type IsOverload = (error: unknown) => boolean

const nanosPerMilli = 1e6

export class Permits {
  private readonly name: string
  private readonly admission: Admission
  private readonly isOverload: IsOverload
  private readonly waiters = new Map<Ticket, () => void>()
  private draining = false
  private alarm: { readonly at: number; readonly fiber: Fiber.Fiber<void> } | undefined = undefined

  constructor(name: string, admission: Admission, isOverload: IsOverload) {
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
    this.admission.reportLag(lag, now(clock))
    this.drain(clock)
  }

  /** Runs an effect with permits. `request` is asked for the time, in case its deadline is counted from now. */
  hold<A, E, R>(
    self: Effect.Effect<A, E, R>,
    request: (now: number) => Request
  ): Effect.Effect<A, E | LimitExceeded, R> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber): Effect.Effect<A, E | LimitExceeded, R> => {
        const clock = Context.get(fiber.context as Context.Context<never>, Clock.Clock)
        const at = now(clock)
        const asked = request(at)
        if (asked.permits > this.admission.maxPermits) return this.dieOfTooMany(asked)
        const ticket = this.admission.offer(asked, at)
        const held = (): Effect.Effect<A, E | LimitExceeded, R> =>
          ticket.state === "Held"
            ? Effect.onExitPrimitive(restore(self), (exit) => this.end(ticket, this.outcome(exit), clock), true)
            : Effect.fail(this.refusal(ticket, now(clock)))
        this.drain(clock)
        if (ticket.state !== "Waiting") return held()
        const wait = Effect.onExitPrimitive(
          restore(this.wait(ticket)),
          (exit) => (Exit.isSuccess(exit) ? undefined : this.giveUp(ticket, clock)),
          true
        )
        return Effect.flatMap(wait, held)
      })
    )
  }

  private wait(ticket: Ticket): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (ticket.state === "Waiting") this.waiters.set(ticket, () => resume(Effect.void))
      else resume(Effect.void)
    })
  }

  private giveUp(ticket: Ticket, clock: Clock.Clock): undefined {
    this.waiters.delete(ticket)
    // It may have got its permits in the moment in which it was interrupted.
    if (ticket.state === "Held") return this.end(ticket, "Unknown", clock)
    if (ticket.state === "Waiting") this.admission.leave(ticket)
    return this.drain(clock)
  }

  private end(ticket: Ticket, outcome: Outcome, clock: Clock.Clock): undefined {
    this.admission.end(ticket, outcome, now(clock))
    return this.drain(clock)
  }

  /**
   * Tells everybody whose waiting is over. They go on at once, and what they do may lead here again: that only adds to
   * what the first of these loops has to do, so that no stack grows.
   */
  private drain(clock: Clock.Clock): undefined {
    if (this.draining) return undefined
    if (this.admission.waiting === 0 && this.waiters.size === 0) return this.setAlarm(clock)
    this.draining = true
    for (let next = this.admission.next(now(clock)); next !== undefined; next = this.admission.next(now(clock))) {
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
    // A little late rather than a little early: then it would have nothing to do yet.
    const pause = clock.sleep(Duration.millis(Math.ceil(Math.max(0, at - now(clock)))))
    this.alarm = { at, fiber: Effect.runFork(Effect.andThen(pause, ring)) }
    return undefined
  }

  private outcome(exit: Exit.Exit<unknown, unknown>): Outcome {
    if (Exit.isSuccess(exit)) return "Answered"
    const fail = exit.cause.reasons.find(Cause.isFailReason)
    if (fail === undefined) return "Unknown"
    return Cause.isTimeoutError(fail.error) || this.isOverload(fail.error) ? "Dropped" : "Unknown"
  }

  private refusal(ticket: Ticket, at: number): LimitExceeded {
    return new LimitExceeded({
      limiter: this.name,
      reason: ticket.refusal!,
      waited: Duration.millis(at - ticket.askedAt),
      limit: this.admission.limit
    })
  }

  private dieOfTooMany({ permits, resource }: Request): Effect.Effect<never> {
    const asks = resource === "" ? "an attempt" : `"${resource}"`
    return Effect.die(
      new Cause.IllegalArgumentError(
        `limiter "${this.name}" has at most ${this.admission.maxPermits} permits: ${asks} would wait for ${permits} for ever`
      )
    )
  }
}

const now = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli
