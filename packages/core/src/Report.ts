/**
 * Reports: what one run did, resource by resource.
 *
 * @since 0.1.0
 */
export {
  get,
  outcome,
  type Outcome,
  type Phase,
  type PhaseTag,
  type Report,
  type ResourceReport
} from "./run/Report.ts"
export { fromEvents } from "./run/Timeline.ts"
export { toWaterfall } from "./observe/Waterfall.ts"
