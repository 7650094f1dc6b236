/** What is compared: a limit, an order of waiting, and whether a run starts its loads side by side. */
import { Admission } from "../../src/limiter/Admission.ts"
import { aimd } from "../../src/limiter/algorithm/Aimd.ts"
import { FairQueue, type RequestQueue } from "../../src/limiter/FairQueue.ts"
import { fixed } from "../../src/limiter/algorithm/Fixed.ts"
import { gradient2 } from "../../src/limiter/algorithm/Gradient2.ts"
import type { LimitAlgorithm } from "../../src/limiter/algorithm/LimitAlgorithm.ts"
import { vegas } from "../../src/limiter/algorithm/Vegas.ts"
import { FirstComeFirstServed, RoundRobin } from "./Lines.ts"

export interface Contender {
  readonly name: string
  /** A limiter for a backend of this capacity, which only the ideal looks at. */
  readonly limiter: (capacity: number) => Admission
  /** Whether each run does one load after the other. */
  readonly sequential: boolean
  /** Whether its limit is told when the capacity changes. */
  readonly knowsCapacity: boolean
}

const unlimited = 1_000_000

const make = (
  name: string,
  algorithm: (capacity: number) => LimitAlgorithm,
  line: () => RequestQueue,
  options?: { readonly sequential?: boolean; readonly knowsCapacity?: boolean }
): Contender => ({
  name,
  limiter: (capacity) => new Admission({ algorithm: algorithm(capacity), maxWaiting: Infinity, queue: line() }),
  sequential: options?.sequential ?? false,
  knowsCapacity: options?.knowsCapacity ?? false
})

const inOrder = (): RequestQueue => new FirstComeFirstServed()
const inTurn = (): RequestQueue => new RoundRobin()
const fairly = (): RequestQueue => new FairQueue()

export const sequential = make("sequential", () => fixed(unlimited), inOrder, { sequential: true })
export const unbounded = make("unbounded", () => fixed(unlimited), inOrder)
export const fixedFifo = make("fixed 100, first come", () => fixed(100), inOrder)
export const defaultFifo = make("vegas, first come", () => vegas(), inOrder)
export const theDefault = make("vegas, fair", () => vegas(), fairly)
export const fromFarTooHigh = make("vegas from 80, fair", () => vegas({ initial: 80 }), fairly)
export const ideal = make("capacity known, fair", fixed, fairly, { knowsCapacity: true })

export const contenders: ReadonlyArray<Contender> = [
  sequential,
  unbounded,
  fixedFifo,
  make("aimd, first come", () => aimd(), inOrder),
  make("aimd, round robin", () => aimd(), inTurn),
  make("aimd, fair", () => aimd(), fairly),
  make("gradient2, first come", () => gradient2(), inOrder),
  make("gradient2, round robin", () => gradient2(), inTurn),
  make("gradient2, fair", () => gradient2(), fairly),
  defaultFifo,
  make("vegas, round robin", () => vegas(), inTurn),
  theDefault,
  ideal
]
