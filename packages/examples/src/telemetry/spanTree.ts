/** Spans as a tree of text: what lies in what, how long it took, how it ended, and what it links to. */
import { bad, dim, good } from "../terminal/Text.ts"
import type { Span } from "./OtlpTraces.ts"

const signs = [dim("-"), good("✓"), bad("✗")] as const

const nameWidth = 34

export const spanTree = (spans: ReadonlyArray<Span>): ReadonlyArray<string> => {
  const names = new Map(spans.map(({ name, spanId }) => [spanId, name]))
  const line = ({ links, name, status, took }: Span, depth: number): string => {
    const indented = `${"  ".repeat(depth)}${name}`.padEnd(nameWidth)
    const linked = links.flatMap(({ spanId }) => names.get(spanId) ?? []).join(", ")
    return `${signs[status.code]} ${indented} ${`${took.toFixed(1)}ms`.padStart(8)}${linked === "" ? "" : dim(`  links to ${linked}`)}`
  }
  const below = (parent: string | undefined, depth: number): ReadonlyArray<string> =>
    spans
      .filter(({ parentSpanId }) => parentSpanId === parent)
      .toSorted((a, b) => a.startedAt - b.startedAt)
      .flatMap((span) => [line(span, depth), ...below(span.spanId, depth + 1)])
  return below(undefined, 0)
}
