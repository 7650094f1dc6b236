/**
 * The number of further attempts that a budget allows, as a pure machine: a fraction of the first attempts, and a constant rate.
 *
 * Both are counted over a window that moves in slices. An old slice leaves the window as a whole.
 */

/** The number of slices of the window. */
const slices = 10

interface Slice {
  index: number
  attempts: number
  further: number
}

export interface AllowanceOptions {
  /** Further attempts for each first attempt. */
  readonly ratio: number
  /** Further attempts that are always allowed. */
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

  /** Takes one further attempt, if one is left. */
  take(now: number): boolean {
    if (this.left(now) < 1) return false
    this.sliceAt(now).further++
    return true
  }

  /** The further attempts that are left now. */
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
    // Rounds up results that miss a whole number only by the inexactness of fractions.
    return Math.floor(ratio * attempts + (perSecond * window) / 1000 + 1e-9) - further
  }

  private sliceAt(now: number): Slice {
    const index = Math.floor((now * slices) / this.options.window)
    const slice = this.ring[((index % slices) + slices) % slices]!
    if (slice.index !== index) Object.assign(slice, { index, attempts: 0, further: 0 })
    return slice
  }
}
