/** The same page by three schedules, timed. */
import { Duration, Effect } from "effect"
import { Loader } from "effect-loader"
import { bar, bold, dim, good, print, section } from "../terminal/Text.ts"
import { byLevels, eager, oneByOne } from "./loaders.ts"
import { inputs } from "./inputs.ts"
import { longestChain } from "./longestChain.ts"

const rounds = 3

const contenders = [
  { name: "one by one", loader: oneByOne },
  { name: "by Effect.all levels", loader: byLevels },
  { name: "eager", loader: eager }
] as const

const millisOf = (loader: (typeof contenders)[number]["loader"]) =>
  Effect.map(Effect.timed(Loader.load(loader, inputs)), ([took]) => Duration.toMillis(took))

const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN

/** Round after round of all three, so that what disturbs this machine meanwhile disturbs all of them. */
const measure = Effect.map(
  Effect.replicateEffect(
    Effect.forEach(contenders, ({ loader }) => millisOf(loader)),
    rounds
  ),
  (times) => contenders.map(({ name }, i) => ({ name, millis: median(times.map((round) => round[i] ?? NaN)) }))
)

export const compare = Effect.gen(function* () {
  yield* section("The same page, three schedules", `median of ${rounds} runs each`)
  const measured = yield* measure
  const times = measured.map(({ millis }) => millis).sort((a, b) => a - b)
  const [best = 0, worst = best] = [times[0], times.at(-1)]
  for (const { millis, name } of measured) {
    const drawn = bar(millis / worst, 30)
    const [label, colour] = name === "eager" ? [bold(name.padEnd(20)), good(drawn)] : [name.padEnd(20), dim(drawn)]
    const ratio = millis === best ? "" : dim(`${(millis / best).toFixed(1)} × as long`)
    const took = `${Math.round(millis)}ms`.padStart(6)
    yield* print(`${label}  ${colour}${" ".repeat(31 - drawn.length)}${took}  ${ratio}`)
  }
  const { chain, total } = longestChain(Loader.plan(eager))
  yield* print(
    "",
    dim(`The longest chain of injected latencies is ${chain.join(" → ")}: ${Duration.format(total)}.`),
    dim("No schedule can be faster than that.")
  )
})
