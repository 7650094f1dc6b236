/**
 * When to refuse somebody because the queue stands still: CoDel (RFC 8289), for those whose run has yet to begin.
 *
 * A short queue is fine, and so is a long one that drains. Only when nobody got through within `target` for a whole
 * `interval` does it refuse one, then the next after `interval / √2`, `interval / √3`..., until somebody does.
 */

export interface QueueDelayOptions {
  /** How long a wait is still good, in milliseconds. */
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

  /** Somebody's turn has come after a wait: whether they are refused instead. */
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

  /** Soon after the last time it goes on about where it was: the load is still the same. */
  private begin(now: number): void {
    this.refused = Math.max(0, this.refused - 2)
    this.nextAt = now
  }
}
