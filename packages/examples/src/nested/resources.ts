/**
 * A nested graph: `a` needs `b` and `c`, `c` needs `d` and `e`, `e` needs `f`. Each takes its own time, and says at its
 * end what it was made of.
 */
import { type Duration, Effect } from "effect"
import { Resource } from "effect-loader"

const after = (duration: Duration.Input, value: string) => Effect.as(Effect.sleep(duration), value)

const b = Resource.make("b", { load: () => after("300 millis", "b") })
const d = Resource.make("d", { load: () => after("80 millis", "d") })
const f = Resource.make("f", { load: () => after("60 millis", "f") })
const e = Resource.make("e", { deps: { f }, load: ({ f }) => after("60 millis", `e(${f})`) })
const c = Resource.make("c", { deps: { d, e }, load: ({ d, e }) => after("80 millis", `c(${d}, ${e})`) })

export const a = Resource.make("a", { deps: { b, c }, load: ({ b, c }) => after("40 millis", `a(${b}, ${c})`) })
