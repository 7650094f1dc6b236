/**
 * Reports: what one run did, resource by resource.
 *
 * @since 0.1.0
 */
export {
  type CacheReads,
  get,
  type NotUndone,
  outcome,
  type Outcome,
  type Phase,
  type PhaseTag,
  type Report,
  type ResourceReport,
  type Stretch
} from "./watch/Report.ts"
export { fromEvents } from "./watch/Timeline.ts"
export { toWaterfall, type WaterfallOptions } from "./observe/Waterfall.ts"
export { type Analysis, analyze, type ResourceAnalysis, type Waited } from "./observe/Analysis.ts"
export { diff } from "./observe/Diff.ts"
export { toSummary } from "./observe/Summary.ts"
export { toChromeTrace } from "./observe/ChromeTrace.ts"
