/**
 * Diffs: what changed between two runs, resource by resource.
 *
 * @since 0.1.0
 */
export { type Diff, type ResourceDiff, toText } from "./observe/Diff.ts"
