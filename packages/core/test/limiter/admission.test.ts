import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Admission, type AdmissionOptions } from "../../src/limiter/Admission.ts"
import { fixed } from "../../src/limiter/algorithm/Fixed.ts"
import type { LimitAlgorithm } from "../../src/limiter/algorithm/LimitAlgorithm.ts"
import { Flow, type Ticket } from "../../src/limiter/Ticket.ts"
import { request } from "./requests.ts"

const limited = (limit: number, options: Partial<AdmissionOptions> = {}): Admission =>
  new Admission({ algorithm: fixed(limit), maxWaiting: Infinity, ...options })

const drain = (admission: Admission, now: number): ReadonlyArray<Ticket> => {
  const decided: Array<Ticket> = []
  for (let next = admission.next(now); next !== undefined; next = admission.next(now)) decided.push(next)
  return decided
}

describe("admission", () => {
  it("no permit is lost or made, whatever happens", () => {
    const step = fc.record({
      what: fc.constantFrom("offer", "offer", "end", "end", "leave", "lag"),
      permits: fc.integer({ min: 1, max: 3 }),
      begun: fc.boolean(),
      patience: fc.constantFrom(Infinity, Infinity, 5, 30),
      pick: fc.nat(1000),
      pause: fc.constantFrom(0, 1, 10, 300)
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), fc.integer({ min: 3, max: 6 }), (steps, limit) => {
        const admission = limited(limit, { maxWaiting: 5, delay: { target: 5, interval: 100 } })
        const waiting = new Set<Ticket>()
        const held = new Set<Ticket>()
        let now = 0
        const sort = (ticket: Ticket): void => {
          waiting.delete(ticket)
          if (ticket.state === "Held") held.add(ticket)
          else expect(ticket.refusal).toBeDefined()
        }
        for (const { begun, patience, permits, pause, pick, what } of steps) {
          now += pause
          if (what === "offer") {
            const ticket = admission.offer(request({ begun, deadline: now + patience, permits, remaining: 1 }), now)
            if (ticket.state === "Waiting") waiting.add(ticket)
            else sort(ticket)
          } else if (what === "end" && held.size > 0) {
            const ticket = [...held][pick % held.size]!
            held.delete(ticket)
            admission.end(ticket, "Answered", now)
          } else if (what === "leave" && waiting.size > 0) {
            const ticket = [...waiting][pick % waiting.size]!
            waiting.delete(ticket)
            admission.leave(ticket)
          } else if (what === "lag") admission.reportLag(pick % 2 === 0 ? 100 : 0, now)
          drain(admission, now).forEach(sort)
          const inUse = [...held].reduce((sum, ticket) => sum + ticket.request.permits, 0)
          expect(admission.inFlight).toBe(inUse)
          expect(admission.waiting).toBe(waiting.size)
          expect(inUse).toBeLessThanOrEqual(limit)
          // Work-conserving: with room for the largest request, none waits.
          if (waiting.size > 0) expect(inUse + 3).toBeGreaterThan(admission.limit)
        }
        for (const ticket of held) admission.end(ticket, "Unknown", now)
        for (let left = drain(admission, now); left.length > 0; left = drain(admission, now)) {
          for (const ticket of left) if (ticket.state === "Held") admission.end(ticket, "Unknown", now)
        }
        expect([admission.inFlight, admission.waiting, admission.wakeAt]).toEqual([0, 0, Infinity])
      }),
      { numRuns: 1500 }
    )
  })

  it("a request for more permits than the present limit runs alone", () => {
    const shrinking: LimitAlgorithm = { ...fixed(4), initial: { limit: 2 } }
    const admission = new Admission({ algorithm: shrinking, maxWaiting: 9 })
    const small = admission.offer(request(), 0)
    const big = admission.offer(request({ permits: 4 }), 0)
    expect([big.state, drain(admission, 0)]).toEqual(["Waiting", []])
    admission.end(small, "Answered", 1)
    expect(drain(admission, 1)).toEqual([big])
  })

  it("a small request does not overtake a large one that waits", () => {
    const admission = limited(2)
    admission.offer(request(), 0)
    const large = admission.offer(request({ permits: 2 }), 0)
    const small = admission.offer(request(), 0)
    expect([large.state, small.state]).toEqual(["Waiting", "Waiting"])
  })

  it("when the queue is full, a request of a run that has not begun is refused", () => {
    const admission = limited(1, { maxWaiting: 1 })
    admission.offer(request(), 0)
    admission.offer(request(), 0)
    expect(admission.offer(request(), 0).refusal).toEqual({ _tag: "QueueFull" })
  })

  it("a full queue never refuses a run that has begun: it refuses one that has not, or grows", () => {
    const admission = limited(1, { maxWaiting: 1 })
    admission.offer(request(), 0)
    const fresh = admission.offer(request(), 0)
    const begun = admission.offer(request({ begun: true }), 0)
    const more = admission.offer(request({ begun: true }), 0)
    expect(drain(admission, 0)).toEqual([fresh])
    expect([fresh.refusal, begun.state, more.state]).toEqual([{ _tag: "QueueFull" }, "Waiting", "Waiting"])
  })

  it("a request that cannot be done in time is refused at once", () => {
    const admission = limited(1)
    expect(admission.offer(request({ deadline: 20, remaining: 30 }), 0).refusal).toEqual({ _tag: "Deadline" })
  })

  it("the probable wait by the flow's share decides whether a request can be done in time", () => {
    const admission = limited(1)
    const flow = new Flow()
    for (let i = 0; i < 3; i++) admission.offer(request({ flow, begun: true }), 0)
    // One request of the flow has begun, and was charged 10 ms.
    expect(admission.offer(request({ flow, deadline: 12, remaining: 5 }), 0).refusal).toEqual({ _tag: "Deadline" })
    expect(admission.offer(request({ deadline: 12, remaining: 5 }), 0).state).toBe("Waiting")
  })

  it("a waiting request is refused when it can no longer be done in time, or, if its run has begun, when it is late", () => {
    const admission = limited(1)
    admission.offer(request(), 0)
    const fresh = admission.offer(request({ deadline: 100, remaining: 30 }), 0)
    const begun = admission.offer(request({ deadline: 100, remaining: 30, begun: true }), 0)
    expect(admission.wakeAt).toBe(70)
    expect(drain(admission, 69)).toEqual([])
    expect(drain(admission, 70)).toEqual([fresh])
    expect(admission.wakeAt).toBe(100)
    expect(drain(admission, 100)).toEqual([begun])
    expect(begun.refusal).toEqual({ _tag: "Deadline" })
  })

  it("a queue that does not drain sheds requests of runs that have not begun, and no others", () => {
    const admission = limited(1, { delay: { target: 5, interval: 100 } })
    let held = admission.offer(request(), 0)
    for (let i = 0; i < 40; i++) admission.offer(request({ begun: i % 2 === 0 }), 0)
    const shed: Array<Ticket> = []
    for (let now = 20; now <= 400; now += 20) {
      admission.end(held, "Answered", now)
      for (const ticket of drain(admission, now)) {
        if (ticket.state === "Held") held = ticket
        else shed.push(ticket)
      }
    }
    expect(shed.length).toBeGreaterThan(0)
    expect(shed.every(({ refusal, request }) => refusal?._tag === "Shed" && !request.begun)).toBe(true)
  })

  it("windows count answers and drops, and neither interruptions nor attempts that began before the last change", () => {
    const windows: Array<readonly [samples: number, drops: number]> = []
    const watching: LimitAlgorithm = {
      name: "watching",
      max: 9,
      window: { minMillis: 0, minSamples: 2, maxMillis: Infinity },
      initial: { limit: 9 },
      next: (state, { drops, samples, to }) => {
        windows.push([samples, drops])
        return { ...state, freshSince: to }
      }
    }
    const admission = new Admission({ algorithm: watching, maxWaiting: 9 })
    const [a, b, c, old] = [0, 0, 0, 0].map((at) => admission.offer(request(), at))
    admission.end(a!, "Answered", 5)
    admission.end(b!, "Unknown", 6)
    admission.end(c!, "Dropped", 7)
    admission.end(old!, "Answered", 8)
    const later = admission.offer(request(), 9)
    admission.end(later, "Answered", 10)
    expect(windows).toEqual([[1, 1]])
  })

  it("while the event loop lags, nothing is learned and the limit goes down; afterwards it comes back", () => {
    const admission = limited(100)
    for (let second = 1; second <= 10; second++) admission.reportLag(80, second * 1000)
    expect(admission.limit).toBeLessThan(65)
    expect(admission.limit).toBeGreaterThan(55)
    admission.end(admission.offer(request(), 10_000), "Answered", 10_400)
    expect(admission.latencies.usual("row")).toBe(10)
    for (let second = 11; second <= 30; second++) admission.reportLag(0, second * 1000)
    expect(admission.limit).toBe(100)
  })

  it("stats report the present state and the counts so far", () => {
    const admission = limited(1, { maxWaiting: 1 })
    const first = admission.offer(request(), 0)
    admission.offer(request(), 0)
    admission.offer(request(), 0)
    admission.end(first, "Dropped", 7)
    drain(admission, 7)
    expect(admission.stats()).toEqual({
      limit: 1,
      inFlight: 1,
      waiting: 0,
      queueDelay: 7,
      baseline: undefined,
      gradient: undefined,
      granted: 2,
      drops: 1,
      refused: { QueueFull: 1, Deadline: 0, Shed: 0 }
    })
  })
})
