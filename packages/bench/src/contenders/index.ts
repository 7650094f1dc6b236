/** Who takes part, in the order of the table; the first is what the others are measured against. */
import { asyncAuto } from "./async-auto.ts"
import { betterAll } from "./better-all.ts"
import { cached } from "./cached.ts"
import type { Contender } from "./Contender.ts"
import { effectAll } from "./effect-all.ts"
import { effectGen } from "./effect-gen.ts"
import { again, batched, eager } from "./ours.ts"
import { pGraph } from "./p-graph.ts"
import { promises } from "./promises.ts"

export const contenders: ReadonlyArray<Contender> = [
  eager,
  again,
  batched,
  effectAll,
  effectGen,
  cached,
  promises,
  betterAll,
  pGraph,
  asyncAuto
]
