/**
 * A compiled graph, in the form that runs: steps in one array, edges as counters and index arrays.
 *
 * Everything is computed once, in time and memory linear in resources and dependencies, by loops over arrays.
 * Dependencies stand before dependents, so one pass forwards or backwards is enough for each figure.
 */
import { Pending } from "../model/Absent.ts"
import type { Extension, Prepared } from "../model/Extension.ts"
import type { Layer, Node } from "../model/Node.ts"
import { type Common, type Step, stepOf } from "../model/Step.ts"
import type { Discovery, Found } from "./Discovery.ts"
import { type Fatal, toFatal } from "./Fatal.ts"
import { type Hot, toHot } from "./Hot.ts"
import { byUrgency, distinct, layOut, type Lists, reversed, toBatches, toRanks, waitsForOf } from "./Layout.ts"

export interface Program extends Fatal {
  readonly name: string
  /** Level by level, so that steps that run at about the same time are close in memory. Dependencies stand before dependents. */
  readonly steps: ReadonlyArray<Step>
  /** The steps in declaration order. */
  readonly declared: ReadonlyArray<number>
  readonly targets: { readonly keys: ReadonlyArray<string>; readonly sources: ReadonlyArray<number> }
  readonly inputs: ReadonlyArray<number>
  /** The steps whose values the loader has. */
  readonly given: ReadonlyArray<number>
  /** The value of each step when a run starts: constants, and `Pending` for all others. */
  readonly initial: ReadonlyArray<unknown>
  /** The number of steps that settle in a run: all but given values. */
  readonly toSettle: number
  /** The number of steps that each step waits for when a run starts. */
  readonly missing: ReadonlyArray<number>
  readonly dependents: Lists
  readonly hot: Hot
  /** The steps without dependencies, the most urgent first. */
  readonly roots: ReadonlyArray<number>
  /** The position of each step in the order of urgency: longest remaining path first, then declaration order. */
  readonly urgency: Int32Array
  readonly ranks: Int32Array
  readonly batches: ReadonlyArray<ReadonlyArray<number>>
  /** Whether each step runs only if a choice wants it or a dependent of it; `undefined` without choices. */
  readonly optional: Uint8Array | undefined
  /** The extensions that its steps bring into each run. */
  readonly extensions: ReadonlyArray<Prepared>
}

const viewOf = (common: Common, parent: number, { lens }: Extract<Node, { readonly _tag: "View" }>): Step =>
  stepOf(common, {
    view: { parent, lens },
    settle: (run, index) => lens.settle(run, index, common, parent)
  })

const toSteps = (laidOut: ReadonlyArray<Found>, defaults: ReadonlyArray<Layer>): ReadonlyArray<Step> => {
  const steps: Array<Step> = []
  for (const found of laidOut) {
    const { cases, index, keys, node } = found
    const to = found.to.map((one) => one.index)
    const waits = cases.length === 0 ? to : to.slice(0, to.length - cases.length)
    if (node._tag === "View") {
      const parent = to[0]!
      const common = { name: node.name, node, base: steps[parent]!.base, keys, sources: to, waitsFor: to }
      steps.push(viewOf(common, parent, node))
    } else {
      const sources = keys.length === waits.length ? waits : waits.slice(0, keys.length)
      const common = { name: node.name, node, base: index, keys, sources, waitsFor: distinct(waits) }
      steps.push(node.source.kind.toStep(node, common, { defaults, cases, chosen: to.slice(waits.length) }))
    }
  }
  return steps
}

/** Compiles a graph without issues. */
export const toProgram = (
  name: string,
  { found, targets }: Omit<Discovery, "issues">,
  defaults: ReadonlyArray<Layer>
): Program => {
  const laidOut = layOut(found)
  const declared = found.map(({ index }) => index)
  const steps = toSteps(laidOut, defaults)
  const isGiven = (i: number): boolean => steps[i]!.given !== undefined
  const dependents = reversed(steps, waitsForOf)
  const ranks = toRanks(steps)
  const urgency = byUrgency(ranks, declared)
  const sources = targets.map(([, { index }]) => index)
  const isTarget = new Uint8Array(steps.length)
  for (const i of sources) isTarget[i] = 1
  const extensions = Array.from(new Set<Extension>(steps.flatMap((step) => step.extensions)))
  const optional = extensions.find((extension) => extension.optional)?.optional!(steps, isTarget)
  // A step that a choice has to want waits for that as well.
  const missing = steps.map((step, i) => step.waitsFor.reduce((n, j) => (isGiven(j) ? n : n + 1), optional?.[i] ?? 0))
  const program: Program & { extensions: ReadonlyArray<Prepared> } = {
    name,
    steps,
    declared,
    targets: { keys: targets.map(([key]) => key), sources },
    inputs: declared.filter((i) => steps[i]!.given?.isInput === true),
    given: declared.filter((i) => steps[i]!.given?.key !== undefined),
    initial: steps.map(({ given }) => (given === undefined ? Pending : given.value)),
    toSettle: steps.reduce((n, { given }) => (given === undefined ? n + 1 : n), 0),
    missing,
    dependents,
    hot: toHot(steps),
    roots: declared.filter((i) => missing[i] === 0 && !isGiven(i)).sort((a, b) => urgency[a]! - urgency[b]!),
    urgency,
    ranks,
    batches: toBatches(laidOut, urgency),
    optional,
    extensions: [],
    ...toFatal(steps, isTarget, dependents)
  }
  program.extensions = extensions.map((extension) => ({ extension, data: extension.prepare?.(program as never) }))
  return program
}
