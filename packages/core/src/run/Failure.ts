/** How a cause tells which resource each part of it comes from. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as References from "effect/References"

/**
 * The resource that a part of a cause comes from: an annotation on each failure, defect and interruption of a run.
 *
 * @example
 * ```ts
 * import { Cause, Effect, Exit } from "effect"
 * import { FailedResource, Loader, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.die("a bug") })
 * const exit = Effect.runSyncExit(Loader.load(Loader.make({ org })))
 *
 * const reasons = Exit.isFailure(exit) ? exit.cause.reasons : []
 * for (const reason of reasons) {
 *   console.log(Cause.isDieReason(reason) && reason.annotations.get(FailedResource.key)) // org
 * }
 * ```
 *
 * @since 0.1.0
 * @category annotations
 */
export class FailedResource extends Context.Service<FailedResource, string>()("effect-loader/FailedResource") {}

/** Effect prints no more frames than these. */
const mostFrames = 10

type StackFrame = References.StackFrame

/** The frames of a defect, and one more around them. */
const around = (frame: StackFrame | undefined, name: string): StackFrame => {
  const frames: Array<StackFrame> = []
  for (let inner = frame; inner !== undefined && frames.length < mostFrames; inner = inner.parent) frames.push(inner)
  const outermost: StackFrame = { name, stack: () => undefined, parent: undefined }
  return frames.reduceRight((parent, { name, stack }) => ({ name, stack, parent }), outermost)
}

/** A defect's own stack says nothing of the graph: a frame for the resource stands below it. */
const withFrame = (reason: Cause.Reason<unknown>, name: string): Cause.Reason<unknown> => {
  if (!Cause.isDieReason(reason)) return reason
  const frame = around(Context.getOrUndefined(Cause.reasonAnnotations(reason), Cause.StackTrace), name)
  return reason.annotate(Context.make(Cause.StackTrace, frame), { overwrite: true })
}

/** The same cause, with the resource in the annotations of each reason and in the stack of each defect. */
export const annotated = (cause: Cause.Cause<unknown>, resource: string, loader: string): Cause.Cause<unknown> => {
  const reasons = cause.reasons.map((reason) => withFrame(reason, `${resource} (resource of ${loader})`))
  return Cause.annotate(Cause.fromReasons(reasons), Context.make(FailedResource, resource))
}
