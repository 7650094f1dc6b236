/** Frames and lines of recorded runs, drawn without a terminal. */
import type { RunEvent } from "effect-loader"
import { plainPen, Timeline } from "effect-loader/internal"
import { toFrame } from "../src/Frame.ts"
import { linesOf } from "../src/PlainLines.ts"

interface Views {
  /** The lines that are written where a stream cannot be written over. */
  readonly lines: ReadonlyArray<string>
  /** The frame of a terminal at one time of the run. */
  readonly frame: string
}

/** The views of one run: all its lines, and its frame at a time in milliseconds. */
export const viewsOf = (events: ReadonlyArray<RunEvent.RunEvent>, at: number, columns = 80): Views => {
  const [started] = events
  if (started?._tag !== "RunStarted") throw new Error("no run")
  const timeline = new Timeline(started)
  const lines: Array<string> = []
  let frame: string | undefined
  for (const event of events) {
    if (event.at > at) frame ??= toFrame([timeline], at, { columns, rows: 20 }, plainPen)
    timeline.add(event)
    lines.push(...linesOf(event, timeline, columns, plainPen))
  }
  return { lines, frame: frame ?? toFrame([timeline], at, { columns, rows: 20 }, plainPen) }
}
