/** What happened in so many loads, counted from their events. */
import type { RunEvent } from "effect-loader"

type Tag = RunEvent.RunEvent["_tag"]

export class Tally {
  private readonly counts = new Map<Tag, number>()
  private readonly started = new Map<number, number>()
  private slowest = 0

  readonly onEvent = (event: RunEvent.RunEvent): void => {
    this.counts.set(event._tag, this.of(event._tag) + 1)
    if (event._tag === "RunStarted") this.started.set(event.run, event.at)
    if (event._tag === "RunEnded") this.slowest = Math.max(this.slowest, event.at - this.started.get(event.run)!)
  }

  of(tag: Tag): number {
    return this.counts.get(tag) ?? 0
  }

  /** In milliseconds. */
  get slowestRun(): number {
    return Math.round(this.slowest)
  }
}
