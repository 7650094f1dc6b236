/**
 * How a limiter reacts to an overloaded process: while the event loop lags, latencies say nothing about the backend, and
 * more starts would only make the lag worse.
 *
 * While the lag is above `tolerated`, nothing is learned and the limit is scaled down by 5 % a second; after that it
 * comes back as slowly.
 */

/** The lag that changes nothing, in milliseconds. */
const tolerated = 50
const stepPerSecond = 0.05
const least = 0.1

export class NodePressure {
  /** The limit is multiplied by it. */
  factor = 1
  /** Whether latencies are the process's own rather than the backend's. */
  lagging = false
  private at = 0

  /** The 99th percentile of the event loop's lag since the last time. */
  report(lag: number, now: number): void {
    const seconds = this.at === 0 ? 1 : Math.min(1, (now - this.at) / 1000)
    this.at = now
    this.lagging = lag > tolerated
    const step = this.lagging ? 1 - stepPerSecond : 1 + stepPerSecond
    this.factor = Math.min(1, Math.max(least, this.factor * step ** seconds))
  }
}
