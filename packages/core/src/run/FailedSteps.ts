/** The steps of a run that failed: why, since when, and what recovers them. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import { pathTo } from "../compile/Path.ts"
import type { AnyEffect } from "../model/Node.ts"
import { ResourceError } from "../model/ResourceError.ts"
import { annotated } from "./Failure.ts"
import type { Run } from "./Run.ts"

/** The effect of a view that recovers. */
interface Handler {
  readonly label: string
  readonly effect: AnyEffect
  /** What it recovers from. */
  readonly failure: () => unknown
}

const nanosPerMilli = 1_000_000n

export class FailedSteps {
  readonly causes = new Map<number, Cause.Cause<unknown>>()
  private readonly startedAt = new Map<number, bigint>()
  /** The effects of their fallbacks, by the view that asked for them. */
  private readonly handlers = new Map<number, Handler>()
  private readonly run: Run

  constructor(run: Run) {
    this.run = run
  }

  /** A resource that fails tells how long it took, the handlers of its fallbacks included. */
  noteStart(index: number, startedAt: bigint | undefined): void {
    const { base } = this.run.program.steps[index]!
    if (startedAt !== undefined && !this.startedAt.has(base)) this.startedAt.set(base, startedAt)
  }

  /** The same cause, its typed failures as {@link ResourceError}s, and every reason annotated with the resource. */
  named(index: number, cause: Cause.Cause<unknown>): Cause.Cause<unknown> {
    const { run } = this
    const { base, name } = run.program.steps[index]!
    const startedAt = this.startedAt.get(base)
    const named = Cause.map(cause, (error) => {
      const known = run.hooks.failure?.(base, error)
      return new ResourceError({
        resource: name,
        error,
        attempts: known?.attempts ?? 1,
        path: pathTo(run.program, index),
        // Whole milliseconds are what people want to read.
        elapsed: Duration.millis(startedAt === undefined ? 0 : Number((run.now() - startedAt) / nanosPerMilli)),
        ...(known?.item === undefined ? {} : { item: known.item })
      })
    })
    return annotated(named, name, run.program.name)
  }

  /** Keeps the effect of a view until its turn comes. */
  keep(index: number, handler: Handler): void {
    this.handlers.set(index, handler)
  }

  /** The effect of a view whose turn has come. */
  handle(index: number): AnyEffect {
    const { effect, failure, label } = this.handlers.get(index)!
    this.run.sink?.(index, undefined, { _tag: "FallbackStarted", fallback: label, error: failure() })
    return effect
  }

  /** A view may have succeeded by its effect. */
  noteFallback(index: number): void {
    const handler = this.handlers.get(index)
    if (handler === undefined) return
    this.run.sink?.(index, undefined, { _tag: "Degraded", fallback: handler.label, error: handler.failure() })
  }
}
