/** The contenders, one after the other in each round, so that what disturbs this machine meanwhile disturbs all of them. */
import { Effect } from "effect"
import type { Arrival } from "./arrivals.ts"
import type { Contender } from "./contenders.ts"
import { throughput, took } from "./figures.ts"
import { type Answer, alone, run } from "./trial.ts"

/** What a page takes while the database has nothing else to do, in milliseconds. */
export interface Idle {
  readonly light: number
  readonly heavy: number
}

export const measureIdle = Effect.gen(function* () {
  return {
    light: took(yield* alone("light", 20), "light", 0.5),
    heavy: took(yield* alone("heavy", 5), "heavy", 0.5)
  }
})

export interface Result {
  readonly name: string
  readonly answers: ReadonlyArray<Answer>
  readonly perSecond: number
  /** The limit at the end. */
  readonly limit: number
}

export const measure = Effect.fnUntraced(function* (
  contenders: ReadonlyArray<Contender>,
  rounds: ReadonlyArray<ReadonlyArray<Arrival>>
) {
  const answers = yield* Effect.forEach(rounds, (asked) => Effect.forEach(contenders, ({ load }) => run(load, asked)))
  return yield* Effect.forEach(contenders, ({ name, stats }, i) =>
    Effect.map(stats, ({ limit }): Result => {
      const own = answers.map((round) => round[i] ?? [])
      const perSecond = own.reduce((sum, round) => sum + throughput(round), 0) / rounds.length
      return { name, limit, perSecond, answers: own.flat() }
    })
  )
})
