/** Where the parts of so many pages came from, and how long the pages took, counted from their events. */
import type { RunEvent } from "effect-loader"

export class Tally {
  memory = 0
  /** Parts that another page was loading already. */
  shared = 0
  redis = 0
  postgres = 0
  /** Looks into Redis that gave nothing because it failed or took too long. */
  redisFailed = 0
  private readonly started = new Map<number, number>()
  private readonly took: Array<number> = []

  readonly onEvent = (event: RunEvent.RunEvent): void => {
    switch (event._tag) {
      case "RunStarted":
        return void this.started.set(event.run, event.at)
      case "RunEnded":
        return void this.took.push(event.at - this.started.get(event.run)!)
      case "AttemptSucceeded":
        return void this.postgres++
      case "CacheRead":
        return this.onRead(event)
    }
  }

  private onRead({ level, result }: RunEvent.CacheRead): void {
    if (result === "error") this.redisFailed++
    if (result === "coalesced") this.shared++
    if (result !== "hit") return
    if (level === "memory") this.memory++
    else this.redis++
  }

  /** What most pages took, and the slowest one, in milliseconds. */
  get times(): { readonly median: number; readonly slowest: number } {
    const sorted = this.took.toSorted((a, b) => a - b)
    return { median: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0), slowest: Math.round(sorted.at(-1) ?? 0) }
  }
}
