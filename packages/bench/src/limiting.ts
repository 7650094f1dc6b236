/**
 * What a limiter costs: nobody waiting, many waiting, and an answer that the limit learns from.
 *
 * Held against Effect's `Semaphore`, which limits and does nothing else, and against steps of `Effect.flatMap`.
 */
import { Clock, Context, Deferred, Effect, type Layer, Semaphore } from "effect"
import { Limiter } from "effect-loader"
import { Admission } from "../../core/src/limiter/Admission.ts"
import { Flow } from "../../core/src/limiter/Ticket.ts"
import { compete, type Contestant, type Rounds } from "./measure.ts"
import { duration, ratio, table } from "./table.ts"

class Backend extends Limiter.Service<Backend>()("bench/Backend") {}

type Around = (self: Effect.Effect<void>) => Effect.Effect<void, unknown, Backend>

const semaphore = (permits: number): Around => {
  const made = Semaphore.makeUnsafe(permits)
  return (self) => made.withPermit(self)
}

/** The limiter of a layer, which a program builds once. */
const built = (layer: Layer.Layer<Backend>): Limiter.Limiter =>
  Effect.runSync(Effect.provide(Effect.service(Backend), layer))
const adaptive = built(Backend.layerAdaptive())

interface Uncontended {
  readonly what: string
  /** Nanoseconds of one effect that does nothing, with a permit. */
  readonly time: number
  /** As a multiple of the same with a `Semaphore`: the median over rounds. */
  readonly toSemaphore: number
}

export const adapting = "a limit that adapts"

const inLoop = 1000

/** The same effect again and again in one fiber. */
const loop =
  (self: Effect.Effect<void, unknown, Backend>, clock: Clock.Clock = real) =>
  (): Promise<void> => {
    let left = inLoop
    const all = Effect.whileLoop({ while: () => left-- > 0, body: () => self, step: () => {} })
    return Effect.runPromise(
      Effect.provideContext(all, Context.make(Backend, adaptive).pipe(Context.add(Clock.Clock, clock)))
    )
  }

/** A limiter has to know when an attempt began and when it ended; what that costs is the machine's. */
const real = Effect.runSync(Clock.Clock)
const still: Clock.Clock = Object.assign(Object.create(real), { monotonicTimeNanosUnsafe: () => 0n })
const readTwice = Effect.sync(() => void (real.monotonicTimeNanosUnsafe() + real.monotonicTimeNanosUnsafe()))

const measureUncontended = async (rounds: Rounds): Promise<ReadonlyArray<Uncontended>> => {
  const fixed = built(Backend.layer({ limit: 8 }))
  const arounds: ReadonlyArray<readonly [name: string, around: Around, clock?: Clock.Clock]> = [
    ["Semaphore.withPermit", semaphore(8)],
    ["a limit that stays", fixed.withPermit],
    [adapting, adaptive.withPermit],
    ["the same, time standing still", adaptive.withPermit, still],
    ["the same, through the service", Backend.withPermit],
    ["the clock read twice, and no more", () => readTwice],
    ["nothing but the loop", (self) => self]
  ]
  const measured = await compete(
    arounds.map(([name, around, clock]): Contestant => ({ name, run: loop(around(Effect.void), clock) })),
    rounds
  )
  return measured.map(({ median, name, ratio }) => ({ what: name, time: median / inLoop, toSemaphore: 1 / ratio }))
}

interface Contended {
  readonly waiters: number
  /** Nanoseconds for each of those who wait, their fibers included. */
  readonly limiter: number
  /** `undefined` where it takes too long. */
  readonly semaphore: number | undefined
}

const waiterCounts = [1000, 10_000, 100_000] as const
/** Each time that a permit is given back, a semaphore looks at all who wait. */
const mostAtSemaphore = 10_000

const single = Backend.layerAdaptive({ max: 1, queue: { max: Infinity } })

/** So many wait for one permit, and get it one after the other. */
const crowd = (around: Around, waiters: number) => (): Promise<void> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const gate = Deferred.makeUnsafe<void>()
      yield* Effect.forkChild(around(Deferred.await(gate)), { startImmediately: true })
      const self = around(Effect.void)
      const all = Effect.forEach(Array.from({ length: waiters }), () => self, {
        concurrency: "unbounded",
        discard: true
      })
      yield* Effect.all([all, Deferred.succeed(gate, undefined)], { concurrency: "unbounded", discard: true })
    }).pipe(Effect.provideService(Backend, adaptive))
  )

const measureContended = async (isQuick: boolean): Promise<ReadonlyArray<Contended>> => {
  const rounds: Rounds = { warmUp: 1, measured: isQuick ? 1 : 7, sampleMs: 10 }
  const contestants = waiterCounts.flatMap((waiters): ReadonlyArray<Contestant> => {
    if (isQuick && waiters > waiterCounts[0]) return []
    const ours = { name: `limiter ${waiters}`, run: crowd(built(single).withPermit, waiters) }
    const theirs = { name: `semaphore ${waiters}`, run: crowd(semaphore(1), waiters) }
    return waiters > mostAtSemaphore ? [ours] : [ours, theirs]
  })
  const measured = new Map((await compete(contestants, rounds)).map(({ median, name }) => [name, median]))
  return waiterCounts.flatMap((waiters) => {
    const ours = measured.get(`limiter ${waiters}`)
    const theirs = measured.get(`semaphore ${waiters}`)
    if (ours === undefined) return []
    return [{ waiters, limiter: ours / waiters, semaphore: theirs === undefined ? undefined : theirs / waiters }]
  })
}

interface Sample {
  /** Nanoseconds from asking to having learned, nothing of Effect included; and of a step of `flatMap`. */
  readonly time: number
  readonly flatMap: number
  /** How many such steps one sample costs: the median over rounds. */
  readonly steps: number
}

/** A permit is given out, and its answer learned from: what of all that is not Effect's. Ten milliseconds go by each time. */
const sampling = (): (() => Promise<void>) => {
  const admission = new Admission({ algorithm: Limiter.vegas(), maxWaiting: Infinity })
  const base = { resource: "row", permits: 1, begun: false, deadline: Infinity, remaining: 0 }
  let now = 0
  return () => {
    for (let i = 0; i < inLoop; i++) {
      const ticket = admission.offer({ ...base, flow: new Flow() }, now)
      admission.end(ticket, "Answered", (now += 10))
    }
    return Promise.resolve()
  }
}

const measureSample = async (rounds: Rounds): Promise<Sample> => {
  const [sample, step] = await compete(
    [
      { name: "sample", run: sampling() },
      { name: "flatMap", run: loop(Effect.flatMap(Effect.succeed(1), () => Effect.void)) }
    ],
    rounds
  )
  return { time: sample!.median / inLoop, flatMap: step!.median / inLoop, steps: step!.ratio }
}

export interface Limiting {
  readonly uncontended: ReadonlyArray<Uncontended>
  readonly contended: ReadonlyArray<Contended>
  readonly sample: Sample
}

export const measureLimiting = async (isQuick: boolean): Promise<Limiting> => {
  const rounds: Rounds = isQuick ? { warmUp: 1, measured: 5, sampleMs: 3 } : { warmUp: 10, measured: 41, sampleMs: 10 }
  return {
    uncontended: await measureUncontended(rounds),
    contended: await measureContended(isQuick),
    sample: await measureSample(rounds)
  }
}

export const limitingTables = ({ contended, sample, uncontended }: Limiting): ReadonlyArray<string> => [
  table(
    ["a permit, nobody waiting", "each", "/ Semaphore"],
    uncontended.map(({ time, toSemaphore, what }) => [what, duration(time), ratio(toSemaphore)])
  ),
  table(
    ["waiting for one permit", "limiter, each", "Semaphore, each"],
    contended.map(({ limiter, semaphore, waiters }) => [
      waiters.toLocaleString("en"),
      duration(limiter),
      semaphore === undefined ? "-" : duration(semaphore)
    ])
  ),
  table(
    ["from asking to having learned", "each", "steps of flatMap"],
    [["without Effect", duration(sample.time), sample.steps.toFixed(1)]]
  )
]
