/**
 * Undoing of loads: compensations, cleanups, rewinds, and the errors of failed compensations.
 *
 * @since 0.1.0
 */
export { type CompensationContext, type Undo } from "./model/Undo.ts"
export { abortIf } from "./policy/AbortIf.ts"
export { type Cleanup, cleanup, compensate, type Compensation } from "./undo/Compensation.ts"
export { CompensationError, RollbackError } from "./undo/CompensationError.ts"
export { rewind, type RewindOptions } from "./undo/Rewind.ts"
