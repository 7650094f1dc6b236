import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FairQueue } from "../../src/limiter/FairQueue.ts"
import { Flow, Ticket } from "../../src/limiter/Ticket.ts"
import { NaiveFairQueue } from "./NaiveFairQueue.ts"
import { request } from "./requests.ts"

/** Serves the first request so often, each for 10 ms, and returns the flow of each. */
const serve = (queue: FairQueue, turns: number, took = 10): ReadonlyArray<Flow> => {
  const served: Array<Flow> = []
  for (let i = 0; i < turns && queue.first !== undefined; i++) {
    const ticket = queue.first
    queue.take(ticket, 10, 0)
    queue.end(ticket, took, 0)
    served.push(ticket.flow!)
  }
  return served
}

const fill = (queue: FairQueue, flow: Flow, count: number, from = 0, remaining = 0): ReadonlyArray<Ticket> =>
  Array.from({ length: count }, (_, i) => {
    const ticket = new Ticket(request({ flow, remaining }), from + i, 0)
    queue.add(ticket, 0)
    return ticket
  })

describe("fair queueing", () => {
  it("serves in the order of the naive model, through any sequence of steps", () => {
    const run = fc.record({
      tenant: fc.constantFrom(undefined, "acme", "globex", "initech"),
      weight: fc.constantFrom(0.0625, 1, 1, 2, 4)
    })
    const step = fc.record({
      what: fc.constantFrom("add", "add", "begin", "begin", "end", "leave"),
      run: fc.nat(1000),
      pick: fc.nat(1000),
      // Powers of two add up without rounding, in whatever order.
      remaining: fc.constantFrom(0, 8, 16),
      pause: fc.constantFrom(0, 0, 4, 64, 512, 65_536),
      took: fc.constantFrom(1, 8, 32, 1024)
    })
    const runs = fc.array(run, { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(runs, fc.array(step, { maxLength: 80 }), (runs, steps) => {
        const queue = new FairQueue()
        const model = new NaiveFairQueue(runs)
        const flows = runs.map(({ tenant, weight }) => new Flow(tenant === undefined ? { weight } : { tenant, weight }))
        const waiting: Array<Ticket> = []
        const held: Array<Ticket> = []
        const runOf = (ticket: Ticket): number => flows.indexOf(ticket.flow!)
        let now = 0
        steps.forEach(({ pause, pick, remaining, run, took, what }, order) => {
          now += pause
          if (what === "add") {
            const ticket = new Ticket(request({ flow: flows[run % runs.length]!, remaining }), order, now)
            waiting.push(ticket)
            queue.add(ticket, now)
            model.add(run % runs.length, { id: order, remaining }, now)
          } else if (what === "begin" && queue.first !== undefined) {
            const ticket = queue.first
            queue.take(ticket, 8, now)
            model.begin(runOf(ticket), 8, now)
            model.remove(runOf(ticket), ticket.order)
            waiting.splice(waiting.indexOf(ticket), 1)
            held.push(ticket)
          } else if (what === "end" && held.length > 0) {
            const [ticket] = held.splice(pick % held.length, 1) as [Ticket]
            queue.end(ticket, took, now)
            model.end(runOf(ticket), 8, took, now)
          } else if (what === "leave" && waiting.length > 0) {
            const [ticket] = waiting.splice(pick % waiting.length, 1) as [Ticket]
            queue.remove(ticket)
            model.remove(runOf(ticket), ticket.order)
          }
          expect(queue.size).toBe(waiting.length)
          expect(queue.first?.order).toBe(model.first())
        })
      }),
      { numRuns: 2000 }
    )
  })

  it("a request by hand that does not wait shares as a run of one request, without a flow", () => {
    const step = fc.record({
      what: fc.constantFrom("add", "by hand", "by hand", "take", "end"),
      run: fc.nat(2),
      weight: fc.constantFrom(0.25, 1, 4),
      pick: fc.nat(1000),
      pause: fc.constantFrom(0, 4, 64, 512),
      took: fc.constantFrom(1, 8, 1024)
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        // The same steps for two queues: in one of them requests by hand have a flow.
        const both = [true, false].map((hasFlow) => ({
          hasFlow,
          queue: new FairQueue(),
          flows: [new Flow(), new Flow({ weight: 2 }), new Flow({ tenant: "acme" })],
          held: [] as Array<Ticket>
        }))
        let now = 0
        steps.forEach(({ pause, pick, run, took, weight, what }, order) => {
          now += pause
          for (const { flows, hasFlow, held, queue } of both) {
            if (what === "add") queue.add(new Ticket(request({ flow: flows[run]! }), order, now), now)
            else if (what === "end" && held.length > 0) {
              queue.end(held.splice(pick % held.length, 1)[0]!, took, now)
            } else if (what === "take" && queue.first !== undefined) {
              held.push(queue.first)
              queue.take(queue.first, 8, now)
            } else if (what === "by hand") {
              const share = { weight }
              const flow = hasFlow ? new Flow(share) : undefined
              const ticket = new Ticket(request({ flow, share }), order, now)
              held.push(ticket)
              queue.begin(ticket, 8, now)
            }
          }
          const [withFlows, without] = both.map(({ queue }) => queue.first?.order)
          expect(without).toBe(withFlows)
        })
      }),
      { numRuns: 1000 }
    )
  })

  it("equal flows take turns, however many requests each has waiting", () => {
    const queue = new FairQueue()
    const [big, small] = [new Flow(), new Flow()]
    fill(queue, big, 100)
    fill(queue, small, 10, 100)
    expect(serve(queue, 20).filter((flow) => flow === small)).toHaveLength(10)
  })

  it("a flow gets service in proportion to its weight", () => {
    const queue = new FairQueue()
    const [heavy, light] = [new Flow({ weight: 3 }), new Flow()]
    fill(queue, heavy, 100)
    fill(queue, light, 100, 100)
    expect(serve(queue, 40).filter((flow) => flow === heavy)).toHaveLength(30)
  })

  it("the real time of a request counts, not the guessed one", () => {
    const queue = new FairQueue()
    const [slow, quick] = [new Flow(), new Flow()]
    fill(queue, slow, 100)
    fill(queue, quick, 100, 100)
    let spent = 0
    for (let i = 0; i < 44; i++) {
      const ticket = queue.first!
      queue.take(ticket, 10, 0)
      queue.end(ticket, ticket.request.flow === slow ? 30 : 3, 0)
      if (ticket.request.flow === slow) spent += 30
      else spent -= 3
    }
    expect(Math.abs(spent)).toBeLessThanOrEqual(30)
  })

  it("an idle flow earns no credit", () => {
    const queue = new FairQueue()
    const [busy, late] = [new Flow(), new Flow()]
    fill(queue, busy, 100)
    serve(queue, 50)
    fill(queue, late, 50, 100)
    expect(serve(queue, 20).filter((flow) => flow === late).length).toBeLessThanOrEqual(11)
  })

  it("an idle flow still owes its debt beyond a small sum", () => {
    const queue = new FairQueue()
    const [owing, other] = [new Flow(), new Flow()]
    fill(queue, other, 100)
    fill(queue, owing, 1, 100)
    while (queue.first?.request.flow !== owing) serve(queue, 1)
    serve(queue, 1, 1000)
    fill(queue, owing, 1, 101)
    expect(serve(queue, 20)).not.toContain(owing)
  })

  it("between equal flows the longest remaining path goes first, then the first request", () => {
    const queue = new FairQueue()
    const [first] = fill(queue, new Flow(), 1, 0, 5)
    const [longest] = fill(queue, new Flow(), 1, 1, 9)
    const [last] = fill(queue, new Flow(), 1, 2, 5)
    const order: Array<Ticket> = []
    for (let ticket = queue.first; ticket !== undefined; ticket = queue.first) {
      order.push(ticket)
      queue.take(ticket, 10, 0)
    }
    expect(order).toEqual([longest, first, last])
  })

  it("no request waits for ever, however many new flows keep coming", () => {
    const queue = new FairQueue()
    const owing = new Flow()
    // It holds one permit for long, so it is not idle and owes for what it has had.
    queue.begin(new Ticket(request({ flow: owing }), 0, 0), 1000, 0)
    const [waiter] = fill(queue, owing, 1, 1)
    let turns = 0
    for (let now = 0; queue.first !== waiter; now += 10) {
      const fresh = new Ticket(request(), 2 + turns, now)
      queue.add(fresh, now)
      if (queue.first === waiter) break
      queue.take(fresh, 10, now)
      queue.end(fresh, 10, now + 10)
      expect(++turns).toBeLessThanOrEqual(1000)
    }
  })

  it("flows that have long had less than their fair share get one turn in eight, in turn, during a flood of new flows", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 8 }), (flows, count) => {
        const queue = new FairQueue()
        let order = 0
        const come = (flow: Flow, now: number): void => queue.add(new Ticket(request({ flow }), order++, now), now)
        const owing = Array.from({ length: flows }, () => new Flow())
        for (const flow of owing) queue.begin(new Ticket(request({ flow }), order++, 0), 1000, 0)
        for (const flow of owing) come(flow, 0)
        const left = new Map(owing.map((flow) => [flow, count]))
        // New ones, which by what they have had would always go first; one that owes asks for the next when it has one.
        let turns = 0
        for (let now = 0; [...left.values()].some((count) => count > 0); now += 10) {
          come(new Flow(), now)
          const ticket = queue.first!
          const flow = ticket.flow!
          queue.take(ticket, 10, now)
          if (left.has(flow)) {
            left.set(flow, left.get(flow)! - 1)
            if (left.get(flow)! > 0) come(flow, now)
            expect(Math.max(...left.values()) - Math.min(...left.values())).toBeLessThanOrEqual(1)
          } else queue.end(ticket, 10, now + 10)
          // What they were charged has to be their fair share first, and two seconds more.
          if (now >= 3000 + 1000 * flows) turns++
          expect(turns).toBeLessThanOrEqual(8 * flows * count)
        }
      })
    )
  })

  it("a flow that has not waited for long gains no turn by it", () => {
    const queue = new FairQueue()
    const owing = new Flow()
    queue.begin(new Ticket(request({ flow: owing }), 0, 0), 1e9, 0)
    fill(queue, owing, 1, 1)
    for (let i = 0; i < 100; i++) queue.add(new Ticket(request(), 2 + i, 1500), 1500)
    expect(serve(queue, 100)).not.toContain(owing)
  })
})
