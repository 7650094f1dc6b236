/**
 * Declare each resource once with what it depends on; load them as early and as concurrently as they can be; know
 * exactly what failed, why, and what became of the rest.
 *
 * @since 0.1.0
 */
export * as Batching from "./Batching.ts"
export * as Diff from "./Diff.ts"
export * as Explanation from "./Explanation.ts"
export { GraphError, type GraphIssue, type NotAResource } from "./compile/GraphError.ts"
export { MatchError } from "./choice/MatchError.ts"
export { type FailedItem, ResourceError } from "./model/ResourceError.ts"
export * as Limiter from "./Limiter.ts"
export * as Loader from "./Loader.ts"
export * as Logging from "./Logging.ts"
export * as Metrics from "./Metrics.ts"
export * as Plan from "./Plan.ts"
export * as Policy from "./Policy.ts"
export * as Report from "./Report.ts"
export * as Resource from "./Resource.ts"
export * as ResourceCache from "./ResourceCache.ts"
export { InputError } from "./run/InputError.ts"
export { LoadTimeout } from "./run/LoadTimeout.ts"
export * as Observer from "./Observer.ts"
export { FailedResource } from "./run/Failure.ts"
export * as RunEvent from "./RunEvent.ts"
export * as Saga from "./Saga.ts"
export * as Tracing from "./Tracing.ts"
export * as Types from "./Types.ts"
