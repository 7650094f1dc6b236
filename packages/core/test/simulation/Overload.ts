/**
 * One backend, and more clients than it can bear: how much of what it could do it does.
 *
 * A closed population: each client asks again as soon as it has its answer, after a pause if the scenario has one.
 */
import { Flow, type Request } from "../../src/limiter/Ticket.ts"
import { Backend } from "./Backend.ts"
import type { Contender } from "./Contender.ts"
import { Gate } from "./Gate.ts"
import { Random } from "./Random.ts"
import { Simulation } from "./Simulation.ts"

export interface Job {
  readonly resource: string
  readonly work: number
}

export interface Scenario {
  readonly name: string
  readonly clients: number
  /** The mean pause of a client, in milliseconds. */
  readonly think: number
  /** What is offered, in servers' worth of work, where it is less than the capacity. */
  readonly offered: number
  /** The capacity from each of these seconds on. */
  readonly capacity: ReadonlyArray<readonly [second: number, servers: number]>
  /** When something changes, in seconds; the last is the end. Between two of them goodput is measured. */
  readonly phases: ReadonlyArray<number>
  readonly job: (random: Random, second: number) => Job
  /** The backend stops so long, so often, in milliseconds. */
  readonly pause?: { readonly every: number; readonly lasts: number }
  /** Attempts give up after so many milliseconds, and their clients try again, so often. The backend goes on regardless. */
  readonly giveUp?: { readonly after: number; readonly retries: number }
}

export interface OverloadResult {
  /** The worst of the phases: work done for clients by what could have been done, once it had the time to settle. */
  readonly goodput: number
  readonly byPhase: ReadonlyArray<number>
  /** The longest time from a change until a stretch of five seconds was good again, in seconds. */
  readonly settled: number
  readonly limit: number
  readonly trace: number
}

/** An answer that a client got. */
export interface Answer {
  /** When it came, how long its client waited for it from asking, and the work that was done for it, in milliseconds. */
  readonly at: number
  readonly took: number
  readonly work: number
  /** What the limit was at that moment. */
  readonly limit: number
}

const contention = 0.02
/** How long after a change it may take to settle, in seconds. */
const settling = 30
/** Goodput is added up over so many seconds. */
const stretch = 5
export const goodEnough = 0.85

export const overload = (
  scenario: Scenario,
  contender: Contender,
  seed: number,
  onAnswer: (answer: Answer) => void = () => {}
): OverloadResult => {
  const simulation = new Simulation()
  const random = new Random(seed)
  const capacity = scenario.capacity[0]![1]
  const backend = new Backend(simulation, capacity, contention)
  const gate = new Gate(simulation, contender.limiter(capacity))
  let done = 0

  const attempt = (request: Request, job: Job, retries: number, next: () => void): void => {
    const askedAt = simulation.now
    gate.offer(request, (ticket) => {
      let pending = true
      const { giveUp } = scenario
      const timer =
        giveUp === undefined
          ? undefined
          : simulation.after(giveUp.after, () => {
              pending = false
              gate.end(ticket, "Dropped")
              if (retries > 0) attempt(request, job, retries - 1, next)
              else next()
            })
      backend.submit(job.work, () => {
        if (!pending) return
        if (timer !== undefined) simulation.cancel(timer)
        done += job.work
        gate.end(ticket, "Answered")
        const { now } = simulation
        onAnswer({ at: now, took: now - askedAt, work: job.work, limit: gate.admission.limit })
        next()
      })
    })
  }

  const client = (): void => {
    const job = scenario.job(random, simulation.now / 1000)
    const request: Request = {
      flow: new Flow(),
      resource: job.resource,
      permits: 1,
      begun: false,
      deadline: Infinity,
      remaining: 0
    }
    attempt(request, job, scenario.giveUp?.retries ?? 0, () => {
      if (scenario.think === 0) client()
      else simulation.after(random.exponential(scenario.think), client)
    })
  }

  for (let i = 0; i < scenario.clients; i++) simulation.after(random.exponential(50), client)
  for (const [second, servers] of scenario.capacity.slice(1)) {
    simulation.at(second * 1000, () => {
      backend.setCapacity(servers)
      if (contender.knowsCapacity) gate.admission.limit = servers
    })
  }
  if (scenario.pause !== undefined) {
    const { every, lasts } = scenario.pause
    const pause = (): void => {
      backend.setPaused(true)
      simulation.after(lasts, () => backend.setPaused(false))
      simulation.after(random.exponential(every), pause)
    }
    simulation.after(random.exponential(every), pause)
  }

  const marks: Array<{ readonly done: number; readonly capable: number }> = [{ done: 0, capable: 0 }]
  const end = scenario.phases.at(-1)!
  for (let second = stretch; second <= end; second += stretch) {
    simulation.runUntil(second * 1000)
    marks.push({ done, capable: Math.min(backend.couldHaveDone(), second * 1000 * scenario.offered) })
  }
  const goodput = (from: number, to: number): number => {
    const [a, b] = [marks[from / stretch]!, marks[to / stretch]!]
    return (b.done - a.done) / (b.capable - a.capable)
  }
  const settledAfter = (from: number, to: number): number => {
    let at = from
    while (at < to && goodput(at, at + stretch) < goodEnough) at += stretch
    return at - from
  }
  const stretches = scenario.phases.slice(1).map((to, i) => [scenario.phases[i]!, to] as const)
  const byPhase = stretches.map(([from, to]) => goodput(from + settling, to))
  return {
    goodput: Math.min(...byPhase),
    byPhase,
    settled: Math.max(...stretches.map(([from, to]) => settledAfter(from, to))),
    limit: gate.admission.limit,
    trace: simulation.trace
  }
}

/** A scenario with 200 clients, 16 servers and work of 10 ms, for three minutes, except for what it says. */
const scenario = (name: string, changes: Partial<Scenario> & Pick<Scenario, "job">): Scenario => ({
  name,
  clients: 200,
  think: 0,
  offered: Infinity,
  capacity: [[0, 16]],
  phases: [0, 90],
  ...changes
})

const exponential = (random: Random): Job => ({ resource: "row", work: random.exponential(10) })

const batch = (random: Random): Job => {
  const size = Math.ceil(64 ** random.unit())
  const bucket = 2 ** Math.ceil(Math.log2(size))
  return { resource: `rows(${bucket})`, work: 2 + size / 2 }
}

export const steady = scenario("steady", { job: exponential })

export const changing = scenario("capacity 16, 8, 16", {
  job: exponential,
  capacity: [
    [0, 16],
    [60, 8],
    [120, 16]
  ],
  phases: [0, 60, 120, 180]
})

export const scenarios: ReadonlyArray<Scenario> = [
  steady,
  scenario("constant service", { job: () => ({ resource: "row", work: 10 }) }),
  changing,
  scenario("slow part 10, 90, 10 %", {
    job: (random, second) => {
      const isSlow = random.unit() < (second >= 60 && second < 120 ? 0.9 : 0.1)
      return { resource: isSlow ? "report" : "row", work: random.exponential(isSlow ? 100 : 10) }
    },
    phases: [0, 60, 120, 180]
  }),
  scenario("bimodal", { job: (random) => ({ resource: "row", work: random.bimodal(10) }) }),
  scenario("heavy-tailed", { job: (random) => ({ resource: "row", work: random.heavyTailed(10) }) }),
  scenario("pauses", { job: exponential, pause: { every: 5000, lasts: 300 } }),
  scenario("batches", { job: batch }),
  scenario("retry storm", { job: exponential, giveUp: { after: 200, retries: 3 } }),
  scenario("very low rate", {
    job: () => ({ resource: "row", work: 10 }),
    clients: 4,
    think: 1990,
    offered: (4 * 10) / 2000,
    phases: [0, 900]
  })
]
