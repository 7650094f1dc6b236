/**
 * Batches: what many ask of one resolver, in one call.
 *
 * @since 0.1.0
 */
export { graphAware, type GraphAwareOptions } from "./batching/GraphAware.ts"
export { protect, type ProtectedResolver } from "./request/Protected.ts"
export { UnansweredRequest } from "./batching/UnansweredRequest.ts"
