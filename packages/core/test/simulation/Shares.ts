/** Who gets how much of a limiter that is always full. */
import { Flow } from "../../src/limiter/Ticket.ts"
import { Backend } from "./Backend.ts"
import type { Contender } from "./Contender.ts"
import { Gate } from "./Gate.ts"
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
