/** Recorded events as text. */
import type { RunEvent } from "../watch/RunEvent.ts"
import { fromEvents } from "../watch/Timeline.ts"
import { runs } from "./Recording.ts"
import { timelineText } from "./TimelineText.ts"

/**
 * The runs as text for inline snapshots. Under virtual time the text is always the same.
 *
 * One line for each resource: when it began and ended, in milliseconds since the start of its run, and why it did not succeed.
 * Empty lines separate several runs.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.delay("org", "40 millis", "acme")
 * const members = Fake.fail("members", "down", { deps: { org } })
 * const mails = Fake.delay("mails", "5 millis", [], { deps: { members } })
 * const page = Loader.make({ mails }, { name: "page" })
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(page)))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.timeline(events)))
 * // "page" failed after 40ms
 * // ✓ org      0-40
 * // ✗ members  40-40  down
 * // - mails           skipped because of members
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const timeline = (events: ReadonlyArray<RunEvent>): string =>
  runs(events)
    .flatMap((run) => {
      const report = fromEvents(run)
      return report === undefined ? [] : [timelineText(report)]
    })
    .join("\n\n")

/**
 * Events as lines for snapshots: the milliseconds since the first event, the event, and its resource.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { RunLog } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const { events } = Effect.runSync(RunLog.record(Loader.load(Loader.make({ org }))))
 * console.log(RunLog.lines(events).length) // 5
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const lines = (events: ReadonlyArray<RunEvent>): ReadonlyArray<string> =>
  events.map((event) => {
    const at = Math.round(event.at - events[0]!.at)
    const item = "item" in event ? `[${event.item}]` : ""
    const resource = "resource" in event ? ` ${event.resource}${item}` : ""
    const attempt = "attempt" in event ? ` ${event.attempt}` : ""
    const because =
      "because" in event
        ? ` ${event.because._tag}${"resource" in event.because ? ` ${event.because.resource}` : ""}`
        : ""
    const inside = "inside" in event && event.inside !== undefined ? ` > ${event.inside.join(" > ")}` : ""
    const cleanup = "cleanup" in event && event.cleanup ? " (cleanup)" : ""
    const found = event._tag === "CacheRead" ? ` ${event.result} in ${event.cache} (${event.level})` : ""
    return `${at} ${event._tag}${resource}${inside}${attempt}${because}${cleanup}${found}`
  })
