/**
 * Limits the log of a recurring failure to one line a minute for each kind. A backend that is down would otherwise cause a line
 * for each key.
 */

/** Milliseconds. */
const pause = 60_000

export class RareLine<Kind extends string = string> {
  private readonly last = new Map<Kind, { readonly at: number; untold: number }>()

  /**
   * Counts a failure. Returns the end of its line, or `undefined` if no line is due. `now` is by the monotonic clock, in
   * milliseconds.
   */
  due(kind: Kind, now: number): string | undefined {
    const last = this.last.get(kind)
    if (last !== undefined && now - last.at < pause) {
      last.untold++
      return undefined
    }
    this.last.set(kind, { at: now, untold: 0 })
    return last === undefined || last.untold === 0 ? "" : ` (and ${last.untold} more times since the last line)`
  }
}
