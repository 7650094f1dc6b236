/** The words that spans, metrics and logs share. */
import * as Cause from "effect/Cause"
import { describeCause } from "../base/ErrorText.ts"
import { isResourceError } from "../model/ResourceError.ts"
import type { ResourceEnded } from "../watch/RunEvent.ts"

/** `TimedOut` as `timed_out`. */
export const snakeCase = (tag: string): string => tag.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase()

/** The outcome of a resource, in one word. */
export const outcomeOf = (event: ResourceEnded): string => outcomes[event._tag]

const outcomes: Record<ResourceEnded["_tag"], string> = {
  ResourceSucceeded: "succeeded",
  ResourceDegraded: "degraded",
  ResourceFailed: "failed",
  ResourceDied: "died",
  ResourceInterrupted: "interrupted",
  ResourceSkipped: "skipped"
}

/** The error of a resource, without the `ResourceError` around it. */
export const ownError = (error: unknown): unknown => (isResourceError(error) ? error.error : error)

/** Why a resource failed, in words, for texts that name the resource and its attempts elsewhere. */
export const whyOf = (cause: Cause.Cause<unknown>): string => describeCause(Cause.map(cause, ownError))

/** Where an error has no type, as in OpenTelemetry. */
export const otherType = "_OTHER"

/** The type of an error in the sense of OpenTelemetry: a tag or a name, of low cardinality. */
export const errorType = (error: unknown): string => {
  const own = ownError(error)
  if (typeof own !== "object" || own === null) return otherType
  const { _tag, name } = own as { readonly _tag?: unknown; readonly name?: unknown }
  if (typeof _tag === "string") return _tag
  return typeof name === "string" ? name : otherType
}

/** The type of the first failure or defect of a cause. */
export const causeType = (cause: Cause.Cause<unknown>): string => {
  const reason = cause.reasons.find((reason) => reason._tag !== "Interrupt")
  if (reason === undefined) return otherType
  return errorType(reason._tag === "Fail" ? reason.error : reason.defect)
}
