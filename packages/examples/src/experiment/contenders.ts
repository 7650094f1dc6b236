/** The ways to ask one database that are compared: each with a limiter of its own, which lasts as long as the experiment. */
import { Effect, Layer } from "effect"
import type { Limiter } from "effect-loader"
import { Queries } from "../twopages/shared.ts"
import type { Page } from "./arrivals.ts"
import { connections } from "./Backend.ts"
import { limited, unbounded } from "./trial.ts"

const waysFrom = (bounds: Limiter.Bounds) =>
  [
    // its limiter is not asked
    { name: "unbounded", load: unbounded, limiter: Queries.layer({ limit: connections }) },
    { name: "adaptive", load: limited, limiter: Queries.layerAdaptive(bounds) },
    { name: "limit known", load: limited, limiter: Queries.layer({ limit: connections }) }
  ] as const

/** `bounds`: those of the limit that adapts. */
export const contenders = (bounds: Limiter.Bounds) =>
  Effect.forEach(waysFrom(bounds), ({ limiter, load, name }) =>
    Effect.map(Layer.build(limiter), (context) => ({
      name,
      load: (page: Page) => Effect.provideContext(load(page), context),
      stats: Effect.provideContext(Queries.stats, context)
    }))
  )

export type Contender = Effect.Success<ReturnType<typeof contenders>>[number]
