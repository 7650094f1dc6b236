import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"

/** Makes and ends spans as `Effect.makeSpan` does in a context, without a fiber. */
export class Spanner {
  private readonly tracer: Tracer.Tracer
  private readonly clock: Clock.Clock
  private readonly timed: boolean
  private readonly annotations: ReadonlyArray<readonly [string, unknown]>
  private readonly links: ReadonlyArray<Tracer.SpanLink>
  private readonly sampled: boolean

  constructor(context: Context.Context<never>) {
    this.tracer = Context.get(context, Tracer.Tracer)
    this.clock = Context.get(context, Clock.Clock)
    this.timed = Context.get(context, References.TracerTimingEnabled)
    this.annotations = Object.entries(Context.get(context, References.TracerSpanAnnotations))
    this.links = Context.get(context, References.TracerSpanLinks)
    this.sampled = !LogLevel.isGreaterThan(
      Context.get(context, Tracer.MinimumTraceLevel),
      Context.get(context, Tracer.CurrentTraceLevel)
    )
  }

  make(name: string, parent: Option.Option<Tracer.AnySpan>, links: ReadonlyArray<Tracer.SpanLink>): Tracer.Span {
    const span = this.tracer.span({
      name,
      parent,
      annotations: Context.empty(),
      links: [...this.links, ...links],
      startTime: this.now(),
      kind: "internal",
      root: false,
      sampled: Option.isSome(parent) && !parent.value.sampled ? false : this.sampled
    })
    for (const [key, value] of this.annotations) span.attribute(key, value)
    return span
  }

  end(span: Tracer.Span, exit: Exit.Exit<unknown, unknown>): void {
    span.end(this.now(), exit)
  }

  event(span: Tracer.Span, name: string, attributes: Record<string, unknown>): void {
    span.event(name, this.now(), attributes)
  }

  private now(): bigint {
    return this.timed ? this.clock.currentTimeNanosUnsafe() : 0n
  }
}
