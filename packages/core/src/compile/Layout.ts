/** The order, dependents, urgency and batches of steps. All loops are linear. */
import type { Step } from "../model/Step.ts"
import { type Found, weight } from "./Discovery.ts"

/** Lists of small integers, one after the other: list `i` is `items` from `start[i]` to `start[i + 1]`. */
export interface Lists {
  readonly start: Int32Array
  readonly items: Int32Array
}

/** Sorts nodes by level, and within a level in the order in which they were found, with a bucket per level. */
export const layOut = (found: ReadonlyArray<Found>): ReadonlyArray<Found> => {
  const levels: Array<Array<Found>> = []
  for (const one of found) (levels[one.level] ??= []).push(one)
  const laidOut = levels.flat()
  laidOut.forEach((one, index) => (one.index = index))
  return laidOut
}

/** Reverses edges. Given values do not settle, so edges to them are left out. */
export const reversed = (steps: ReadonlyArray<Step>, leadsTo: (step: Step) => ReadonlyArray<number>): Lists => {
  const start = new Int32Array(steps.length + 1)
  for (const step of steps) {
    for (const j of leadsTo(step)) if (steps[j]!.given === undefined) start[j + 1]!++
  }
  for (let i = 0; i < steps.length; i++) start[i + 1]! += start[i]!
  const items = new Int32Array(start[steps.length]!)
  const next = start.slice()
  steps.forEach((step, i) => {
    for (const j of leadsTo(step)) if (steps[j]!.given === undefined) items[next[j]!++] = i
  })
  return { start, items }
}

/** All steps that a step may wait for: its dependencies and its cases. */
export const mayWaitFor = ({ mayChoose, waitsFor }: Step): ReadonlyArray<number> =>
  mayChoose.length === 0 ? waitsFor : distinct([...waitsFor, ...mayChoose])

export const distinct = (indices: ReadonlyArray<number>): ReadonlyArray<number> =>
  indices.length < 2 ? indices : Array.from(new Set(indices))

/** The longest path from each step to the end, itself included, in resources. */
export const toRanks = (steps: ReadonlyArray<Step>): Int32Array => {
  const ranks = new Int32Array(steps.length)
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i]!
    ranks[i]! += weight(step.node)
    for (const j of mayWaitFor(step)) ranks[j] = Math.max(ranks[j]!, ranks[i]!)
  }
  return ranks
}

/** The position of each step by falling rank, then by declaration, with a bucket per rank. */
export const byUrgency = (ranks: Int32Array, declared: ReadonlyArray<number>): Int32Array => {
  const start = new Int32Array(ranks.reduce((most, rank) => Math.max(most, rank), 0) + 2)
  const bucket = (rank: number): number => start.length - 2 - rank
  for (const rank of ranks) start[bucket(rank) + 1]!++
  for (let i = 1; i < start.length; i++) start[i]! += start[i - 1]!
  const urgency = new Int32Array(ranks.length)
  for (const i of declared) urgency[i] = start[bucket(ranks[i]!)]!++
  return urgency
}

/** The steps by level, without given values and views: the batches of `scheduling: "batched"`. */
export const toBatches = (laidOut: ReadonlyArray<Found>, urgency: Int32Array): ReadonlyArray<ReadonlyArray<number>> => {
  const batches: Array<Array<number>> = []
  for (const { index, level, node } of laidOut) if (weight(node) === 1) (batches[level - 1] ??= []).push(index)
  for (const batch of batches) batch.sort((a, b) => urgency[a]! - urgency[b]!)
  return batches
}

/** Whether a step of this name is an ancestor of a step, also through cases. */
export const isBefore = (steps: ReadonlyArray<Step>, name: string, index: number): boolean => {
  const seen = new Set([index])
  // The iteration of a set also visits items that are added meanwhile.
  for (const i of seen) {
    for (const j of mayWaitFor(steps[i]!)) {
      if (steps[j]!.name === name && steps[j]!.base !== steps[index]!.base) return true
      seen.add(j)
    }
  }
  return false
}

export const waitsForOf = ({ waitsFor }: Step): ReadonlyArray<number> => waitsFor

export const mayChooseOf = ({ mayChoose }: Step): ReadonlyArray<number> => mayChoose
