/**
 * The latency of each resource with a permit: its usual latency, and the samples of the open window.
 *
 * Of names that are made at run time it remembers the last ones. A forgotten name counts as a new one.
 */
import { RecentMap } from "../../base/RecentMap.ts"
import type { ResourceSamples } from "./LimitAlgorithm.ts"

/** The assumed latency of a new resource, in milliseconds. */
const unknown = 10
/** How many resources are remembered, and told apart in one window. */
const names = 1000
/** How many samples the usual latency remembers. */
const memory = 50
/** A latency counts for at most so many times the usual one, once that is known from some samples. */
const outlier = 10
const enough = 10

interface Latency {
  readonly resource: string
  usual: number
  seen: number
  count: number
  sum: number
  sumOfSquares: number
}

export class Latencies {
  private readonly byResource = new RecentMap<Latency>(names)
  private asked: Array<Latency> = []
  /** The latency that was used last: often the next one, too, and a look-up of its name takes longer. */
  private last: Latency | undefined = undefined

  /** How many resources it remembers. */
  get known(): number {
    return this.byResource.size
  }

  /** The usual latency of a resource, in milliseconds. */
  usual(resource: string): number {
    const latency = this.last?.resource === resource ? this.last : this.byResource.peek(resource)
    return latency?.usual ?? unknown
  }

  /** Learns from an answer; `inWindow`: whether the window takes it as a sample too. */
  add(resource: string, took: number, inWindow: boolean): void {
    const latency = this.get(resource)
    const counted = latency.seen < enough ? took : Math.min(took, outlier * latency.usual)
    latency.seen++
    latency.usual += (counted - latency.usual) / Math.min(latency.seen, memory)
    if (inWindow) this.sample(latency, counted)
  }

  /** The samples since the last time. */
  take(): ReadonlyArray<ResourceSamples> {
    const samples = this.asked.map(({ count, resource, sum, sumOfSquares }) => ({ resource, count, sum, sumOfSquares }))
    for (const latency of this.asked) latency.count = latency.sum = latency.sumOfSquares = 0
    this.asked = []
    return samples
  }

  private sample(latency: Latency, took: number): void {
    let counting = latency
    if (latency.count === 0) {
      if (this.asked.length >= names) counting = this.get("")
      if (counting.count === 0) this.asked.push(counting)
    }
    counting.count++
    counting.sum += took
    counting.sumOfSquares += took * took
  }

  private get(resource: string): Latency {
    if (this.last?.resource === resource) return this.last
    let latency = this.byResource.get(resource)
    if (latency === undefined) {
      latency = { resource, usual: unknown, seen: 0, count: 0, sum: 0, sumOfSquares: 0 }
      this.byResource.set(resource, latency)
    }
    return (this.last = latency)
  }
}
