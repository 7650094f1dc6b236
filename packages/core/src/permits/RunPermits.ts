/** The permits of a run: a line for each of its limiters, and how urgent each step is by the latencies they have learned. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { Held } from "../base/Held.ts"
import { CurrentShare } from "../limiter/CurrentShare.ts"
import type { LimitExceeded } from "../limiter/LimitExceeded.ts"
import type { HeldPermits } from "../limiter/HeldPermits.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import { type Asked, PermitLine } from "./PermitLine.ts"
import { guarded, refused } from "../base/Refusal.ts"
import { type Limiter, permitsOf } from "../limiter/Permits.ts"
import { Flow } from "../limiter/Ticket.ts"

/** What somebody takes of one of the limiters, and whether a refusal shows only further out. */
export interface Taken extends Asked {
  /** Which of the limiters. */
  readonly limiter: number
  readonly label: string
  readonly surfaces: boolean
}

/** Who takes permits in a run. */
export interface Takers {
  /** The limiters, and who takes most of each at once. */
  readonly limiters: ReadonlyArray<{ readonly key: Context.Key<unknown, unknown>; readonly most: Asked }>
  /** How long the longest path from each step to the end takes, by how long what takes permits usually does. */
  readonly longestPaths: (usual: (taken: Taken) => number) => ArrayLike<number>
}

export class RunPermits {
  readonly lines: ReadonlyArray<PermitLine>
  /** Told when a limiter has answered. */
  onAnswer: () => void = () => {}
  /** Whether an attempt of the run has begun. */
  hasBegun = false
  private readonly takers: Takers
  private readonly clock: Clock.Clock
  private readonly held: Held
  private readonly limiters: ReadonlyArray<Limiter>
  private paths: ArrayLike<number> | undefined = undefined

  /** `timeout`: how long the run may take, in milliseconds. Dies where a step asks for more than there can ever be. */
  constructor(takers: Takers, fiber: Fiber.Fiber<unknown, unknown>, timeout: number) {
    const clock = fiber.getRef(Clock.Clock)
    const share = fiber.getRef(CurrentShare)
    const deadline = timeout === Infinity ? Infinity : monotonicNow(clock) + timeout
    this.takers = takers
    this.clock = clock
    this.held = fiber.getRef(Held)
    this.limiters = takers.limiters.map(({ key, most }) => {
      const limiter = Context.getUnsafe(fiber.context as Context.Context<unknown>, key) as Limiter
      const problem = permitsOf(limiter).problemWith(most.permits, most.resource)
      if (problem !== undefined) throw problem
      return limiter
    })
    this.lines = this.limiters.map(permitsOf).map(
      (permits) =>
        new PermitLine({
          permits,
          flow: new Flow(share),
          held: this.held,
          clock,
          deadline,
          hasBegun: () => this.hasBegun,
          onAnswer: () => this.onAnswer()
        })
    )
  }

  /** How long the longest path from a step to the end of the run takes, itself included, where that is known. */
  remaining(index: number): number {
    return (this.paths ??= this.takers.longestPaths((taken) => this.usual(taken)))[index]!
  }

  /** An attempt with the permits that it was given, which it lends to what runs inside it. */
  lend<A, E, R>(loan: HeldPermits, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    this.hasBegun = true
    return Effect.provideService(self, Held, loan)
  }

  /** What an attempt comes to that was refused, where its limit was piped, or on its way there. */
  refuse({ label, surfaces }: Taken, error: LimitExceeded): Effect.Effect<never, LimitExceeded> {
    return surfaces ? refused(label, error) : Effect.fail(error)
  }

  /** Runs an effect, which is no attempt of the run, with the permits of one. */
  byHand<A, E, R>(taken: Taken, self: Effect.Effect<A, E, R>): Effect.Effect<A, E | LimitExceeded, R> {
    const { limiter, permits, resource } = taken
    return guarded(
      self as Effect.Effect<A, E | LimitExceeded, R>,
      (inside) => this.limiters[limiter]!.withPermit(inside, { permits, resource }),
      (error) => this.refuse(taken, error as LimitExceeded)
    )
  }

  /** An attempt that had permits is over. */
  end(loan: HeldPermits, exit: Exit.Exit<unknown, unknown>): void {
    loan.close(exit, this.clock)
  }

  withdraw(): void {
    for (const line of this.lines) line.withdraw()
  }

  private usual({ limiter, resource }: Taken): number {
    return permitsOf(this.limiters[limiter]!).usual(resource)
  }
}

/** Makes the permits of a run. What takes some brings this along, so that programs without limits need not carry them. */
export type MakeRunPermits = (takers: Takers, fiber: Fiber.Fiber<unknown, unknown>, timeout: number) => RunPermits

export const makeRunPermits: MakeRunPermits = (takers, fiber, timeout) => new RunPermits(takers, fiber, timeout)
