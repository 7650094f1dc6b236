/** Who gets how much of a limiter that is always full. */
import type { ShareOptions } from "../../src/limiter/CurrentShare.ts"
import { Flow } from "../../src/limiter/Ticket.ts"
import { Backend } from "./Backend.ts"
import type { Contender } from "./Contender.ts"
import { Gate } from "./Gate.ts"
import { percentile } from "./Percentile.ts"
import { Random } from "./Random.ts"
import { Simulation } from "./Simulation.ts"

const servers = 16
const work = 10

/** Two flows want all they can get, but one asks for ten times as much at once: the share of the other, ideally a half. */
export const equalDemands = (contender: Contender, seed: number): number => {
  const simulation = new Simulation()
  const random = new Random(seed)
  const backend = new Backend(simulation, servers, 0.02)
  const gate = new Gate(simulation, contender.limiter(servers))
  const served = [0, 0]
  const flows = [new Flow(), new Flow()]
  const ask = (of: 0 | 1): void => {
    const flow = flows[of]!
    gate.offer({ flow, resource: "row", permits: 1, begun: true, deadline: Infinity, remaining: 0 }, (ticket) => {
      const millis = random.exponential(work)
      backend.submit(millis, () => {
        served[of]! += millis
        gate.end(ticket, "Answered")
        ask(of)
      })
    })
  }
  for (let i = 0; i < 20; i++) ask(0)
  for (let i = 0; i < 200; i++) ask(1)
  simulation.runUntil(60_000)
  return served[0]! / (served[0]! + served[1]!)
}

/**
 * New runs of a single load keep coming, more than the backend can do, with at most 200 waiting; beside them one run
 * has a hundred loads to do, and asks for so many of them at once. How long it takes until the last has a permit, in
 * milliseconds.
 */
export const besideFlood = (contender: Contender, seed: number, atOnce: number): number => {
  const simulation = new Simulation()
  const random = new Random(seed)
  const backend = new Backend(simulation, servers, 0.02)
  const gate = new Gate(simulation, contender.limiter(servers))
  let waiting = 0
  const load = (flow: Flow, begun: boolean, decided: () => void): void =>
    gate.offer({ flow, resource: "row", permits: 1, begun, deadline: Infinity, remaining: 0 }, (ticket) => {
      decided()
      backend.submit(random.exponential(work), () => gate.end(ticket, "Answered"))
    })
  const flood = (): void => {
    simulation.after(random.exponential(work / servers / 1.3), flood)
    if (waiting >= 200) return
    waiting++
    load(new Flow(), false, () => waiting--)
  }
  flood()
  simulation.runUntil(5000)
  const flow = new Flow()
  const askedAt = simulation.now
  let asked = 0
  let begun = 0
  let last = Infinity
  const ask = (): void => {
    if (asked++ >= 100) return
    load(flow, true, () => {
      if (++begun === 100) last = simulation.now
      ask()
    })
  }
  for (let i = 0; i < atOnce; i++) ask()
  simulation.runUntil(300_000)
  return last - askedAt
}

/** Clients of which each has one run of one load after the other. */
export interface Crowd {
  readonly clients: number
  /** What their runs say. */
  readonly share: ShareOptions
}

export interface CrowdsResult {
  /** The part of the service that the first crowd got. */
  readonly share: number
  /** The 99th percentile of how long its runs waited for their permit, in milliseconds. */
  readonly wait: number
}

/** Two crowds that want all that they can get, with runs of one load each. */
export const crowds = (contender: Contender, seed: number, of: readonly [Crowd, Crowd]): CrowdsResult => {
  const simulation = new Simulation()
  const random = new Random(seed)
  const backend = new Backend(simulation, servers, 0.02)
  const gate = new Gate(simulation, contender.limiter(servers))
  const served = [0, 0]
  const waits: Array<number> = []
  const run = (crowd: 0 | 1): void => {
    const askedAt = simulation.now
    const flow = new Flow(of[crowd].share)
    gate.offer({ flow, resource: "row", permits: 1, begun: false, deadline: Infinity, remaining: 0 }, (ticket) => {
      const millis = random.exponential(work)
      if (crowd === 0) waits.push(simulation.now - askedAt)
      backend.submit(millis, () => {
        served[crowd]! += millis
        gate.end(ticket, "Answered")
        run(crowd)
      })
    })
  }
  for (const crowd of [0, 1] as const) for (let i = 0; i < of[crowd].clients; i++) run(crowd)
  simulation.runUntil(60_000)
  return { share: served[0]! / (served[0]! + served[1]!), wait: percentile(waits, 0.99) }
}

/** A tenant with few runs at once, and one with ten times as many. */
export const tenants: readonly [Crowd, Crowd] = [
  { clients: 20, share: { tenant: "few" } },
  { clients: 200, share: { tenant: "many" } }
]

/** Two tenants with as many runs, of which one has three times the weight. */
export const weighted: readonly [Crowd, Crowd] = [
  { clients: 100, share: { tenant: "light" } },
  { clients: 100, share: { tenant: "heavy", weight: 3 } }
]

/** A tenant that has one run at a time, beside one that always has 200, and ten thousand times the weight. */
export const quiet: readonly [Crowd, Crowd] = [
  { clients: 1, share: { tenant: "quiet", weight: 100 } },
  { clients: 200, share: { tenant: "noisy", weight: 0.01 } }
]

/** The same crowds where no run says whose it is. */
export const unnamed = ([a, b]: readonly [Crowd, Crowd]): readonly [Crowd, Crowd] => [
  { ...a, share: {} },
  { ...b, share: {} }
]
