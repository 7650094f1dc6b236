/**
 * Plans, events and reports for other processes: schemas, and JSON.
 *
 * Errors, defects and annotations have no schema. They are encoded by these rules:
 *
 * - Values that JSON can hold stay as they are. Dates become text, maps and sets arrays; big integers, functions and symbols
 *   become text. Circular references, levels below the 8th and entries beyond 1,000 are cut.
 * - Errors keep their name, message, own fields and `cause`, but neither class nor stack. A `ResourceError` is decoded as one.
 * - Causes keep their failures, defects and interruptions, in order.
 *
 * A report is encoded without its `values`: they can be secret, and need not fit into JSON. A decoded report has none.
 *
 * @since 0.1.0
 */
export { eventFromJson, eventToJson, reportFromJson, reportToJson, WireError } from "./Json.ts"
export { Plan } from "./Plan.ts"
export { Report } from "./Report.ts"
export { RunEvent } from "./RunEvent.ts"
