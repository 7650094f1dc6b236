/**
 * Plans: what a loader would run, as plain data.
 *
 * @since 0.1.0
 */
export { get, type Plan, type PlanItems, type PlanResource } from "./compile/Plan.ts"
export { toText } from "./observe/PlanText.ts"
