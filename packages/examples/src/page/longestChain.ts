/** What no schedule can beat: the longest way through the plan, counting the latencies that were injected. */
import { Duration } from "effect"
import type { Plan } from "effect-loader"
import { latency } from "../backends/Latency.ts"

interface Chain {
  readonly chain: ReadonlyArray<string>
  readonly total: Duration.Duration
}

const longer = (a: Chain, b: Chain): Chain => (Duration.isGreaterThan(b.total, a.total) ? b : a)

export const longestChain = (plan: Plan.Plan): Chain => {
  const latencies = new Map<string, Duration.Duration>(Object.entries(latency))
  const none: Chain = { chain: [], total: Duration.zero }
  const until = new Map<string, Chain>()
  // A plan lists dependencies before dependents.
  for (const { dependencies, name } of plan.resources) {
    const before = dependencies.map((dependency) => until.get(dependency) ?? none).reduce(longer, none)
    const own = latencies.get(name)
    until.set(
      name,
      own === undefined ? before : { chain: [...before.chain, name], total: Duration.sum(before.total, own) }
    )
  }
  return [...until.values()].reduce(longer, none)
}
