/**
 * Refuses requests of runs that have not begun while the queue does not drain: CoDel (RFC 8289).
 *
 * A short queue is fine, and so is a long one that drains. If no request was admitted within `target` for a whole
 * `interval`, it refuses one, then the next after `interval / √2`, `interval / √3`..., until a request is.
 */

export interface QueueDelayOptions {
  /** The acceptable wait, in milliseconds. */
  readonly target: number
  readonly interval: number
}

export class QueueDelay {
  private readonly target: number
  private readonly interval: number
  /** When waits will have been above the target for a whole interval. */
  private badAt = Infinity
  private nextAt = Infinity
  private refused = 0

  constructor({ interval, target }: QueueDelayOptions) {
    this.target = target
    this.interval = interval
  }

  /** Whether to refuse a request whose turn has come after a wait. */
  refuses(waited: number, now: number): boolean {
    if (waited < this.target) {
      this.badAt = this.nextAt = Infinity
      return false
    }
    if (this.badAt === Infinity) this.badAt = now + this.interval
    if (now < this.badAt) return false
    if (this.nextAt === Infinity) this.begin(now)
    if (now < this.nextAt) return false
    this.refused++
    this.nextAt += this.interval / Math.sqrt(this.refused)
    return true
  }

  /** Continues near the last rate of refusals: soon after the last time the load is the same. */
  private begin(now: number): void {
    this.refused = Math.max(0, this.refused - 2)
    this.nextAt = now
  }
}
