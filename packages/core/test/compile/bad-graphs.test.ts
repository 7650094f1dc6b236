/** Bad graphs, and the exact words in which they are refused. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { GraphError, Loader, Policy, Resource } from "effect-loader"

const load = () => Effect.succeed(1)

/** For graphs that the types alone would refuse: what a program that goes around them gets. */
const untyped = (value: unknown) => value as Resource.Resource<"untyped", number>

type Number<N extends string> = Resource.Resource<N, number>

const refused = (targets: Resource.Deps, options?: Loader.Options): GraphError => {
  const compiled = Loader.compile(targets, options)
  return Result.isFailure(compiled) ? compiled.failure : assert.fail("the graph was accepted")
}

const problem = (line: string): string => `1 problem in the graph of loader "anonymous":\n  - ${line}`

describe("a bad graph is refused with everything that is wrong with it", () => {
  it("at the line that makes the loader: the stack begins there", () => {
    const makeAPage = () => Loader.make({ page: untyped(1) })
    let thrown: unknown
    try {
      makeAPage()
    } catch (error) {
      thrown = error
    }
    assert.instanceOf(thrown, GraphError)
    const { message, stack = "" } = thrown
    assert.strictEqual(stack.slice(0, stack.indexOf("\n    at ")), `GraphError: ${message}`)
    assert.match(stack.slice(stack.indexOf("\n    at ")), /^\n    at makeAPage \(.*bad-graphs\.test\.ts/)
  })

  it("a cycle, with its path", () => {
    const a: Number<"a"> = Resource.make("a", { deps: () => ({ b }), load })
    const b: Number<"b"> = Resource.make("b", { after: () => [c], load })
    const c: Number<"c"> = Resource.make("c", { deps: () => ({ again: a.pipe(Resource.option) }), load })
    assert.strictEqual(
      refused({ a }).message,
      problem("cycle: a -> b -> c -> a; each of these waits for the next, so none could ever start")
    )
  })

  it("a resource that waits for itself, or for a view of itself", () => {
    const self: Number<"self"> = Resource.make("self", { deps: () => ({ self }), load })
    const seen: Number<"seen"> = Resource.make("seen", {
      deps: () => ({ seen: seen.pipe(Resource.map(String)) }),
      load
    })
    for (const [targets, name] of [
      [{ self }, "self"],
      [{ seen }, "seen"],
      [{ v: seen.pipe(Resource.option) }, "seen"]
    ] as const) {
      assert.deepStrictEqual(refused(targets).issues, [{ _tag: "Cycle", path: [name, name] }])
    }
  })

  it("a cycle through a case, or through what decides", () => {
    const on = Resource.input<"x" | "y">()("on")
    const other = Resource.make("other", { load })
    const a: Number<"a"> = Resource.make("a", { deps: () => ({ choice }), load })
    const choice: Number<"choice"> = untyped(Resource.match("choice", { on, cases: { x: a, y: other } })) as never
    assert.deepStrictEqual(refused({ choice }).issues, [{ _tag: "Cycle", path: ["choice", "a", "choice"] }])
  })

  it("a choice between things that are no resources", () => {
    const on = Resource.input<"x">()("on")
    const choice = Resource.match("choice", { on, cases: { x: untyped(1) }, orElse: untyped("text") })
    const undecided = Resource.match("undecided", { on: untyped({}) as never, cases: {}, orElse: on })
    assert.strictEqual(
      refused({ choice, undecided }).message,
      [
        '3 problems in the graph of loader "anonymous":',
        '  - case "x" of "choice" is not a resource but 1',
        '  - `orElse` of "choice" is not a resource but text',
        '  - `on` of "undecided" is not a resource but an object'
      ].join("\n")
    )
  })

  it("a policy on a choice, which does no work of its own", () => {
    const on = Resource.input<"x">()("on")
    const choice = Resource.match("choice", { on, cases: { x: Resource.make("x", { load }) } }).pipe(
      Policy.timeout("1 second")
    )
    assert.strictEqual(
      refused({ choice }).message,
      problem('misplaced policy "timeout(1s)" on "choice": a choice does no work of its own: pipe it onto the cases')
    )
  })

  it("a shared name, also among the cases of a choice", () => {
    const on = Resource.input<"x" | "y">()("on")
    const choice = Resource.match("choice", {
      on,
      cases: { x: Resource.make("same", { load }), y: Resource.make("same", { load }) }
    })
    assert.strictEqual(
      refused({ choice }).message,
      problem(
        'duplicate name "same": 2 different resources have it, used by "choice" (for x); and by "choice" (for y); rename all but one; if there is only one, its module was evaluated twice (by a hot reload, or as two copies)'
      )
    )
  })

  it("each cycle of several", () => {
    const a: Number<"a"> = Resource.make("a", { deps: () => ({ b }), load })
    const b: Number<"b"> = Resource.make("b", { deps: () => ({ a, c }), load })
    const c: Number<"c"> = Resource.make("c", { deps: () => ({ b }), load })
    assert.deepStrictEqual(refused({ a }).issues, [
      { _tag: "Cycle", path: ["a", "b", "a"] },
      { _tag: "Cycle", path: ["b", "c", "b"] }
    ])
  })

  it("a long cycle, shortened in the message and whole in the issue", () => {
    const all: Array<Number<string>> = []
    for (let i = 0; i < 30; i++) all.push(Resource.make(`r${i}`, { deps: () => ({ next: all[(i + 1) % 30]! }), load }))
    const error = refused({ first: all[0]! })
    assert.strictEqual(
      error.message,
      problem(
        "cycle: r0 -> r1 -> r2 -> r3 -> r4 -> r5 -> ... 19 more ... -> r25 -> r26 -> r27 -> r28 -> r29 -> r0; " +
          "each of these waits for the next, so none could ever start"
      )
    )
    assert.strictEqual(error.issues[0]?._tag === "Cycle" ? error.issues[0].path.length : 0, 31)
  })

  it("more problems than anybody reads: all are issues, and the message counts what it leaves out", () => {
    const all: Array<Number<string>> = []
    for (let i = 0; i < 40; i++) {
      all.push(Resource.make(`r${i}`, { deps: () => Object.fromEntries(all.map((r, k) => [`d${k}`, r])), load }))
    }
    const error = refused({ first: all[0]! })
    // Each with itself, and each with each other.
    assert.strictEqual(error.issues.length, 40 + (40 * 39) / 2)
    const lines = error.message.split("\n")
    assert.deepStrictEqual(
      [lines[0], lines.length, lines.at(-1)],
      ['820 problems in the graph of loader "anonymous":', 52, "  ... and 770 more"]
    )
  })

  it("names, paths, lists and texts of any length, in a message of at most 15,000 characters", () => {
    const long = "n".repeat(20_000)
    const hostile = Resource.make(long, { deps: { [long]: untyped(long) }, after: [untyped(undefined)], load })
    const ring: Array<Number<string>> = []
    for (let i = 0; i < 20_000; i++) {
      ring.push(Resource.make(long, { deps: () => ({ next: ring[(i + 1) % 20_000]! }), load }))
    }
    const throwing = Resource.make("throwing", {
      deps: (): Resource.Deps => {
        throw new Error(long)
      },
      load
    })
    const many = Array.from({ length: 200 }, (_, i) => [`${long}${i}`, Resource.make("same", { load })] as const)
    const inside = Resource.fromLoader("inside", (() => {
      throw new GraphError({
        loader: long,
        issues: Array.from({ length: 1_000 }, () => ({ _tag: "DuplicateTarget", key: long }))
      })
    }) as never)
    const options = { name: long, timeout: long } as Loader.Options
    for (const targets of [
      { hostile },
      { ring: ring[0]! },
      { throwing },
      { inside },
      Object.fromEntries(many),
      { hostile, ring: ring[0]!, throwing, inside, ...Object.fromEntries(many) }
    ]) {
      const { message } = refused(targets, options)
      assert.isBelow(message.length, 15_000)
      assert.match(message, /characters more|and \d+ more/)
    }
  })

  it("what is no resource, with the resource and the key that it was given to, as fields", () => {
    const broken = Resource.make("broken", { deps: { gone: untyped(undefined) }, after: [untyped(7)], load })
    const choice = Resource.match("choice", {
      on: untyped(null) as never,
      cases: { x: untyped("x") } as never,
      orElse: untyped(1)
    })
    const places = refused({ broken, choice, nothing: untyped({}) }).issues
    assert.deepStrictEqual(places, [
      { _tag: "NotAResource", place: "dependency", resource: "broken", key: "gone", value: "undefined" },
      { _tag: "NotAResource", place: "after", resource: "broken", key: "0", value: "7" },
      { _tag: "NotAResource", place: "on", resource: "choice", value: "null" },
      { _tag: "NotAResource", place: "case", resource: "choice", key: "x", value: "x" },
      { _tag: "NotAResource", place: "orElse", resource: "choice", value: "1" },
      { _tag: "NotAResource", place: "target", key: "nothing", value: "an object" }
    ])
  })

  it("a name that two resources have, with where each is used", () => {
    const one = Resource.make("org", { load })
    const other = Resource.make("org", { load })
    const x = Resource.make("x", { deps: { mine: one }, after: [other], load })
    assert.strictEqual(
      refused({ x, other }).message,
      problem(
        'duplicate name "org": 2 different resources have it, used by "x" (as mine); and by target "other", "x" (in after); ' +
          "rename all but one; if there is only one, its module was evaluated twice (by a hot reload, or as two copies)"
      )
    )
  })

  it("one declaration with different policies", () => {
    const org = Resource.make("org", { load })
    const users = ["u1", "u2", "u3", "u4"].map((name) => Resource.make(name, { deps: { org }, load }))
    const [u1, u2, u3, u4] = users as [Number<"u">, Number<"u">, Number<"u">, Number<"u">]
    const hasty = org.pipe(Policy.timeout("1 second"))
    assert.strictEqual(
      refused({ u1, u2, u3, u4, hasty, again: org.pipe(Policy.retry({ times: 1 })) }).message,
      problem(
        'duplicate name "org": 3 different resources have it, used by "u1" (as org), "u2" (as org), "u3" (as org) and 1 more; ' +
          'and by target "hasty"; and by target "again"; ' +
          "they are the same declaration, different policies: pipe once and use that value everywhere"
      )
    )
  })

  it("policies that can have no effect", () => {
    const id = Resource.input<number>()("id").pipe(Policy.timeout("1 second"))
    const one = Resource.succeed("one", 1).pipe(Policy.timeout("1 second"))
    const both = Resource.struct("both", { id }).pipe(Resource.map(String), Policy.retry({ times: 1 }))
    const late = Resource.make("late", { load }).pipe(Resource.option({ ancestors: true }), Policy.timeout("1 second"))
    assert.strictEqual(
      refused({ both, one, late }).message,
      [
        '4 problems in the graph of loader "anonymous":',
        '  - misplaced policy "timeout(1s)" on "id": an input is given, not loaded',
        '  - misplaced policy "retry(1)" on "both": a struct does no work of its own: pipe it onto the struct\'s members',
        '  - misplaced policy "timeout(1s)" on "one": a constant is there from the start',
        '  - misplaced policy "timeout(1s)" on "late": after option({ ancestors: true }) nothing of it is left to fail: ' +
          "pipe policies before the option"
      ].join("\n")
    )
  })

  it("what is no resource, no name, or no option", () => {
    const broken = Resource.make("broken", {
      deps: { gone: untyped(undefined), text: untyped("text"), f: untyped(() => 1), o: untyped({}), n: untyped(null) },
      after: [untyped(7)],
      load
    })
    const early = Resource.make("early", {
      deps: (): { readonly x: Number<"x"> } => {
        throw new ReferenceError("x is not initialized")
      },
      load
    })
    const nameless = Resource.make("", { load })
    const options = { name: "page", concurrency: 0, scheduling: "lazy", timeout: "soon" } as unknown as Loader.Options
    assert.strictEqual(
      refused({ broken, early, nameless, nothing: untyped(undefined) }, options).message,
      [
        '12 problems in the graph of loader "page":',
        '  - option "concurrency": expected a whole number from 1, or "unbounded", got 0',
        '  - option "scheduling": expected "eager" or "batched", got lazy',
        '  - option "timeout": expected a duration of 0 or more, got soon',
        '  - dependency "gone" of "broken" is not a resource but undefined; if it is declared later, give the dependencies as a function',
        '  - dependency "text" of "broken" is not a resource but text',
        '  - dependency "f" of "broken" is not a resource but a function',
        '  - dependency "o" of "broken" is not a resource but an object',
        '  - dependency "n" of "broken" is not a resource but null',
        '  - an entry in `after` of "broken" is not a resource but 7',
        '  - the dependencies of "early" could not be read: ReferenceError: x is not initialized',
        '  - a resource (load) cannot be called "": names and keys are strings, not empty and not "__proto__"',
        '  - target "nothing" is not a resource but undefined; if it is declared later, give the dependencies as a function'
      ].join("\n")
    )
  })

  it("keys that would lose their values, and dependencies that are none", () => {
    const one = Resource.succeed("one", 1)
    const odd = Resource.make("odd", { deps: { ["__proto__"]: one, [Symbol("s")]: one } as Resource.Deps, load })
    const empty = Resource.make("empty", {
      deps: () => undefined as unknown as Resource.Deps,
      after: () => [untyped(7)],
      load
    })
    const getter = {
      get gone(): Number<"gone"> {
        throw new Error("not yet")
      }
    }
    assert.strictEqual(
      refused({ odd, empty }).message,
      [
        '4 problems in the graph of loader "anonymous":',
        '  - a key of "odd" cannot be called Symbol(s): names and keys are strings, not empty and not "__proto__"',
        '  - a key of "odd" cannot be called "__proto__": names and keys are strings, not empty and not "__proto__"',
        '  - the dependencies of "empty" could not be read: TypeError: an object of resources was expected, by local key, and undefined came',
        '  - an entry in `after` of "empty" is not a resource but 7'
      ].join("\n")
    )
    assert.strictEqual(
      refused(getter).message,
      problem('the dependencies of "targets" could not be read: Error: not yet')
    )
  })

  it("Loader.make throws it", () => {
    const self: Number<"self"> = Resource.make("self", { deps: () => ({ self }), load })
    assert.throws(() => Loader.make({ self }), GraphError, /cycle: self -> self/)
  })
})

describe("a policy that cannot be", () => {
  it("a retry without an end, or with an impossible one, is refused where it is made", () => {
    assert.throws(() => Policy.retry({} as { readonly times: number }), /needs `times` or `schedule`/)
    assert.throws(() => Policy.retry({ times: -1 }), /must be 0 or more, got -1/)
    assert.throws(() => Policy.retry({ times: Number.NaN }), /must be 0 or more, got NaN/)
  })
})

describe("sound graphs", () => {
  it("no resources at all load to nothing", () => {
    assert.deepStrictEqual(Effect.runSync(Loader.load(Loader.make({}))), {})
  })

  it("100,000 resources in a chain compile without recursion", () => {
    let last: Number<string> = Resource.make("r0", { load })
    for (let i = 1; i < 100_000; i++) last = Resource.make(`r${i}`, { deps: { before: last }, load })
    const plan = Loader.plan(Loader.make({ last }))
    assert.strictEqual(plan.batches.length, 100_000)
    assert.strictEqual(plan.resources[0]?.rank, 100_000)
  })

  it("the same resource under several keys and targets is one", () => {
    const a = Resource.make("a", { load })
    const b = Resource.make("b", { deps: { x: a, y: a }, after: [a], load: ({ x, y }) => Effect.succeed(x + y) })
    const loader = Loader.make({ one: b, two: b })
    assert.deepStrictEqual(Effect.runSync(Loader.load(loader)), { one: 2, two: 2 })
    assert.deepStrictEqual(
      Loader.plan(loader).resources.map(({ name }) => name),
      ["a", "b"]
    )
  })
})
