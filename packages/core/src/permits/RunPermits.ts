/** The permits of a run: a line for each limiter, and the urgency of each step by learned latencies. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { Held } from "../base/Held.ts"
import { CurrentShare } from "../limiter/CurrentShare.ts"
import type { Program } from "../compile/Program.ts"
import type { Extension, Hooks, Permitting } from "../model/Extension.ts"
import type { AnyEffect } from "../model/Node.ts"
import type { Limited, Step } from "../model/Step.ts"
import type { Execution } from "../run/Execution.ts"
import type { Run } from "../run/Run.ts"
import { LimitedSlots } from "./LimitedSlots.ts"
import { ownContext } from "../base/AsyncContext.ts"
import { longestPaths } from "./LongestPaths.ts"
import type { LimitExceeded } from "../limiter/LimitExceeded.ts"
import type { HeldPermits } from "../limiter/HeldPermits.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import { type PermitDemand, PermitLine } from "./PermitLine.ts"
import { guarded, refused } from "../base/Refusal.ts"
import { type Limiter, permitsOf } from "../limiter/Permits.ts"
import { Flow } from "../limiter/Ticket.ts"

/** The limits of the steps of a program. */
interface Takers {
  /** The limiters, and the largest number of permits that one attempt takes of each. */
  readonly limiters: ReadonlyArray<{ readonly key: Context.Key<unknown, unknown>; readonly most: PermitDemand }>
  /** The duration of the longest path from each step to the end, by the usual latency of each limit. */
  readonly longestPaths: (usual: (limit: Limited) => number) => ArrayLike<number>
}

class RunPermits implements Permitting {
  readonly lines: ReadonlyArray<PermitLine>
  /** Called when a limiter has answered. */
  onAnswer: () => void = () => {}
  /** Whether an attempt of the run has begun. */
  hasBegun = false
  private readonly takers: Takers
  private readonly clock: Clock.Clock
  private readonly held: Held
  private readonly limiters: ReadonlyArray<Limiter>
  private paths: ArrayLike<number> | undefined = undefined

  /** `timeout`: the time limit of the run, in milliseconds. Throws if a step needs more permits than the limiter can ever have. */
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

  /** The duration of the longest path from a step to the end of the run, itself included, as far as limiters have learned it. */
  remaining(index: number): number {
    return (this.paths ??= this.takers.longestPaths((taken) => this.usual(taken)))[index]!
  }

  begun(): void {
    this.hasBegun = true
  }

  /** Provides an attempt with its permits, for nested work to borrow. */
  lend(permits: unknown, self: AnyEffect): AnyEffect {
    this.hasBegun = true
    return Effect.provideService(self, Held, permits as HeldPermits)
  }

  /** The effect of a refused attempt. If the limit was piped further out, the refusal travels there first. */
  refuse({ label, surfaces }: Limited, error: unknown): Effect.Effect<never, unknown> {
    return surfaces ? refused(label, error as LimitExceeded) : Effect.fail(error)
  }

  /** Runs an effect that is no attempt of the run, with the permits of an attempt. */
  byHand(limit: Limited, self: AnyEffect): AnyEffect {
    const { limiter, permits, resource } = limit
    return guarded(
      self,
      (inside) => this.limiters[limiter]!.withPermit(inside, { permits, resource }),
      (error) => this.refuse(limit, error)
    )
  }

  /** Releases the permits of an attempt that has ended. */
  end(permits: unknown, exit: Exit.Exit<unknown, unknown>): void {
    ;(permits as HeldPermits).close(exit, this.clock)
  }

  private usual({ limiter, resource }: Limited): number {
    return permitsOf(this.limiters[limiter]!).usual(resource)
  }
}

/** The limits of a step: of its attempts, its items' attempts, and its calls. */
const limitsOf = ({ attempts }: Step): ReadonlyArray<Limited> =>
  [attempts, attempts?.items].flatMap((wrapped) =>
    [wrapped?.limit, wrapped?.asks?.limit].filter((limit) => limit !== undefined)
  )

/** The limiters of a program. Sets the index of each limit's limiter. */
const limitersOf = (steps: ReadonlyArray<Step>): Takers["limiters"] => {
  const all: Array<{ readonly key: Context.Key<unknown, unknown>; most: PermitDemand }> = []
  const known = new Map<Context.Key<unknown, unknown>, number>()
  for (const limit of steps.flatMap(limitsOf)) {
    const { permits, resource, takes } = limit
    const most = { permits, resource }
    const place = known.get(takes.limiter) ?? all.push({ key: takes.limiter, most }) - 1
    known.set(takes.limiter, place)
    if (permits > all[place]!.most.permits) all[place]!.most = most
    limit.limiter = place
  }
  return all
}

/** Takes permits for the attempts of a run. Limited steps bring it, so programs without limits do not contain it. */
export const limiting: Extension = {
  prepare: ({ steps }: Program) => limitersOf(steps),
  open: (run: Run, limiters: Takers["limiters"], { fiber, runnable }: Execution): Hooks => {
    const { timeout } = runnable
    const takers: Takers = { limiters, longestPaths: (usual) => longestPaths(run.program, usual) }
    const permits = new RunPermits(takers, fiber, timeout === undefined ? Infinity : Duration.toMillis(timeout))
    return {
      permits,
      slots: {
        async: ownContext,
        make: (limit, urgency, parts) => new LimitedSlots(limit, urgency, parts, permits)
      }
    }
  }
}
