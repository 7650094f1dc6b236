/**
 * Events: the facts of a run, one at a time.
 *
 * @since 0.1.0
 */
export * from "./watch/RunEvent.ts"
