/**
 * Logs of runs: annotations on the logs of a `load`, and a line for each event.
 *
 * @since 0.1.0
 */
export * from "./observe/Logging.ts"
