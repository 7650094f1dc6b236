/**
 * Recorded runs: the events in order, for tests that prove what ran, when, and what did not run.
 *
 * @since 0.1.0
 */
export { lines, timeline } from "./LogText.ts"
export {
  attempts,
  cacheReads,
  endedBefore,
  maxConcurrency,
  neverRan,
  outcome,
  overlapped,
  skippedBecause,
  startedBefore,
  starts
} from "./Queries.ts"
export { record, type Recorded, runs } from "./Recording.ts"
