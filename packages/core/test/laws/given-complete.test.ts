/** That the tables of `given.test.ts` are complete: each public function is in them, or takes nothing that can go wrong there. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"

const entries: Readonly<Record<string, () => Promise<object>>> = {
  "": () => import("effect-loader"),
  "diagram/": () => import("effect-loader/diagram"),
  "node/": () => import("effect-loader/node"),
  "persistence/": () => import("effect-loader/persistence"),
  "resilience/": () => import("effect-loader/resilience"),
  "sql/": () => import("effect-loader/sql"),
  "testing/": () => import("effect-loader/testing"),
  "wire/": () => import("effect-loader/wire")
}

/** Those that the tables use. */
const inTables: ReadonlyArray<string> = [
  "Loader.make",
  "Loader.onExit",
  "Loader.override",
  "Loader.withValues",
  "Observer.layer",
  "Observer.layerWatch",
  "Observer.observe",
  "Policy.around",
  "Policy.cache",
  "Policy.hedge",
  "Policy.retry",
  "Policy.retryAfterHeader",
  "Policy.timeout",
  "Resource.catch",
  "Resource.catchCause",
  "Resource.forEach",
  "Resource.fromLayer",
  "Resource.fromRequest",
  "Resource.make",
  "Resource.map",
  "Resource.forEachRequest",
  "Resource.succeed",
  "Resource.tap",
  "ResourceCache.Service",
  "Saga.abortIf",
  "Saga.cleanup",
  "Saga.compensate",
  "Saga.rewind",
  "resilience/CircuitBreaker.Service",
  "testing/Fake.delay"
]

const made = "takes what the library has made, and its types: a plan, a report, events, a loader"
const plain = "takes names, numbers, keys of services and values of any kind, and calls none of them"
const limits = "its functions are in the tests of limiters: `limits/policy.test.ts`"

const elsewhere: Readonly<Record<string, ReadonlyArray<string>>> = {
  [made]: [
    "FailedResource",
    "Loader.compile",
    "Loader.explain",
    "Loader.isLoader",
    "Loader.load",
    "Loader.loadReversible",
    "Loader.loadWithReport",
    "Loader.merge",
    "Loader.plan",
    "Loader.settle",
    "Loader.toLayer",
    "Explanation.toText",
    "Plan.get",
    "Plan.toText",
    "Policy.compose",
    "Report.analyze",
    "Report.diff",
    "Diff.toText",
    "Report.fromEvents",
    "Report.get",
    "Report.outcome",
    "Report.toChromeTrace",
    "Report.toSummary",
    "Report.toWaterfall",
    "Resource.isResource",
    "Resource.match",
    "Resource.option",
    "Resource.orNull",
    "Resource.result",
    "Resource.struct",
    "RunEvent.isResourceEnded",
    "diagram/toGraphviz",
    "diagram/toMermaid",
    "sql/withTransaction",
    "wire/Plan",
    "wire/Report",
    "wire/RunEvent",
    "wire/eventFromJson",
    "wire/eventToJson",
    "wire/reportFromJson",
    "wire/reportToJson"
  ],
  [plain]: [
    "Limiter.withShare",
    "Loader.Service",
    "Metrics.layerLimiter",
    "Policy.limit",
    "Policy.unshareable",
    "Resource.annotate",
    "Resource.as",
    "Resource.input",
    "node/layerEventLoopLag",
    "resilience/RateLimit.Service",
    "resilience/RetryBudget.Service",
    "resilience/circuitBreaker",
    "resilience/rateLimit",
    "sql/escapes",
    "testing/Fake.die",
    "testing/Fake.fail",
    "testing/Fake.failTimes",
    "testing/Fake.hang"
  ],
  [limits]: ["Limiter.Service", "Limiter.aimd", "Limiter.gradient2", "Limiter.vegas"],
  "its function gives a value of any kind": ["Resource.mapError", "Resource.orElseSucceed"],
  "its function is called as that of `catch` is": ["Resource.catchTag"],
  "its function is asked once, and what it gives is in the tests of loaders inside loaders": ["Resource.fromLoader"],
  "takes a resolver and a policy: `graphs` and `batching` test what is none": [
    "Batching.graphAware",
    "Batching.protect"
  ],
  "its numbers are in the tests of learned delays; a delay of the user's own is in the tables": [
    "resilience/HedgeDelay.Service"
  ],
  "takes the options of a cache, which are in the tables, and a schema": ["persistence/layer"],
  "observes, and what an observer does wrong is in the tables": [
    "Logging.layerWith",
    "Metrics.layerWith",
    "Tracing.layerWith"
  ],
  "is for tests, and fails the test that calls it wrongly": ["testing/Fault", "testing/Interruption", "testing/Ledger"],
  "reads logs and exits in tests": ["testing/LoadExit", "testing/RunLog", "testing/VirtualTime"]
}

const isErrorClass = (value: Function): boolean =>
  value.prototype instanceof Error || Object.hasOwn(value.prototype ?? {}, "message")

const functionsOf = async (): Promise<ReadonlyArray<string>> => {
  const names: Array<string> = []
  for (const [entry, load] of Object.entries(entries)) {
    for (const [name, value] of Object.entries(await load())) {
      if (typeof value === "function") {
        if (!isErrorClass(value)) names.push(entry + name)
      } else if (/^[A-Z]/.test(name)) {
        for (const [inside, f] of Object.entries(value as object)) {
          if (typeof f === "function" && !isErrorClass(f)) names.push(`${entry}${name}.${inside}`)
        }
      }
    }
  }
  return names
}

describe("the tables of what users give", () => {
  const known = Object.values(elsewhere).flat()
  const isIn = (names: ReadonlyArray<string>, name: string): boolean =>
    names.includes(name) || names.includes(name.slice(0, name.lastIndexOf(".")))

  it("have each public function, or there is a reason why not", async () => {
    const names = await functionsOf()
    assert.deepStrictEqual(
      names.filter((name) => isIn(inTables, name) === isIn(known, name)),
      []
    )
    const all = [...inTables, ...known]
    const gone = all.filter((name) => !names.some((one) => one === name || one.startsWith(`${name}.`)))
    assert.deepStrictEqual(gone, [])
  })

  it("use each function that they are said to have", () => {
    const text = readFileSync(new URL("given.test.ts", import.meta.url), "utf8")
    const unused = inTables.filter((name) => !text.includes(name.slice(name.indexOf("/") + 1)))
    assert.deepStrictEqual(unused, [])
  })
})
