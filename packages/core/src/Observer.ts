/**
 * Observers: functions that are called with the events of runs.
 *
 * @since 0.1.0
 */
export * from "./watch/Observer.ts"
