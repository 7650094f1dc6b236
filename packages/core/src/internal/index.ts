/**
 * What the other packages of this library need of core. It is versioned with core, and no part of its public API.
 *
 * @since 0.1.0
 */
export { fromLayers } from "../attempt/FromLayers.ts"
export { describe, describeCause } from "../base/ErrorText.ts"
export { extended } from "../loader/Extended.ts"
export type { Extension, Hooks, StepEnd, StepFact, Undone } from "../model/Extension.ts"
export type { Layer, LayerObserver } from "../model/Node.ts"
export { isResourceError } from "../model/ResourceError.ts"
export { count } from "../observe/Count.ts"
export { headline, loadedOf } from "../observe/Headline.ts"
export { millis, pauseText } from "../observe/Millis.ts"
export { noteOf, signs } from "../observe/OutcomeText.ts"
export { pad, type Paint, type Pen, plainPen } from "../observe/Pen.ts"
export { printable, printableLabel } from "../observe/Printable.ts"
export { draw } from "../observe/Waterfall.ts"
export type { RunView } from "../model/Step.ts"
export { withExtension } from "../run/Execution.ts"
export { fromEvents, type ResourceTimeline, Timeline } from "../watch/Timeline.ts"
export { defectsAt, errorsAt, timeout } from "../testing/LoadExit.ts"
export { timelineText } from "../testing/TimelineText.ts"
