/** A tracer that keeps the spans that it makes, and sees what ends twice. */
import { type Exit, Tracer } from "effect"

export const recordedSpans = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const endedTwice: Array<string> = []
  class Kept extends Tracer.NativeSpan {
    override end(time: bigint, exit: Exit.Exit<unknown, unknown>): void {
      if (this.status._tag === "Ended") endedTwice.push(this.name)
      super.end(time, exit)
    }
  }
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Kept(options)
      spans.push(span)
      return span
    }
  })
  return { spans, endedTwice, tracer }
}
