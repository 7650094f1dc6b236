/**
 * What a load that does things, and undoes them, may decide when something fails.
 *
 * @since 0.1.0
 */
export { abortIf } from "./policy/AbortIf.ts"
export { rewind, type RewindOptions } from "./undo/Rewind.ts"
