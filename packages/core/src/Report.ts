/**
 * Reports: what one run did, resource by resource.
 *
 * @since 0.1.0
 */
export { fromEvents, get, outcome, type Outcome, type Report, type ResourceReport } from "./run/Report.ts"
export { toWaterfall } from "./observe/Waterfall.ts"
