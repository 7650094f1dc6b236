import { Clock, Effect, Exit } from "effect"
import { describe, expect, it } from "vitest"
import { Admission } from "../../src/limiter/Admission.ts"
import { fixed } from "../../src/limiter/algorithm/Fixed.ts"
import { HeldPermits, sourceIn } from "../../src/limiter/HeldPermits.ts"
import { Permits } from "../../src/limiter/Permits.ts"
import type { Ticket } from "../../src/limiter/Ticket.ts"
import { request } from "./requests.ts"

const clock = Effect.runSync(Clock.Clock)

const limiterOf = (limit: number) =>
  new Permits("test", new Admission({ algorithm: fixed(limit), maxWaiting: 9 }), () => false)

/** An attempt that holds the only permit of a limiter. */
const heldOne = () => {
  const permits = limiterOf(1)
  const held = new HeldPermits(permits, undefined)
  expect(held.acquire(request(), clock).state).toBe("Held")
  return { held, permits }
}

const statesOf = (tickets: ReadonlyArray<Ticket>) => tickets.map(({ state }) => state)

describe("held permits", () => {
  it("serve one borrower at a time, in the order of asking", () => {
    const { held } = heldOne()
    const told: Array<number> = []
    const tickets = [0, 1, 2].map((i) => held.ask(request(), clock, () => told.push(i)))
    expect(statesOf(tickets)).toEqual(["Held", "Waiting", "Waiting"])
    held.end(tickets[0]!, Exit.void, clock)
    expect(statesOf(tickets)).toEqual(["Done", "Held", "Waiting"])
    held.leave(tickets[1]!, clock)
    expect([statesOf(tickets), told]).toEqual([
      ["Done", "Done", "Held"],
      [1, 2]
    ])
  })

  it("pass a borrower by that has given up", () => {
    const { held } = heldOne()
    const tickets = [0, 1, 2].map(() => held.ask(request(), clock))
    held.leave(tickets[1]!, clock)
    held.end(tickets[0]!, Exit.void, clock)
    expect(statesOf(tickets)).toEqual(["Done", "Done", "Held"])
  })

  it("return to the limiter with the last borrower, and waiting borrowers have to ask elsewhere", () => {
    const { held, permits } = heldOne()
    const borrower = held.ask(request(), clock)
    const waiting = held.ask(request(), clock)
    held.close(Exit.void, clock)
    expect([waiting.state, permits.stats().inFlight]).toEqual(["Done", 1])
    held.end(borrower, Exit.void, clock)
    expect(permits.stats().inFlight).toBe(0)
  })

  it("serve 100,000 borrowers that end at once without recursion", () => {
    const { held } = heldOne()
    const first = held.ask(request(), clock)
    let served = 0
    for (let i = 0; i < 100_000; i++) {
      const ticket = held.ask(request(), clock, () => {
        served++
        held.end(ticket, Exit.void, clock)
      })
    }
    held.end(first, Exit.void, clock)
    expect(served).toBe(100_000)
  })

  it("come from the innermost attempt that holds permits of the limiter and has not ended", () => {
    const { held, permits } = heldOne()
    const other = new HeldPermits(limiterOf(1), held)
    const inner = new HeldPermits(permits, other)
    expect(sourceIn(inner, permits)).toBe(inner)
    inner.close(Exit.void, clock)
    expect(sourceIn(inner, permits)).toBe(held)
    held.close(Exit.void, clock)
    expect(sourceIn(inner, permits)).toBe(permits)
  })

  it("are asked for again when the attempt that was asked has ended", () => {
    const { held, permits } = heldOne()
    const borrower = held.ask(request(), clock)
    const inner = new HeldPermits(permits, held)
    expect(inner.acquire(request(), clock).state).toBe("Waiting")
    held.close(Exit.void, clock)
    held.end(borrower, Exit.void, clock)
    expect(inner.acquire(request(), clock).state).toBe("Held")
    expect(inner.from).toBe(permits)
  })

  it("that were never granted are given up with the attempt", () => {
    const permits = limiterOf(1)
    const never = new HeldPermits(permits, undefined)
    never.close(Exit.void, clock)
    const holder = permits.ask(request(), clock)
    const waiter = new HeldPermits(permits, undefined)
    waiter.acquire(request(), clock)
    expect(permits.stats()).toMatchObject({ inFlight: 1, waiting: 1 })
    waiter.close(Exit.void, clock)
    expect(permits.stats()).toMatchObject({ inFlight: 1, waiting: 0 })
    permits.end(holder, Exit.void, clock)
    expect(permits.stats()).toMatchObject({ inFlight: 0, waiting: 0 })
  })
})
