import { Flow, type Request } from "../../src/limiter/Ticket.ts"

/** A request of a new run for one permit, with some changes. */
export const request = (changes: Partial<Request> = {}): Request => ({
  flow: new Flow(),
  resource: "row",
  permits: 1,
  begun: false,
  deadline: Infinity,
  remaining: 0,
  ...changes
})
