/** Randomness from a seed (mulberry32): the same seed gives the same numbers everywhere. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed | 0
  }

  /** From 0 up to, not including, 1. */
  unit(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  constant(mean: number): number {
    return mean
  }

  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean
  }

  /** Pareto with shape 1.5, whose variance is without bound, cut off at 300 means. */
  heavyTailed(mean: number): number {
    return Math.min(300 * mean, mean / 3 / (1 - this.unit()) ** (2 / 3))
  }

  /** Nineteen of twenty take half the mean, the others ten and a half means. */
  bimodal(mean: number): number {
    return this.unit() < 0.95 ? mean / 2 : 10.5 * mean
  }
}
