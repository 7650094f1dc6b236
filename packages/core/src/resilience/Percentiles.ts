/** A percentile of how long each resource took of late. */
import { RecentMap } from "../base/RecentMap.ts"

/** How many resources are remembered: those that answered last. */
const names = 1000
/** How many of the latest it remembers, of each resource. */
const memory = 256
/** How many there have to be before it says anything, and after how many it looks again. */
const enough = 20
const stride = 16

interface Samples {
  readonly ring: Array<number>
  seen: number
  looked: number
  percentile: number | undefined
}

export class Percentiles {
  private readonly fraction: number
  private readonly byResource = new RecentMap<Samples>(names)

  constructor(fraction: number) {
    this.fraction = fraction
  }

  /** How many resources it remembers. */
  get known(): number {
    return this.byResource.size
  }

  /** In what unit it was told; `undefined` while too little is known. */
  get(resource: string): number | undefined {
    return this.byResource.peek(resource)?.percentile
  }

  add(resource: string, took: number): void {
    let samples = this.byResource.get(resource)
    if (samples === undefined) {
      this.byResource.set(resource, (samples = { ring: [], seen: 0, looked: 0, percentile: undefined }))
    }
    samples.ring[samples.seen++ % memory] = took
    if (samples.seen >= enough && samples.seen - samples.looked >= stride) this.look(samples)
  }

  private look(samples: Samples): void {
    const sorted = samples.ring.toSorted((a, b) => a - b)
    samples.percentile = sorted[Math.ceil(this.fraction * sorted.length) - 1]
    samples.looked = samples.seen
  }
}
