/** A percentile of the recent latencies of each resource. */
import { RecentMap } from "../base/RecentMap.ts"

/** The number of resources that are kept, the most recent ones. */
const names = 1000
/** The number of latencies that are kept for each resource, the most recent ones. */
const memory = 256
/** The number of latencies before there is a percentile, and between its computations. */
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

  /** The number of resources that it keeps. */
  get known(): number {
    return this.byResource.size
  }

  /** The percentile in the unit of the latencies; `undefined` while there are too few. */
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
