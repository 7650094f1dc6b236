/** Names that are difficult for programs, and a page that has them. */
import { Effect, Schedule } from "effect"
import { Loader, Policy, Resource } from "effect-loader"

export const hostileNames: ReadonlyArray<string> = [
  "new\nline",
  "\u001b[31mred\u001b[0m",
  "tab\tand \"quotes\" and 'quotes'",
  "</script><script>alert(1)</script>",
  "a & b < c > d; e # f %% g",
  "`back` ticks` `",
  "[square] {curly} (round) |pipe| \\back\\slash",
  "subgraph",
  "end",
  "right\u202eto left",
  "日本語のリソース",
  "family 👨‍👩‍👧‍👦 and e\u0301",
  "x".repeat(10_000)
]

/** All parts of this page have the same name, and it has every kind of failure that views show. */
export const pageOf = (name: string) => {
  const failing = Resource.make(name, { load: () => Effect.andThen(Effect.sleep(10), Effect.fail("down")) }).pipe(
    Policy.around(name, (self) => self),
    Policy.retry({ times: 1, schedule: Schedule.spaced(20) })
  )
  const below = Resource.make(`${name} below`, { deps: { failing }, load: () => Effect.void })
  const fallen = Resource.make(`${name} fallen`, { load: () => Effect.fail("none") }).pipe(
    Resource.catch(() => Effect.sleep(5))
  )
  return Loader.make({ below, fallen }, { name, concurrency: 1 })
}

/** Characters that terminals act on, and characters that change the direction of the text after them. */
// oxlint-disable-next-line no-control-regex -- these are the characters to find
export const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/
