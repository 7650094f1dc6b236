/** The span that contains all callers of a call. */
import type * as Tracer from "effect/Tracer"

const outside = (span: Tracer.AnySpan): Tracer.AnySpan | undefined =>
  span._tag === "Span" && span.parent._tag === "Some" ? span.parent.value : undefined

/** The innermost span that equals or contains each given span; `undefined` if there is none. */
export const innermostAround = ([first, ...others]: Iterable<Tracer.AnySpan>): Tracer.AnySpan | undefined => {
  const around: Array<Tracer.AnySpan> = []
  for (let span = first; span !== undefined; span = outside(span)) around.push(span)
  const depths = new Map(around.map(({ spanId, traceId }, depth) => [`${traceId} ${spanId}`, depth]))
  const depthOf = ({ spanId, traceId }: Tracer.AnySpan): number | undefined => depths.get(`${traceId} ${spanId}`)
  let depth = 0
  for (const other of others) {
    let shared: Tracer.AnySpan | undefined = other
    while (shared !== undefined && depthOf(shared) === undefined) shared = outside(shared)
    if (shared === undefined) return undefined
    depth = Math.max(depth, depthOf(shared)!)
  }
  return around[depth]
}
