/**
 * What the other packages of this library need of core. It is versioned with core, and no part of its public API.
 *
 * @since 0.1.0
 */
export { describe } from "../base/ErrorText.ts"
export { isResourceError } from "../model/ResourceError.ts"
export { noteOf } from "../observe/OutcomeText.ts"
export { fromEvents } from "../watch/Timeline.ts"
export { defectsAt, errorsAt, timeout } from "../testing/LoadExit.ts"
export { timelineText } from "../testing/TimelineText.ts"
