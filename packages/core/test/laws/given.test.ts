/** What users give: every place where a function of theirs is called, and everything else that one may give there. */
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Clock,
  Context,
  Duration,
  Effect,
  Exit,
  Layer,
  Logger,
  Option,
  Request,
  RequestResolver,
  Result,
  Schedule
} from "effect"
import { Loader, Observer, Policy, Resource, ResourceCache, Saga } from "effect-loader"
import { CircuitBreaker } from "effect-loader/resilience"
import { Fake } from "effect-loader/testing"
import { afterAll, beforeAll } from "vitest"
import { withTime } from "../withTime.ts"

const other = Resource.succeed("other", 1)

/** Values that come where an Effect, or an answer at once, is expected; each is made anew. */
const junk: ReadonlyArray<readonly [text: string, make: () => unknown]> = [
  ["undefined", () => undefined],
  ["null", () => null],
  ["the number 7", () => 7],
  ['the string "later"', () => "later"],
  ["a bigint", () => 7n],
  ["a symbol", () => Symbol("s")],
  ["an object", () => ({ data: [1] })],
  ["a Promise", () => Promise.reject(new Error("rejected"))],
  // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
  ["a thenable", () => Object.fromEntries([["then", () => assert.fail("a lazy query is not to be run")]])],
  ["an AsyncGenerator", () => (async function* () {})()],
  ["an async iterable", () => ({ [Symbol.asyncIterator]: () => assert.fail("not to be read") })],
  ["a function", () => () => 1],
  ["an async function", () => async () => 1],
  ["a generator function", () => function* () {}],
  ["a resource", () => other],
  ["a loader", () => Loader.make({ other })],
  ["an Option", () => Option.some(1)],
  ["a Result", () => Result.succeed(1)],
  ["a Layer", () => Layer.empty],
  ["a Response", () => new Response("{}")],
  [
    "an object",
    () =>
      // oxlint-disable-next-line unicorn/no-thenable -- what a hostile value may be
      Object.defineProperty({}, "then", {
        get: () => {
          throw new Error("hostile")
        }
      })
  ]
]

class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string> {}
const resolver = RequestResolver.fromFunction<GetUser>(({ request }) => `user ${request.id}`)
class Users extends ResourceCache.Service<Users>()("app/Users") {}
class Backend extends CircuitBreaker.Service<Backend>()("app/Backend") {}

type AnyResource = Resource.Resource<string, unknown, unknown, unknown>

const down = (): Effect.Effect<string, "down"> => Effect.fail("down")
const failing = Resource.make("user", { load: down })
const user = Resource.make("user", { load: () => Effect.succeed("ada") })

interface Place {
  readonly what: string
  /** Junk that is right here. */
  readonly right?: ReadonlyArray<string>
  /** Whether the resource has failed already, with "down". */
  readonly failed?: true
  readonly owner?: string
  readonly make: (give: () => never) => AnyResource
}

const places: ReadonlyArray<Place> = [
  { what: "`load`", make: (load) => Resource.make("user", { load }) },
  { what: "`load`", make: (load) => Resource.make("user", { load }).pipe(Policy.timeout("1 second")) },
  { what: "`load`", make: (load) => Resource.forEach("user", { items: () => [1], load }) },
  {
    what: "`load`",
    make: (load) => Resource.forEach("user", { items: () => [1], load, each: Policy.timeout("1 second") })
  },
  { what: "`request`", make: (request) => Resource.fromRequest("user", { request, resolver }) },
  { what: "`request`", make: (request) => Resource.forEachRequest("user", { items: () => [1], request, resolver }) },
  { what: "`items`", make: (items) => Resource.forEach("user", { items, load: () => Effect.void }) },
  {
    what: "`items`",
    make: (items) => Resource.forEachRequest("user", { items, request: () => new GetUser({ id: 1 }), resolver })
  },
  {
    what: "`items`",
    make: (items) => Resource.forEach("user", { items, load: () => Effect.void }).pipe(Policy.cache(Users))
  },
  { what: "the function of tap", make: (f) => user.pipe(Resource.tap(f)) },
  { what: "the function of tap", make: (f) => user.pipe(Resource.tap(f), Policy.timeout("1 second")) },
  { what: "the policy mine", make: (f) => user.pipe(Policy.around("mine", f)) },
  {
    what: "`key`",
    right: ['the string "later"'],
    make: (key) => Resource.make("user", { key, load: () => Effect.void }).pipe(Policy.cache(Users))
  },
  {
    what: "`itemKey`",
    right: ['the string "later"'],
    make: (itemKey) =>
      Resource.forEach("user", { items: () => [1], itemKey, load: () => Effect.succeed(1), each: Policy.cache(Users) })
  },
  { what: "the function of catch", failed: true, make: (f) => failing.pipe(Resource.catch(f)) },
  {
    what: "the function of catch",
    failed: true,
    make: (f) => failing.pipe(Resource.catch(f), Policy.timeout("1 second"))
  },
  { what: "the function of catchCause", failed: true, make: (f) => failing.pipe(Resource.catchCause(f)) },
  {
    what: "the function of catchCause",
    failed: true,
    make: (f) => failing.pipe(Resource.catchCause(f), Policy.timeout("1 second"))
  },
  { what: "`while` of retry(1)", failed: true, make: (f) => failing.pipe(Policy.retry({ times: 1, while: f })) },
  {
    what: "`retryAfter` of retry(1)",
    failed: true,
    right: ["undefined", "null"],
    make: (f) => failing.pipe(Policy.retry({ times: 1, retryAfter: f }))
  },
  { what: "the function of abortIf", failed: true, make: (f) => failing.pipe(Saga.abortIf(f)) },
  {
    what: "`while` of rewind(seat, 1)",
    failed: true,
    make: (f) => {
      const seat = Resource.make("seat", { load: () => Effect.succeed(1) }).pipe(Saga.compensate(() => Effect.void))
      const user = Resource.make("user", { deps: { seat }, load: down })
      return user.pipe(Saga.rewind(seat, { times: 1, while: f }))
    }
  },
  {
    what: "`isFailure`",
    owner: 'circuit breaker "app/Backend"',
    failed: true,
    make: (isFailure) => guarded({ isFailure })
  },
  {
    what: "`retryAfter`",
    owner: 'circuit breaker "app/Backend"',
    failed: true,
    right: ["undefined", "null"],
    make: (retryAfter) => guarded({ retryAfter })
  },
  {
    what: '`timeToLive` for "user"',
    owner: 'cache "app/Users"',
    right: ["the number 7", "a bigint"],
    make: (timeToLive) => cached({ timeToLive })
  },
  {
    what: '`failures.timeToLive` for "user"',
    owner: 'cache "app/Users"',
    failed: true,
    right: ["the number 7", "a bigint"],
    make: (timeToLive) => cached({ failures: { timeToLive } }, down())
  },
  {
    what: '`capacity.weigh` for "user"',
    owner: 'cache "app/Users"',
    right: ["the number 7"],
    make: (weigh) => cached({ capacity: { weight: 9, weigh } })
  },
  {
    what: "`staleIfError.when`",
    owner: 'cache "app/Users"',
    failed: true,
    make: (when) => cached({ staleIfError: { for: "1 minute", when } }, down())
  },
  {
    what: "`deposit` of the budget app/Budget",
    make: (give) =>
      withBudget(({ withdraw }) => ({
        get deposit() {
          return give()
        },
        withdraw
      }))
  },
  {
    what: "`withdraw` of the budget app/Budget",
    failed: true,
    make: (give) =>
      withBudget(({ deposit }) => ({
        deposit,
        get withdraw() {
          return give()
        }
      }))
  },
  {
    what: "`withdraw` of the budget app/Budget",
    failed: true,
    make: (give) => withBudget(({ deposit }) => ({ deposit, withdraw: Effect.sync(give) }))
  },
  { what: "`after` of the delay app/Delay", make: (after) => withDelay({ after }) },
  {
    what: "`after` of the delay app/Delay",
    right: ["the number 7", "a bigint"],
    make: (give) => withDelay({ after: () => Effect.sync(give) })
  },
  { what: "`answered` of the delay app/Delay", make: (answered) => withDelay({ answered }) }
]

const guarded = (options: Partial<CircuitBreaker.Options>): AnyResource =>
  Resource.make("user", {
    load: () =>
      Backend.withBreaker(down()).pipe(
        Effect.provide(Backend.layer({ opens: { failures: 9 }, openDuration: "1 second", ...options }))
      )
  })

const cached = (
  options: Partial<ResourceCache.MemoryOptions>,
  load: Effect.Effect<string, "down"> = Effect.succeed("ada")
): AnyResource =>
  Resource.make("user", {
    load: () => Users.get("user", load).pipe(Effect.provide(Users.layer({ timeToLive: "1 minute", ...options })))
  })

class Budget extends Context.Service<Budget, Policy.RetryBudget>()("app/Budget") {}
class Delay extends Context.Service<Delay, Policy.HedgeDelay>()("app/Delay") {}

const withBudget = (given: (granted: Policy.RetryBudget) => Policy.RetryBudget): AnyResource =>
  failing.pipe(
    Policy.retry({ times: 1, budget: Budget }),
    Policy.around("budget", (self) =>
      Effect.provideService(self, Budget, given({ deposit: Effect.void, withdraw: Effect.succeed(true) }))
    )
  )

const withDelay = (given: Partial<Policy.HedgeDelay>): AnyResource =>
  Resource.make("user", { load: () => Effect.delay(Effect.succeed("ada"), 20) }).pipe(
    Policy.hedge({ after: Delay }),
    Policy.around("delay", (self) =>
      Effect.provideService(self, Delay, {
        after: () => Effect.succeed(Duration.millis(5)),
        answered: () => Effect.void,
        ...given
      })
    )
  )

const load = (resource: AnyResource): Effect.Effect<Exit.Exit<unknown, unknown>> =>
  withTime(Effect.exit(Loader.load(Loader.make({ user: resource })))).pipe(
    Effect.provide(Users.layer({ timeToLive: "1 minute" }))
  ) as Effect.Effect<Exit.Exit<unknown, unknown>>

const reasonsOf = (exit: Exit.Exit<unknown, unknown>) => (Exit.isFailure(exit) ? exit.cause.reasons : [])

const defectsOf = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<Error> =>
  reasonsOf(exit).flatMap((reason) => (Cause.isDieReason(reason) ? [reason.defect as Error] : []))

const errorsOf = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<unknown> =>
  reasonsOf(exit).flatMap((reason) => (Cause.isFailReason(reason) ? [(reason.error as { error: unknown }).error] : []))

describe("30. what a user gives is checked where it is used", () => {
  const unhandled: Array<unknown> = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  beforeAll(() => void process.on("unhandledRejection", note))
  afterAll(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    process.off("unhandledRejection", note)
    assert.deepStrictEqual(unhandled, [])
  })

  describe.each(places)("$what", ({ failed, make, owner = 'resource "user"', right = [], what }) => {
    it.effect("whatever comes instead is a defect that names the resource and the place, and says what came", () =>
      Effect.gen(function* () {
        for (const [text, junkOf] of junk) {
          if (right.includes(text)) continue
          const exit = yield* load(make(() => junkOf() as never))
          const [defect, ...others] = defectsOf(exit)
          assert.deepStrictEqual(others, [], text)
          assert.include(defect?.message, `${owner}: ${what} gave ${text} where `)
          assert.include(defect?.message, " was expected")
          assert.deepStrictEqual(errorsOf(exit), failed ? ["down"] : [], text)
          if (text === "a Promise") assert.include(String(defect?.cause), "rejected")
        }
      })
    )

    it.effect("what it throws is a defect, and the load's own failure stays", () =>
      Effect.gen(function* () {
        const exit = yield* load(
          make(() => {
            throw new Error("thrown")
          })
        )
        assert.match(defectsOf(exit)[0]?.message ?? "", /thrown$/)
        assert.deepStrictEqual(errorsOf(exit), failed ? ["down"] : [])
      })
    )
  })

  it.effect("a schedule that throws ends the retries, and the last failure stays", () =>
    Effect.gen(function* () {
      const thrown = (): never => {
        throw new Error("thrown")
      }
      const schedules: ReadonlyArray<Schedule.Schedule<unknown>> = [
        Schedule.forever.pipe(Schedule.map(thrown)),
        Schedule.forever.pipe(Schedule.modifyDelay(thrown)),
        Schedule.forever.pipe(Schedule.while(thrown)),
        Schedule.fromStep(Effect.succeed(thrown)),
        Schedule.fromStep(Effect.sync(thrown)),
        Schedule.recurs(1).pipe(Schedule.modifyDelay(() => Effect.succeed("later" as never)))
      ]
      for (const schedule of schedules) {
        const exit = yield* load(failing.pipe(Policy.retry({ schedule })))
        assert.deepStrictEqual(errorsOf(exit), ["down"])
        assert.strictEqual(defectsOf(exit).length, 1)
      }
    })
  )

  it.effect("a hook that throws, or gives no Effect, is logged, and changes nothing", () =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const logger = Logger.layer([
        Logger.make(({ cause, message }) => logged.push(`${String(message)} ${Cause.pretty(cause)}`))
      ])
      const undone = Resource.make("undone", { load: () => Effect.succeed(1) }).pipe(
        Saga.compensate(() => Effect.fail("cannot"))
      )
      const last = Resource.make("user", { after: [undone], load: down })
      for (const [text, junkOf] of junk) {
        const hooked = (hook: () => Effect.Effect<never>) =>
          Loader.make({ last }, { name: "page", onCompensationFailure: hook }).pipe(Loader.onExit(hook))
        logged.length = 0
        const exit = yield* Effect.exit(Loader.load(hooked(() => junkOf() as never))).pipe(Effect.provide(logger))
        assert.deepStrictEqual([errorsOf(exit), defectsOf(exit)], [["down"], []])
        assert.include(logged[0], `loader "page": \`onCompensationFailure\` gave ${text} where an Effect was expected`)
        assert.include(logged[1], `loader "page": a hook of Loader.onExit gave ${text} where an Effect was expected`)
      }
    })
  )

  it.effect("what undoes, and gives no Effect, is told as a compensation that failed", () =>
    Effect.gen(function* () {
      for (const [text, junkOf] of junk) {
        const told: Array<string> = []
        const give = () => junkOf() as never
        const seat = Resource.make("seat", { load: () => Effect.succeed(1) }).pipe(Saga.compensate(give))
        const last = Resource.make("user", { after: [seat], load: down }).pipe(Saga.cleanup(give))
        const onCompensationFailure = ({ failures }: { readonly failures: ReadonlyArray<Error> }) =>
          Effect.sync(() => void told.push(...failures.map(({ message }) => message)))
        const exit = yield* Effect.exit(Loader.load(Loader.make({ last }, { onCompensationFailure })))
        assert.deepStrictEqual([errorsOf(exit), defectsOf(exit)], [["down"], []])
        assert.include(told[0], `resource "user": \`cleanup\` gave ${text} where an Effect was expected`)
        assert.include(told[1], `resource "seat": \`compensate\` gave ${text} where an Effect was expected`)
      }
    })
  )

  const declarations: ReadonlyArray<readonly [what: string, declare: (junk: never) => unknown]> = [
    ['Resource.make("user"): `load`', (load) => Resource.make("user", { load })],
    ['Resource.make("user"): `key`', (key) => Resource.make("user", { load: down, key })],
    ['Resource.forEach("user"): `items`', (items) => Resource.forEach("user", { items, load: down })],
    ['Resource.forEach("user"): `load`', (load) => Resource.forEach("user", { items: () => [1], load })],
    ['Resource.fromRequest("user"): `request`', (request) => Resource.fromRequest("user", { request, resolver })],
    [
      'Resource.forEachRequest("user"): `items`',
      (items) => Resource.forEachRequest("user", { items, request: () => new GetUser({ id: 1 }), resolver })
    ],
    ['Resource.map("user"): `f`', (f) => Resource.map(user, f)],
    ['Resource.catch("user"): `f`', (f) => Resource.catch(failing, f)],
    ['Resource.catchCause("user"): `f`', (f) => Resource.catchCause(failing, f)],
    ['Policy.around("mine"): `f`', (f) => Policy.around("mine", f)],
    ['Policy.retry("options"): `while`', (f) => Policy.retry({ times: 1, while: f })],
    ['Policy.retry("options"): `retryAfter`', (f) => Policy.retry({ times: 1, retryAfter: f })],
    ['Saga.abortIf("when"): `when`', (f) => Saga.abortIf(f)],
    ['Saga.compensate("f"): `f`', (f) => Saga.compensate(f)],
    ['Saga.cleanup("f"): `f`', (f) => Saga.cleanup(f)],
    ['Loader.onExit("page"): `hook`', (f) => Loader.onExit(Loader.make({ user }, { name: "page" }), f)],
    ['Observer.observe("onEvent"): `onEvent`', (f) => Observer.observe(Effect.void, f)],
    ['Observer.layer("onEvent"): `onEvent`', (f) => Observer.layer(f)]
  ]
  it.each(declarations)("%s must be a function, or declaring throws", (what, declare) => {
    for (const [text, junkOf] of junk) {
      const value = junkOf()
      if (
        typeof value === "function" ||
        (value === undefined && !/load|items|request|`f`|when|hook|onEvent/.test(what))
      )
        continue
      if (value === undefined && what.includes("Policy.retry")) continue
      void Promise.resolve(text === "a Promise" ? value : undefined).catch(() => {})
      assert.throws(() => declare(value as never), `${what} must be a function, got ${text}`)
    }
  })

  it("after the options of a constructor comes only what undoes, or declaring throws", () => {
    const request = () => new GetUser({ id: 1 })
    const items = () => [1]
    const declare = {
      make: (undo: never) => Resource.make("user", { load: down }, undo),
      forEach: (undo: never) => Resource.forEach("user", { items, load: down }, undo),
      fromRequest: (undo: never) => Resource.fromRequest("user", { request, resolver }, undefined, undo),
      forEachRequest: (undo: never) => Resource.forEachRequest("user", { items, request, resolver }, undefined, undo)
    }
    for (const [name, using] of Object.entries(declare)) {
      for (const [text, junkOf] of junk) {
        const value = junkOf()
        if (value === undefined) continue
        void Promise.resolve(text === "a Promise" ? value : undefined).catch(() => {})
        const wants = "after the options come only Saga.compensate(...) and Saga.cleanup(...)"
        assert.throws(() => using(value as never), `Resource.${name}("user"): ${wants}, got ${text}`)
      }
    }
  })

  it("what is no layer, no duration and no function is refused where it is declared", () => {
    class Port extends Context.Service<Port, number>()("app/Port") {}
    const refused: ReadonlyArray<
      readonly [what: string, right: ReadonlyArray<string>, declare: (junk: never) => unknown]
    > = [
      ['Resource.fromLayer("port"): `layer`', ["a Layer"], (layer) => Resource.fromLayer("port", Port, layer)],
      ['Fake("user"): `takes`', ["undefined", "the number 7", "a bigint"], (takes) => Fake.delay("user", takes, 1)],
      [
        'option "onCompensationFailure": expected a function, got ',
        ["undefined", "a function", "an async function", "a generator function"],
        (onCompensationFailure) => Loader.make({ user }, { onCompensationFailure })
      ]
    ]
    for (const [what, right, declare] of refused) {
      for (const [text, junkOf] of junk) {
        const value = junkOf()
        if (value instanceof Promise) value.catch(() => {})
        if (right.includes(text)) continue
        assert.throws(() => declare(value as never), what, text)
      }
    }
  })

  it.effect("an observer that gives anything else is logged once a run, and changes nothing", () =>
    Effect.gen(function* () {
      for (const option of ["watch", "within", "undoing"] as const) {
        for (const [text, junkOf] of junk) {
          if (text === "undefined" && option === "watch") continue
          const told: Array<string> = []
          const logger = Logger.layer([Logger.make(({ cause }) => told.push(Cause.pretty(cause)))])
          const undone = Resource.make("undone", { load: () => Effect.succeed(1) }).pipe(
            Saga.compensate(() => Effect.void)
          )
          const last = Resource.make("user", { after: [undone], load: down })
          const watcher = { onEvent: () => {}, [option]: junkOf as never }
          const watch = () => (option === "watch" ? (junkOf() as never) : watcher)
          const observed = Layer.merge(Observer.layerWatch(Effect.succeed(watch)), logger)
          const exit = yield* Effect.exit(Loader.load(Loader.make({ last }))).pipe(Effect.provide(observed))
          assert.deepStrictEqual([errorsOf(exit), defectsOf(exit)], [["down"], []], text)
          assert.strictEqual(told.length, 1)
          const place = option === "watch" ? "its function" : `\`${option}\``
          assert.include(told[0], `an observer: ${place} gave ${text} where `)
        }
      }
    })
  )

  it.effect("lists are arrays and iterables; an iterator that can be read once is read once", () =>
    Effect.gen(function* () {
      const listOf = (items: () => Iterable<number>) =>
        Resource.forEach("list", { items: () => items(), load: Effect.succeed })
      const lists: ReadonlyArray<() => Iterable<number>> = [
        () => [1, 2],
        () => new Set([1, 2]),
        () =>
          new Map([
            [1, 1],
            [2, 2]
          ]).keys(),
        () => Uint8Array.of(1, 2),
        function* () {
          yield 1
          yield 2
        }
      ]
      for (const items of lists)
        assert.deepStrictEqual(yield* Loader.load(Loader.make({ list: listOf(items) })), { list: [1, 2] })
      for (const items of lists) {
        const rows = Resource.make("rows", { load: () => Effect.sync(items) })
        let tries = 0
        const first = Resource.forEach("first", {
          deps: { rows },
          items: ({ rows }) => rows,
          load: (n) => Effect.suspend(() => (++tries === 1 ? Effect.fail("busy") : Effect.succeed(n)))
        }).pipe(Policy.retry({ times: 1 }))
        const second = Resource.forEach("second", { deps: { rows }, items: ({ rows }) => rows, load: Effect.succeed })
        assert.deepStrictEqual(yield* Loader.load(Loader.make({ first, second })), { first: [1, 2], second: [1, 2] })
      }
    })
  )

  it.effect("an iterator that throws, or has no end, is a defect at each attempt", () =>
    Effect.gen(function* () {
      const broken = (function* () {
        yield 1
        throw new Error("cut off")
      })()
      for (let k = 0; k < 2; k++) {
        const exit = yield* load(Resource.forEach("user", { items: () => broken, load: Effect.succeed }))
        assert.deepStrictEqual(
          defectsOf(exit).map(({ message }) => message),
          ["cut off"]
        )
      }
      const endless = function* () {
        for (;;) yield 1
      }
      const exit = yield* load(Resource.forEach("user", { items: endless, load: Effect.succeed }))
      assert.include(defectsOf(exit)[0]?.message, 'resource "user": `items` has not ended after 1000000 items')
    })
  )

  it.effect("retryAfter takes durations with a unit, instants, and nothing", () =>
    Effect.gen(function* () {
      const right: ReadonlyArray<readonly [Policy.RetryAfter, number]> = [
        ["1 second", 1000],
        [Duration.millis(5), 5],
        [null, 0],
        [undefined, 0],
        [new Date(3000), 3000],
        [new Date(-3000), 0],
        [Policy.retryAfterHeader("120"), 120_000],
        [Policy.retryAfterHeader("Thu, 01 Jan 1970 00:00:09 GMT"), 9000],
        [Policy.retryAfterHeader("-5"), 0],
        [Policy.retryAfterHeader("soon"), 0],
        [Policy.retryAfterHeader(""), 0],
        [Policy.retryAfterHeader(null), 0]
      ]
      for (const [after, pause] of right) {
        let tries = 0
        const flaky = Resource.make("user", {
          load: () => Effect.suspend(() => (++tries === 1 ? Effect.fail("busy") : Clock.currentTimeMillis))
        }).pipe(Policy.retry({ times: 1, retryAfter: () => after }))
        const exit = yield* load(flaky)
        assert.deepStrictEqual(exit, Exit.succeed({ user: pause }))
      }
      for (const wrong of [
        1,
        0,
        NaN,
        -5,
        1n,
        new Date(NaN),
        { second: 1 },
        Promise.resolve(1),
        Duration.infinity,
        Duration.millis(-1),
        "1",
        "",
        {}
      ]) {
        const exit = yield* load(failing.pipe(Policy.retry({ times: 1, retryAfter: () => wrong as never })))
        assert.deepStrictEqual(errorsOf(exit), ["down"])
        assert.include(defectsOf(exit)[0]?.message, 'resource "user": `retryAfter` of retry(1) gave ')
      }
    })
  )

  it.effect("a value that is a function is given by withValues as it is, and otherwise in an Effect", () =>
    Effect.gen(function* () {
      type Can = (action: string) => boolean
      const can = Resource.make("can", { load: () => Effect.succeed<Can>((action) => action === "read") })
      class Page extends Loader.Service<Page>()("app/Can", { can }) {}
      const everything: Can = () => true
      const page = Loader.make({ can })
      const given = Loader.withValues(page, { can: everything })
      const overridden = Loader.override(page, can, Effect.succeed(everything))
      const named = Loader.override(page, can, Resource.succeed("can", everything))
      const loads = [Loader.load(given), Loader.load(overridden), Loader.load(named)]
      for (const load of loads) assert.isTrue((yield* load).can("delete"))
      const inTest = Page.load().pipe(Effect.provide(Page.layerTest({ can: Effect.succeed(everything) })))
      assert.isTrue((yield* inTest).can("delete"))
      // @ts-expect-error -- a bare function would be called
      const bare = Loader.override(page, can, everything)
      const exit = yield* Effect.exit(Loader.load(bare))
      assert.include(defectsOf(exit)[0]?.message, "a value that is a function is given as Effect.succeed(f)")
      // @ts-expect-error -- a bare function would be called
      Page.layerTest({ can: everything })
    })
  )

  it("texts, Effects and promises are no lists to the compiler", () => {
    const load = () => Effect.void
    const declared: ReadonlyArray<unknown> = [
      // @ts-expect-error -- a text is one value
      Resource.forEach("list", { items: () => "abc", load }),
      // @ts-expect-error -- an Effect is to be loaded before
      Resource.forEach("list", { items: () => Effect.succeed([1]), load }),
      // @ts-expect-error -- a promise is to be loaded before
      Resource.forEach("list", { items: () => Promise.resolve([1]), load })
    ]
    assert.isTrue(declared.every(Resource.isResource))
  })
})
