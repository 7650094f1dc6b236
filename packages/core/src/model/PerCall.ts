/** Reports that run once per call of a backend, however many policies and attempts add them. */
import * as Effect from "effect/Effect"

type CallReport = Effect.Effect<void>

export class PerCall {
  private readonly known = new Set<CallReport>()
  private due: Array<CallReport> = []

  add(report: CallReport): void {
    if (this.known.size < this.known.add(report).size) this.due.push(report)
  }

  /** Returns the reports that are due, once. */
  take(): ReadonlyArray<CallReport> {
    const { due } = this
    this.due = []
    return due
  }

  /** An attempt that is a separate call: runs the due reports first. */
  before<A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      const due = this.take()
      return due.length === 0 ? self : Effect.andThen(Effect.all(due, { discard: true }), self)
    })
  }
}
