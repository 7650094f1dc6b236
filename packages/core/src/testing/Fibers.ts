/** Counts the live fibers that an effect has started, directly or indirectly. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"

export class Fibers implements Metric.FiberRuntimeMetricsService {
  alive = 0
  /** The service that counts fibers around this one. */
  private readonly others: Metric.FiberRuntimeMetricsService | undefined

  constructor(others: Metric.FiberRuntimeMetricsService | undefined) {
    this.others = others
  }

  recordFiberStart(context: Context.Context<never>): void {
    this.alive++
    this.others?.recordFiberStart(context)
  }

  recordFiberEnd(context: Context.Context<never>, exit: Exit.Exit<unknown, unknown>): void {
    this.alive--
    this.others?.recordFiberEnd(context, exit)
  }
}

/** Counts the fibers that an effect starts; its own is not among them. */
export const counted = <A, E, R>(self: Effect.Effect<A, E, R>, fibers: Fibers): Effect.Effect<A, E, R> =>
  Effect.provideService(self, Metric.FiberRuntimeMetrics, fibers)
