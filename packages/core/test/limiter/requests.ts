import { Flow, type Request } from "../../src/limiter/Ticket.ts"

/** A request of a new run for one permit, except for what it says. */
export const request = (changes: Partial<Request> = {}): Request => ({
  flow: new Flow(),
  resource: "row",
  permits: 1,
  begun: false,
  deadline: Infinity,
  remaining: 0,
  ...changes
})
