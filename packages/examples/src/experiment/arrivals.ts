/** Who asks for which page, and when: as many as a load needs, at random, the same for everybody who uses the same seed. */

export type Page = "light" | "heavy"

/** When somebody asks for a page, in milliseconds from the start. */
export interface Arrival {
  readonly at: number
  readonly page: Page
}

/** Numbers from 0 to 1, always the same (mulberry32). */
const randomFrom = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Arrivals of one page, that do not know of each other: so many per second on average. */
const arrivalsOf = (page: Page, perSecond: number, seconds: number, random: () => number): ReadonlyArray<Arrival> => {
  const arrivals: Array<Arrival> = []
  for (let at = 0; at < seconds * 1000; at += (-Math.log(1 - random()) / perSecond) * 1000) {
    if (at > 0) arrivals.push({ at, page })
  }
  return arrivals
}

export const arrivals = (options: {
  readonly perSecond: { readonly [P in Page]: number }
  readonly seconds: number
  readonly seed: number
}): ReadonlyArray<Arrival> => {
  const random = randomFrom(options.seed)
  return (["light", "heavy"] as const).flatMap((page) =>
    arrivalsOf(page, options.perSecond[page], options.seconds, random)
  )
}
