/** The limiters of a run: a line for each, and how urgent each step is by the latencies that they have learned. */
import { Clock, Context, Effect, type Exit, type Fiber } from "effect"
import type { Batches } from "../batching/Batches.ts"
import { type Asks, type Limited, mayWaitFor, type Program } from "../compile/Program.ts"
import { CurrentShare } from "../limiter/CurrentShare.ts"
import { Held, sourceIn } from "../limiter/Held.ts"
import type { Loan } from "../limiter/Loan.ts"
import { hideRefusal } from "../limiter/Refusal.ts"
import { now } from "../limiter/Now.ts"
import { type Limiter, permitsOf } from "../limiter/Shape.ts"
import { Flow } from "../limiter/Ticket.ts"
import type { AnyEffect } from "../model/Node.ts"
import { limitedBatches } from "./LimitedCalls.ts"
import { PermitLine } from "./PermitLine.ts"

export class RunLimits {
  readonly lines: ReadonlyArray<PermitLine>
  /** Told when a limiter has answered. */
  onAnswer: () => void = () => {}
  /** Whether an attempt of the run has begun. */
  hasBegun = false
  private readonly program: Program
  private readonly clock: Clock.Clock
  private readonly held: Held
  private readonly limiters: ReadonlyArray<Limiter>
  private paths: Float64Array | undefined = undefined

  /** `timeout`: how long the run may take, in milliseconds. Dies where a step asks for more than there can ever be. */
  constructor(program: Program, fiber: Fiber.Fiber<unknown, unknown>, timeout: number) {
    const clock = fiber.getRef(Clock.Clock)
    const share = fiber.getRef(CurrentShare)
    const deadline = timeout === Infinity ? Infinity : now(clock) + timeout
    this.program = program
    this.clock = clock
    this.held = fiber.getRef(Held)
    this.limiters = program.limiters.map(({ key, most }) => {
      const limiter = Context.getUnsafe(fiber.context as Context.Context<unknown>, key) as Limiter
      const problem = permitsOf(limiter).problemWith(most.permits, most.resource)
      if (problem !== undefined) throw problem
      return limiter
    })
    this.lines = this.limiters.map(permitsOf).map(
      (permits) =>
        new PermitLine({
          permits,
          flow: new Flow(permits.share(share)),
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
    return (this.paths ??= this.longestPaths())[index]!
  }

  /** An attempt with the permits that it was given, which it lends to what runs inside it. */
  lend(loan: Loan, self: AnyEffect): AnyEffect {
    this.hasBegun = true
    return Effect.provideService(self, Held, loan)
  }

  /** Where requests are collected whose calls take permits. */
  batchesOf({ limiter, permits: count, resource }: Limited, asks: Asks): Batches {
    const service = this.limiters[limiter]!
    return limitedBatches(sourceIn(this.held, permitsOf(service)), service, { count, resource }, asks)
  }

  /** Runs an effect, which is no attempt of the run, with the permits of one. */
  byHand({ limiter, permits, resource, surfaces }: Limited, self: AnyEffect): AnyEffect {
    const limited = this.limiters[limiter]!.withPermit(self, { permits, resource })
    return surfaces ? hideRefusal(limited) : limited
  }

  /** An attempt that had permits is over. */
  end(loan: Loan, exit: Exit.Exit<unknown, unknown>): void {
    loan.close(exit, this.clock)
  }

  withdraw(): void {
    for (const line of this.lines) line.withdraw()
  }

  private longestPaths(): Float64Array {
    const { steps } = this.program
    const paths = new Float64Array(steps.length)
    for (let i = steps.length - 1; i >= 0; i--) {
      paths[i]! += this.usual(i)
      for (const j of mayWaitFor(steps[i]!)) paths[j] = Math.max(paths[j]!, paths[i]!)
    }
    return paths
  }

  private usual(index: number): number {
    const step = this.program.steps[index]!
    const limit = step.kind === "load" ? (step.limit ?? step.items?.limit) : undefined
    return limit === undefined ? 0 : permitsOf(this.limiters[limit.limiter]!).usual(limit.resource)
  }
}
