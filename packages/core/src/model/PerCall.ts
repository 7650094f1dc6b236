/** Reports of a load that run once per call of its backend, however many policies add them. */
import * as Effect from "effect/Effect"

type CallReport = Effect.Effect<void>

export class PerCall {
  private readonly known = new Set<CallReport>()
  private due: Array<CallReport> = []

  add(report: CallReport): void {
    if (this.known.size < this.known.add(report).size) this.due.push(report)
  }

  /** What is due, once: the attempts after the first are not counted. */
  take(): ReadonlyArray<CallReport> {
    const { due } = this
    this.due = []
    return due
  }

  /** An attempt that is a call of its own. */
  before<A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      const due = this.take()
      return due.length === 0 ? self : Effect.andThen(Effect.all(due, { discard: true }), self)
    })
  }
}
