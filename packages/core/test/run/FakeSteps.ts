/** Programs of steps that are written by hand, and runs of them: no loader, and no resource. */
import { Context } from "effect"
import fc from "fast-check"
import type { Found } from "../../src/compile/Discovery.ts"
import { type Program, toProgram } from "../../src/compile/Program.ts"
import type { Hooks, StepEnd } from "../../src/model/Extension.ts"
import type { Compiling, Kind } from "../../src/model/Kind.ts"
import { bare, type Base, type Lens, type Node, type Source } from "../../src/model/Node.ts"
import { recovering } from "../../src/model/Recovery.ts"
import { type Common, type Step, stepOf } from "../../src/model/Step.ts"
import { type Interpreter, Run } from "../../src/run/Run.ts"
import type { Slots } from "../../src/run/Slots.ts"

/** A step by its number; what it waits for has lower numbers. */
export interface Fake {
  readonly deps?: ReadonlyArray<number>
  readonly after?: ReadonlyArray<number>
  /** A value that is given, or an input. */
  readonly given?: { readonly value: unknown; readonly isInput?: boolean }
  /** A view of its only dependency. */
  readonly lens?: Lens
  /** The cases of a choice by its only dependency. */
  readonly cases?: ReadonlyArray<{ readonly value: string | undefined; readonly step: number }>
  /** What the compiled step has beside what each has. By default it has an effect that is never run. */
  readonly toStep?: (common: Common, compiling: Compiling) => Step
}

export const nameOf = (n: number): string => `s${n}`

const withoutEffect = (common: Common): Step => stepOf(common, { begin: () => undefined })

/** Its steps are called `s0`, `s1`... A fake program knows where the step of each number is. */
export const programOf = (fakes: ReadonlyArray<Fake>, targets: ReadonlyArray<number>) => {
  const found: Array<Found> = []
  for (const fake of fakes) found.push(foundOf(fake, found))
  const program: Program = toProgram("fake", { found, targets: targets.map((n) => [nameOf(n), found[n]!]) }, [])
  return { program, at: (n: number): number => found[n]!.index }
}

const foundOf = (fake: Fake, before: ReadonlyArray<Found>): Found => {
  const { after = [], cases = [], deps = [], given, lens } = fake
  const to = [...deps, ...after, ...cases.map(({ step }) => step)].map((n) => before[n]!)
  const level = to.reduce((most, { level }) => Math.max(most, level), 0)
  return {
    node: lens === undefined ? baseOf(nameOf(before.length), fake) : viewOf(to[0]!.node, lens),
    keys: lens === undefined ? deps.map(nameOf) : [],
    nodes: to.map(({ node }) => node),
    cases: cases.map(({ step, value }) => ({ value, node: before[step]!.node, use: "a case" })),
    to,
    level: lens === undefined && given === undefined ? level + 1 : level,
    index: 0
  }
}

const viewOf = (parent: Node, lens: Lens): Node => ({ _tag: "View", name: parent.name, parent, lens })

const baseOf = (name: string, { given, toStep = withoutEffect }: Fake): Base => {
  const kind: Kind = {
    name: "load",
    isGiven: given !== undefined,
    toStep: (_base, common, compiling) =>
      given === undefined
        ? toStep(common, compiling)
        : stepOf(common, { given: { isInput: given.isInput === true, key: undefined, value: given.value } })
  }
  return bare(name, { kind, deps: () => ({}), after: () => [] } as Source)
}

/** A view that changes a value. */
export const mapped = (f: (value: unknown) => unknown): Lens => ({
  label: "map",
  recovers: undefined,
  ancestors: false,
  onSuccess: f,
  onFailure: undefined,
  settle: (run, index, _step, parent) => {
    const cause = run.causeOf(parent)
    if (cause === undefined) run.succeed(index, f(run.valueOf(parent)))
    else run.conclude(index, cause)
  }
})

/** A view that gives what `f` gives where its resource failed. */
export const recovered = (
  f: (failure: unknown) => unknown,
  options: { readonly recovers?: "errors" | "causes"; readonly ancestors?: boolean } = {}
): Lens => recovering("catch", { recovers: "errors", ancestors: false, onSuccess: undefined, onFailure: f, ...options })

/** Who waits for whom, and which steps are targets: of at most so many steps. */
export const graphs = (size: number): fc.Arbitrary<{ readonly fakes: Array<Fake>; readonly targets: Array<number> }> =>
  fc.integer({ min: 1, max: size }).chain((steps) =>
    fc.record({
      fakes: fc.tuple(
        ...Array.from({ length: steps }, (_, n) =>
          n === 0
            ? fc.constant<Fake>({})
            : fc.record({ deps: fc.uniqueArray(fc.nat({ max: n - 1 }), { maxLength: 3 }), after: someBefore(n) })
        )
      ),
      targets: fc.uniqueArray(fc.nat({ max: steps - 1 }), { minLength: 1 })
    })
  )

const someBefore = (n: number): fc.Arbitrary<Array<number>> => fc.uniqueArray(fc.nat({ max: n - 1 }), { maxLength: 1 })

export const textOf = (end: StepEnd): string => {
  if (end._tag !== "Skipped") return end._tag
  return end.because._tag === "DependencyFailed" ? `Skipped by ${end.because.resource}` : end.because._tag
}

/** A run by hand: what it tells is noted, and nothing is started. */
export const runOf = (
  program: Program,
  options: { readonly failFast?: boolean; readonly hooks?: Hooks; readonly gate?: Slots } = {}
) => {
  const run = new Run(program, Context.empty(), options.failFast === true)
  const ready: Array<number> = []
  const lines: Array<string> = []
  const name = (index: number): string => program.steps[index]!.name
  const interpreter: Interpreter = {
    onReady: (index) => {
      ready.push(index)
      lines.push(`ready ${name(index)}`)
    },
    onStop: () => lines.push("stop"),
    onSlots: () => lines.push("slots")
  }
  const settled = (index: number, end: StepEnd): void => void lines.push(`${textOf(end)} ${name(index)}`)
  run.plug({ ...options.hooks, settled }, options.gate)
  return { run, ready, lines, start: () => run.start(interpreter) }
}
