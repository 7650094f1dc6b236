/**
 * How many further attempts there may be, as a pure machine: a share of those that were made anyway, and a few in any case.
 *
 * Both are counted over a window that moves in slices, so a slice that is over leaves all at once.
 */

/** How finely the window moves. */
const slices = 10

interface Slice {
  index: number
  attempts: number
  further: number
}

export interface AllowanceOptions {
  /** How many further attempts for each that was made anyway. */
  readonly ratio: number
  /** How many there may be beside these. */
  readonly perSecond: number
  /** In milliseconds. */
  readonly window: number
}

export class Allowance {
  private readonly options: AllowanceOptions
  private readonly ring: ReadonlyArray<Slice> = Array.from({ length: slices }, () => ({
    index: -slices,
    attempts: 0,
    further: 0
  }))

  constructor(options: AllowanceOptions) {
    this.options = options
  }

  attempt(now: number): void {
    this.sliceAt(now).attempts++
  }

  /** Takes one more attempt, if there may be one. */
  take(now: number): boolean {
    if (this.left(now) < 1) return false
    this.sliceAt(now).further++
    return true
  }

  /** How many more there may be just now. */
  left(now: number): number {
    const { perSecond, ratio, window } = this.options
    const first = this.sliceAt(now).index - slices
    let attempts = 0
    let further = 0
    for (const slice of this.ring) {
      if (slice.index <= first) continue
      attempts += slice.attempts
      further += slice.further
    }
    // What is a whole number by its meaning should be one in spite of fractions that are not exact.
    return Math.floor(ratio * attempts + (perSecond * window) / 1000 + 1e-9) - further
  }

  private sliceAt(now: number): Slice {
    const index = Math.floor((now * slices) / this.options.window)
    const slice = this.ring[((index % slices) + slices) % slices]!
    if (slice.index !== index) Object.assign(slice, { index, attempts: 0, further: 0 })
    return slice
  }
}
