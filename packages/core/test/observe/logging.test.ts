/** Logs of runs: their annotations, their levels, and that they cost nothing below the minimum level. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Effect, Logger, References, Schedule } from "effect"
import { Loader, Logging, Policy, Resource, type RunEvent } from "effect-loader"
import { withTime } from "../withTime.ts"

interface Line {
  readonly level: string
  readonly text: string
  readonly annotations: Readonly<Record<string, unknown>>
}

/** The lines from a level on. */
const logged = <A, E, R>(self: Effect.Effect<A, E, R>, minimum: "Debug" | "Info" | "Warn" = "Debug") =>
  Effect.suspend(() => {
    const lines: Array<Line> = []
    const logger = Logger.make(({ cause, fiber, logLevel, message }) => {
      const text = (Array.isArray(message) ? message : [message]).map(String).join(" ")
      const why = cause.reasons.length === 0 ? "" : `: ${Cause.prettyErrors(cause)[0]?.message ?? "interrupted"}`
      lines.push({ level: logLevel, text: text + why, annotations: fiber.getRef(References.CurrentLogAnnotations) })
    })
    return withTime(Effect.exit(self)).pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, minimum),
      Effect.as(lines)
    )
  })

const said = (lines: ReadonlyArray<Line>): ReadonlyArray<string> =>
  lines.map(({ annotations, level, text }) => {
    const { attempt, resource } = annotations as { readonly attempt?: number; readonly resource?: string }
    return [level, resource, attempt, text].filter((part) => part !== undefined).join(" ")
  })

const flaky = () => {
  let attempts = 0
  return Resource.make("flaky", {
    load: () =>
      Effect.andThen(
        Effect.log("asking"),
        Effect.suspend(() => (++attempts < 2 ? Effect.fail("busy") : Effect.void))
      )
  }).pipe(Policy.retry({ times: 1, schedule: Schedule.spaced(50) }))
}

describe("Logging", () => {
  it.effect("annotates the logs of a load, attempt by attempt, and those of its fallback", () =>
    Effect.gen(function* () {
      const fallen = Resource.make("fallen", { load: () => Effect.fail("down") }).pipe(
        Policy.retry({ times: 2 }),
        Resource.catch(() => Effect.log("instead"))
      )
      const plain = Resource.make("plain", { load: () => Effect.log("once") })
      const targets = { flaky: flaky(), fallen, plain }
      const load = Loader.load(Loader.make(targets, { name: "page" })).pipe(
        Effect.annotateLogs("request", 7),
        Effect.provide(Logging.layerWith({ events: false }))
      )
      const lines = yield* logged(load)
      assert.sameMembers(
        [...said(lines)],
        ["Info flaky 1 asking", "Info flaky 2 asking", "Info fallen 3 instead", "Info plain 1 once"]
      )
      for (const { annotations } of lines) assert.deepInclude(annotations, { loader: "page", request: 7 })
    })
  )

  it.effect("logs each event for debugging, failures as warnings, fallbacks as information", () =>
    Effect.gen(function* () {
      const failing = Resource.make("failing", { load: () => Effect.fail("down") })
      const skipped = Resource.make("skipped", { deps: { failing }, load: () => Effect.void })
      const dying = Resource.make("dying", { load: () => Effect.die(new Error("a bug")) })
      const fallen = Resource.make("fallen", { load: () => Effect.fail("down") }).pipe(Resource.option)
      const targets = { skipped, dying, fallen, flaky: flaky() }
      const settle = Loader.settle(Loader.make(targets, { name: "page", concurrency: 1 })).pipe(
        Effect.provide(Logging.layerWith({ annotations: false }))
      )
      const lines = yield* logged(settle)
      assert.deepStrictEqual(said(lines), [
        "Debug run started",
        "Debug failing resource ready",
        "Debug dying resource ready",
        "Debug fallen resource ready",
        "Debug flaky resource ready",
        "Debug failing 1 attempt started",
        "Warn failing 1 resource failed: down",
        "Debug skipped resource skipped: failing failed, which it depends on",
        "Debug dying 1 attempt started",
        "Warn dying 1 resource died: Error: a bug: a bug",
        "Debug fallen 1 attempt started",
        "Info fallen 1 resource fell back (option) from down",
        "Debug flaky resource started",
        "Debug flaky 1 attempt started",
        "Info asking",
        "Debug flaky 1 attempt failed: busy: busy",
        "Debug flaky 2 attempt 2 follows in 50ms",
        "Debug flaky 2 attempt started",
        "Info asking",
        "Debug flaky 2 attempt succeeded",
        "Debug flaky 2 resource succeeded",
        "Debug run completed after 50ms"
      ])
      assert.deepStrictEqual(
        said(yield* logged(settle, "Warn")).map((line) => line.split(" ").slice(0, 2).join(" ")),
        ["Warn failing", "Warn dying"]
      )
    })
  )

  it.effect("logs timeouts of runs, interruptions, and queues", () =>
    Effect.gen(function* () {
      const hanging = Resource.make("hanging", { load: () => Effect.never })
      const other = Resource.make("other", { load: () => Effect.void })
      const load = Loader.load(Loader.make({ hanging, other }, { timeout: 100, concurrency: 1 }))
      assert.deepStrictEqual(said(yield* logged(load.pipe(Effect.provide(Logging.layer)))), [
        "Debug run started",
        "Debug hanging resource ready",
        "Debug other resource ready",
        "Debug hanging 1 attempt started",
        "Debug other 1 resource waits for a slot: all 1 are taken",
        "Debug hanging 1 resource interrupted",
        "Debug other resource skipped: the time of the run was over",
        "Warn run timed out after 100ms"
      ])
    })
  )

  it.effect("changes no result, and logs nothing below the minimum level", () =>
    Effect.gen(function* () {
      const one = Resource.make("one", { load: () => Effect.succeed(1) })
      const load = Loader.load(Loader.make({ one })).pipe(Effect.provide(Logging.layer))
      assert.deepStrictEqual(yield* load, { one: 1 })
      assert.deepStrictEqual(yield* logged(load, "Info"), [])
    })
  )

  it.effect("gives each event the level that its caller says, and its own where the caller says nothing", () =>
    Effect.gen(function* () {
      class NotFound extends Data.TaggedError("NotFound")<{}> {}
      const missing = Resource.make("missing", { load: () => Effect.fail(new NotFound()) })
      const down = Resource.make("down", { load: () => Effect.fail("down") })
      const isExpected = ({ cause }: RunEvent.ResourceFailed): boolean =>
        cause.reasons.some(
          (reason) =>
            Cause.isFailReason(reason) && (reason.error as { readonly error?: unknown }).error instanceof NotFound
        )
      const level = (event: RunEvent.RunEvent) => {
        if (event._tag === "RunEnded") return "None"
        return event._tag === "ResourceFailed" && isExpected(event) ? "Debug" : undefined
      }
      const settle = Loader.settle(Loader.make({ missing, down })).pipe(Effect.provide(Logging.layerWith({ level })))
      assert.deepStrictEqual(said(yield* logged(settle, "Info")), ["Warn down 1 resource failed: down"])
      assert.isFalse(said(yield* logged(settle)).some((line) => line.includes("run completed")))
    })
  )

  it.effect("logs a level that is none as the crash of an observer, once a run, and the run goes on", () =>
    Effect.gen(function* () {
      const one = Resource.make("one", { load: () => Effect.succeed(1) })
      for (const wrong of [() => "Loud", () => Promise.resolve("Info"), () => "All"]) {
        const options = { level: wrong } as unknown as Logging.Options
        const load = Loader.load(Loader.make({ one })).pipe(Effect.provide(Logging.layerWith(options)))
        const lines = said(yield* logged(load, "Info"))
        assert.lengthOf(lines, 1)
        assert.match(
          lines[0]!,
          /^Error an observer of effect-loader crashed: Logging.layerWith: `level` gave .* where a level/
        )
      }
    })
  )

  it.effect("logs a typed failure by its text alone, and a defect with its cause", () =>
    Effect.gen(function* () {
      const causes: Array<Cause.Cause<unknown>> = []
      const logger = Logger.make(({ cause }) => void causes.push(cause))
      const down = Resource.make("down", { load: () => Effect.fail("down") })
      const dying = Resource.make("dying", { load: () => Effect.die("a bug") })
      yield* Loader.settle(Loader.make({ down, dying })).pipe(
        Effect.provide([Logging.layer, Logger.layer([logger])]),
        Effect.provideService(References.MinimumLogLevel, "Warn")
      )
      assert.deepStrictEqual(
        causes.map(({ reasons }) => reasons.map(({ _tag }) => _tag)),
        [[], ["Die"]]
      )
    })
  )
})
