/**
 * Runs on a terminal: waterfalls that know its width and its colours, and a live view.
 *
 * @since 0.1.0
 */
import type { Report } from "effect-loader"
import { draw } from "effect-loader/internal"
import { columnsOf, type TerminalOptions, terminalPen } from "./Terminal.ts"

export * as Progress from "./Progress.ts"
export type { Stream, TerminalOptions } from "./Terminal.ts"

/**
 * A report as text for a terminal: as `Report.toWaterfall`, in its width, in its colours, and with characters as wide as
 * they are there.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { toWaterfall } from "@effect-loader/terminal"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const report = Effect.runSync(Loader.settle(Loader.make({ org }, { name: "page" })))
 * console.log(toWaterfall(report)) // "page" took
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toWaterfall = (
  report: Report.Report<unknown>,
  options: TerminalOptions & Pick<Report.WaterfallOptions, "rows"> = {}
): string => draw(report, { ...options, columns: columnsOf(options) }, terminalPen(options))
