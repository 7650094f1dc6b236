import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FairQueue } from "../../src/limiter/FairQueue.ts"
import { Flow, Ticket } from "../../src/limiter/Ticket.ts"
import { request } from "./requests.ts"

/** A tenant, and how it asks: by so many runs at once, each of so many loads that take so long. */
interface Traffic {
  readonly weight: number
  readonly runs: number
  readonly loads: number
  readonly takes: ReadonlyArray<number>
  /** It asks for this many milliseconds, and rests for as long; `Infinity` where it never rests. */
  readonly restsAfter: number
}

interface Held {
  readonly ticket: Ticket
  readonly tenant: number
  readonly takes: number
  readonly until: number
}

/** What a generated limiter did: how much service by weight each tenant has had, each time that a permit was given back. */
const serve = (
  traffic: ReadonlyArray<Traffic>,
  permits: number,
  requests: number,
  guess: (takes: number) => number = (takes) => takes
): ReadonlyArray<ReadonlyArray<number>> => {
  const queue = new FairQueue()
  const served = traffic.map(() => 0)
  const history: Array<ReadonlyArray<number>> = [[...served]]
  const waiting = traffic.map(() => 0)
  const asked = traffic.map(() => 0)
  const flows = traffic.map((): Array<Flow> => [])
  const held: Array<Held> = []
  let now = 0
  let order = 0
  const ask = (tenant: number): void => {
    const { loads, runs, weight } = traffic[tenant]!
    const place = asked[tenant]! % runs
    const round = Math.floor(asked[tenant]! / runs)
    if (round % loads === 0) flows[tenant]![place] = new Flow({ tenant: `${tenant}`, weight })
    asked[tenant]!++
    waiting[tenant]!++
    queue.add(new Ticket(request({ flow: flows[tenant]![place]!, resource: `${tenant}` }), order++, now), now)
  }
  const refill = (): void =>
    traffic.forEach(({ restsAfter, runs }, tenant) => {
      if (Math.floor(now / restsAfter) % 2 === 1) return
      while (waiting[tenant]! < runs) ask(tenant)
    })
  for (let ended = 0; ended < requests; ended++) {
    refill()
    while (held.length < permits && queue.first !== undefined) {
      const ticket = queue.first
      const tenant = Number(ticket.request.resource)
      const { takes } = traffic[tenant]!
      const millis = takes[ticket.order % takes.length]!
      queue.take(ticket, guess(millis), now)
      waiting[tenant]!--
      held.push({ ticket, tenant, takes: millis, until: now + millis })
      refill()
    }
    held.sort((a, b) => a.until - b.until)
    const ends = held.shift()!
    now = ends.until
    queue.end(ends.ticket, ends.takes, now)
    served[ends.tenant]! += ends.takes / traffic[ends.tenant]!.weight
    history.push([...served])
  }
  return history
}

/** By how much the services by weight of two tenants differ at most, over any stretch of time. */
const difference = (history: ReadonlyArray<ReadonlyArray<number>>, a: number, b: number): number => {
  const ahead = history.map((served) => served[a]! - served[b]!)
  return Math.max(...ahead) - Math.min(...ahead)
}

const longest = ({ takes, weight }: Traffic): number => Math.max(10, ...takes) / weight

const trafficThat = (restsAfter: fc.Arbitrary<number>): fc.Arbitrary<Traffic> =>
  fc.record({
    weight: fc.constantFrom(0.01, 0.25, 1, 1, 1, 3, 100),
    runs: fc.constantFrom(1, 2, 5, 40),
    loads: fc.constantFrom(1, 1, 4, 1000),
    takes: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 3 }),
    restsAfter
  })
const steady = fc.array(trafficThat(fc.constant(Infinity)), { minLength: 2, maxLength: 4 })
const resting = fc.array(trafficThat(fc.constantFrom(20, 50, 100, 1000, 5000)), { maxLength: 4 })

/** By how much steady tenants differ at most, by the bound of `FairShares`. */
const worstOf = (all: ReadonlyArray<Traffic>, history: ReadonlyArray<ReadonlyArray<number>>, permits: number): number =>
  Math.max(
    ...all.flatMap((one, a) =>
      all.slice(0, a).map((other, b) => difference(history, a, b) / ((permits + 1) * (longest(one) + longest(other))))
    )
  )

/** A flow asks so often at one instant. */
const fill = (queue: FairQueue, flow: Flow, count: number, now = 0): void => {
  for (let i = 0; i < count; i++) queue.add(new Ticket(request({ flow }), 1000 * now + i, now), now)
}

/** Serves one request after the other, and returns the flow of each. */
const serveNext = (queue: FairQueue, count: number, from = 0, takes = 10): ReadonlyArray<Flow> => {
  const served: Array<Flow> = []
  for (let i = 0; i < count && queue.first !== undefined; i++) {
    const ticket = queue.first
    queue.take(ticket, takes, from + i * takes)
    queue.end(ticket, takes, from + (i + 1) * takes)
    served.push(ticket.flow!)
  }
  return served
}

/** A request that never had to wait. */
const use = (queue: FairQueue, flow: Flow, takes: number, now: number): void => {
  const ticket = new Ticket(request({ flow }), 0, now)
  queue.begin(ticket, takes, now)
  queue.end(ticket, takes, now + takes)
}

describe("tenants", () => {
  it("that wait all the time get the same by weight over any stretch of time, however many runs each makes", () => {
    fc.assert(
      fc.property(steady, resting, fc.integer({ min: 1, max: 8 }), (all, others, permits) => {
        expect(worstOf(all, serve([...all, ...others], permits, 2000), permits)).toBeLessThanOrEqual(1)
      }),
      { numRuns: 100 }
    )
  })

  it("that wait all the time differ by at most twice as much when the guessed times of requests are wrong", () => {
    fc.assert(
      fc.property(steady, resting, fc.integer({ min: 1, max: 8 }), (all, others, permits) => {
        const history = serve([...all, ...others], permits, 2000, () => 10)
        expect(worstOf(all, history, permits)).toBeLessThanOrEqual(2)
      }),
      { numRuns: 100 }
    )
  })

  it("with one run get half against endless runs of another tenant, and a third when a run without a tenant joins", () => {
    const queue = new FairQueue()
    const [one, alone] = [new Flow({ tenant: "one" }), new Flow()]
    fill(queue, one, 200)
    const counts = { many: 0, one: 0, alone: 0 }
    for (let i = 0; i < 300; i++) {
      if (i === 100) fill(queue, alone, 200, 10 * i)
      for (let k = 0; k < 3; k++) fill(queue, new Flow({ tenant: "many" }), 1, 10 * i)
      const [flow] = serveNext(queue, 1, 10 * i)
      counts[flow === one ? "one" : flow === alone ? "alone" : "many"]++
    }
    expect(Math.abs(counts.one - (50 + 67))).toBeLessThanOrEqual(2)
    expect(Math.abs(counts.alone - 67)).toBeLessThanOrEqual(2)
  })

  it("divide what they get equally between their runs", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 8 }), (times) => {
        const queue = new FairQueue()
        const flows = times.map(() => new Flow({ tenant: "acme" }))
        const other = new Flow({ tenant: "globex" })
        const had = new Map(flows.map((flow) => [flow, 0]))
        let [now, ofOther] = [0, 0]
        flows.forEach((flow) => fill(queue, flow, 1000))
        fill(queue, other, 1000)
        for (let i = 0; i < 1000; i++) {
          const flow = queue.first!.flow!
          const takes = times[flows.indexOf(flow)] ?? 10
          serveNext(queue, 1, now, takes)
          now += takes
          if (flow === other) ofOther += takes
          else had.set(flow, had.get(flow)! + takes)
        }
        const all = [...had.values()]
        expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(100)
        expect(Math.abs(2 * ofOther - now)).toBeLessThanOrEqual(200)
      })
    )
  })

  it("earn no credit by being idle or by using less than their share without waiting", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.integer({ min: 1, max: 20 }), (idle, times) => {
        const queue = new FairQueue()
        const [light, greedy] = [new Flow({ tenant: "light" }), new Flow({ tenant: "greedy" })]
        // One request of the light tenant is always in flight, and ten of the greedy one; nobody waits.
        const held: Array<Ticket> = []
        const take = (flow: Flow, now: number): void => {
          const ticket = new Ticket(request({ flow }), 0, now)
          held.push(ticket)
          queue.begin(ticket, 10, now)
        }
        for (let now = 0; now < 1000 * times; now += 10) {
          for (const ticket of held.splice(0, held.length - (idle ? 0 : 1))) queue.end(ticket, 10, now)
          for (let k = 0; k < 10; k++) take(greedy, now)
          if (idle) continue
          for (const ticket of held.splice(0, 1)) queue.end(ticket, 10, now)
          take(light, now)
        }
        const now = 1000 * times
        for (const ticket of held) queue.end(ticket, 10, now)
        fill(queue, light, 200, now)
        fill(queue, greedy, 200, now)
        const ofLight = serveNext(queue, 200, now).filter((flow) => flow === light).length
        // What it may be ahead: that of an idle tenant 200 ms of debts are forgiven.
        expect(Math.abs(ofLight - 100)).toBeLessThanOrEqual(12)
      })
    )
  })

  it("and runs without any service yet go by weight, the heaviest first, in any order of asking", () => {
    const share = fc.record({ weight: fc.constantFrom(0.01, 0.5, 1, 2, 100), ofTenant: fc.boolean() })
    fc.assert(
      fc.property(fc.array(share, { minLength: 2, maxLength: 20 }), (shares) => {
        const queue = new FairQueue()
        const flows = shares.map(
          ({ ofTenant, weight }, i) => new Flow(ofTenant ? { tenant: `${i}`, weight } : { weight })
        )
        flows.forEach((flow, i) => queue.add(new Ticket(request({ flow }), i, 0), 0))
        const order: Array<number> = []
        for (let ticket = queue.first; ticket !== undefined; ticket = queue.first) {
          order.push(shares[flows.indexOf(ticket.flow!)]!.weight)
          queue.take(ticket, 10, 0)
        }
        expect(order).toEqual(order.toSorted((a, b) => b - a))
      })
    )
  })

  it("have the weight of the run that came first of those that overlap", () => {
    const queue = new FairQueue()
    const [first, second, other] = [4, 1, 1].map((weight, i) => new Flow({ tenant: i < 2 ? "acme" : "globex", weight }))
    fill(queue, first!, 40)
    fill(queue, second!, 40)
    fill(queue, other!, 40)
    expect(serveNext(queue, 50).filter((flow) => flow === other)).toHaveLength(10)
    serveNext(queue, 100, 500)
    fill(queue, new Flow({ tenant: "acme", weight: 1 }), 40, 100_000)
    fill(queue, other!, 40, 100_000)
    expect(serveNext(queue, 20, 100_000).filter((flow) => flow === other)).toHaveLength(10)
  })

  it("that owe something are remembered when their last run has ended, and stand behind when the next one comes", () => {
    const queue = new FairQueue()
    fill(queue, new Flow({ tenant: "quiet" }), 100)
    use(queue, new Flow({ tenant: "greedy" }), 1000, 0)
    expect(queue.known).toBe(2)
    const next = new Flow({ tenant: "greedy" })
    fill(queue, next, 1, 1000)
    expect(serveNext(queue, 50, 1000)).not.toContain(next)
  })

  it("are forgotten when they owe nothing, or have been idle for a minute, however many there were", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 300 }), (times) => {
        const queue = new FairQueue()
        let now = 0
        for (const [i, takes] of times.entries()) {
          use(queue, new Flow({ tenant: `${i}`, weight: 0.01 }), takes, now)
          now += takes
        }
        // One that asks and gives up is idle, too.
        const leaving = new Ticket(request({ flow: new Flow({ tenant: "leaving" }) }), 0, now)
        queue.add(leaving, now)
        queue.remove(leaving)
        use(queue, new Flow({ tenant: "last" }), 1, now + 60_000)
        expect(queue.known).toBe(0)
      })
    )
  })
})
