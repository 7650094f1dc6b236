/**
 * The effects of a limiter: reads the clock for the machine (`Admission`), and resumes the fibers that it decides about.
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
import { type Admission, type AttemptOutcome, type Stats } from "./Admission.ts"
import { shareIn, type ShareOptions } from "./CurrentShare.ts"
import { LimitExceeded } from "./LimitExceeded.ts"
import { HeldPermits, type PermitSource } from "./HeldPermits.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import type { Flow, Request, Ticket } from "./Ticket.ts"

/** Whether an error says that the backend had too much to do. */
export type IsOverload = (error: unknown) => boolean

/**
 * What one effect needs of a limiter.
 *
 * - `permits`: how many it takes, a whole number. Default 1; more than the limit can ever be is a defect at once.
 * - `resource`: the name under which its latency is kept. Give different names to work that takes different times.
 * - `within`: how long its result is of use, from the call. It is refused when it cannot be done in time.
 *
 * @since 0.1.0
 * @category options
 */
export interface PermitOptions {
  readonly permits?: number
  readonly resource?: string
  readonly within?: Duration.Input
}

/**
 * What a limiter does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limiter {
  readonly withPermit: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options?: PermitOptions
  ) => Effect.Effect<A, E | LimitExceeded, R>
  readonly stats: Effect.Effect<Stats>
}

/** The part of a limiter that only this library uses. */
export interface Made {
  readonly permits: Permits
}

/** The permits behind a limiter's service. */
export const permitsOf = (self: Limiter): Permits => (self as Limiter & Made).permits

export class Permits implements PermitSource {
  readonly name: string
  private readonly admission: Admission
  private readonly isOverload: IsOverload
  /** Called with the first defect of `isOverload`. */
  private onDefect: ((defect: unknown) => void) | undefined
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

  /** The defect of a request for `count` permits, if it has one. */
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

  /** How many permits may be in use at present. */
  get limit(): number {
    return this.admission.limit
  }

  ask(request: Request, clock: Clock.Clock, onOver?: () => void): Ticket {
    const ticket = this.admission.offer(request, monotonicNow(clock))
    if (ticket.state === "Waiting") ticket.onOver = onOver
    this.drain(clock)
    return ticket
  }

  leave(ticket: Ticket, clock: Clock.Clock): undefined {
    ticket.onOver = undefined
    // The ticket may have got its permits at the instant in which it was given up.
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
   * Resumes all fibers whose waiting has ended. They run at once and may lead here again. The outermost of these loops does
   * what they add: no recursion.
   */
  private drain(clock: Clock.Clock): undefined {
    if (this.draining) return undefined
    if (this.admission.isQuiet) return this.alarm === undefined ? undefined : this.setAlarm(clock)
    this.draining = true
    for (
      let next = this.admission.next(monotonicNow(clock));
      next !== undefined;
      next = this.admission.next(monotonicNow(clock))
    ) {
      next.onOver?.()
    }
    this.draining = false
    return this.setAlarm(clock)
  }

  /** Drains again at the next deadline. */
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
    // Rounded up: before the deadline there would be nothing to do. It belongs to no caller, so it runs in the root context.
    const pause = clock.sleep(Duration.millis(Math.ceil(Math.max(0, at - monotonicNow(clock)))))
    this.alarm = { at, fiber: forkInRoot(Context.empty(), Effect.andThen(pause, ring)) }
    return undefined
  }

  private outcome(exit: Exit.Exit<unknown, unknown>): AttemptOutcome {
    if (Exit.isSuccess(exit)) return "Answered"
    const fail = exit.cause.reasons.find(Cause.isFailReason)
    if (fail === undefined) return tookTooLong(exit.cause) ? "Dropped" : "Unknown"
    if (Cause.isTimeoutError(fail.error)) return "Dropped"
    try {
      const says = answerOf(`limiter "${this.name}"`, "`isOverload`", aBoolean, () => this.isOverload(fail.error))
      return says ? "Dropped" : "Unknown"
    } catch (defect) {
      // A holder is returning its permits, which a defect must not prevent.
      this.onDefect?.(defect)
      this.onDefect = undefined
      return "Unknown"
    }
  }
}

/**
 * Runs an effect with permits.
 *
 * The finalizer is in place before the fiber asks, so an interruption at any point returns what the effect has. A region
 * that cannot be interrupted would do the same in more steps.
 */
export const hold = <A, E, R>(
  permits: Permits,
  self: Effect.Effect<A, E, R>,
  toRequest: (clock: Clock.Clock, share: ShareOptions) => Request
): Effect.Effect<A, E | LimitExceeded, R> =>
  Effect.withFiber((fiber) => {
    const { context } = fiber
    const clock = fiber.getRef(Clock.Clock)
    const request = toRequest(clock, shareIn(fiber))
    const problem = permits.problemWith(request.permits, request.resource)
    if (problem !== undefined) return Effect.die(problem)
    const held = new HeldPermits(permits, fiber.getRef(Held))
    const begin = (): Effect.Effect<A, E | LimitExceeded, R> => {
      const ticket = held.acquire(request, clock)
      if (ticket.state === "Waiting") return Effect.flatMap(waitFor(ticket), begin)
      if (ticket.state === "Refused") return Effect.fail(permits.refusal(ticket, clock))
      fiber.setContext(Context.add(context, Held, held))
      return self
    }
    const end = (exit: Exit.Exit<A, E | LimitExceeded>): undefined => {
      fiber.setContext(context)
      return held.close(exit, clock)
    }
    return Effect.onExitPrimitive(Effect.suspend(begin), end)
  })

const waitFor = (ticket: Ticket): Effect.Effect<void> =>
  Effect.callback((resume) => {
    ticket.onOver = () => resume(Effect.void)
    if (ticket.state !== "Waiting") ticket.onOver()
  })
