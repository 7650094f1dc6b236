/** The floors of core: which folder may import which. Read from the imports themselves. */
import { describe, expect, it } from "vitest"
import * as fs from "node:fs"
import * as path from "node:path"

const src = path.resolve(import.meta.dirname, "../src")

const machines = ["limiter", "batching", "cache"]
const model = ["model", ...machines, "base"]
const compile = ["compile", ...model]
const run = ["run", ...compile]
const attempt = ["attempt", ...run]
/** Features: each knows attempts, and none of the others. */
const features = ["choice", "nested", "permits", "request", "undo", "watch"]
const belowLoader = [...features, ...attempt]
const belowEntries = ["observe", "loader", "list", "policy", ...belowLoader]

/** What each folder may import, itself included; the files on top join the floors for users. */
const floors: Record<string, ReadonlyArray<string>> = {
  base: ["base"],
  batching: ["batching", "base"],
  cache: ["cache", "base"],
  limiter: ["limiter", "base"],
  model,
  compile,
  run,
  attempt,
  ...Object.fromEntries(features.map((feature) => [feature, [feature, ...attempt]])),
  list: ["list", "request", "undo", ...attempt],
  policy: ["policy", ...attempt],
  loader: ["loader", ...belowLoader],
  observe: ["observe", "watch", ...compile],
  testing: ["testing", ...belowEntries],
  internal: ["internal", "testing", ...belowEntries],
  // Entries of their own, each with what it needs beyond stable modules of effect.
  persistence: ["persistence", "cache", "base"],
  wire: ["wire", "observe", "watch", ...compile],
  diagram: ["diagram", "observe", "watch", ...compile],
  node: ["node", "limiter", "base"],
  resilience: ["resilience", "policy", "attempt", ...model],
  sql: ["sql", "loader", "undo", ...compile],
  "": ["", ...belowEntries]
}

/** All that `run` imports from other folders. Whatever else a run needs plugs in by an extension. */
const ofRun = [
  "base/AsyncContext.ts",
  "base/Fork.ts",
  "base/Heap.ts",
  "base/Nesting.ts",
  "base/NotNow.ts",
  "base/RunLocal.ts",
  "compile/Hot.ts",
  "compile/Path.ts",
  "compile/Program.ts",
  "model/Absent.ts",
  "model/Extension.ts",
  "model/Node.ts",
  "model/Recovery.ts",
  "model/ResourceError.ts",
  "model/Step.ts",
  "model/UserEffect.ts"
]

/** The folders that import each feature; "" are the module entries. */
const knowing: Record<string, ReadonlyArray<string>> = {
  choice: [""],
  nested: ["loader"],
  permits: [""],
  request: ["", "list", "loader", "testing"],
  undo: ["", "list", "loader", "sql"],
  // Events and timelines: what everything made from events reads.
  watch: ["", "diagram", "internal", "loader", "observe", "testing", "wire"]
}

/** What only single entries may import, beside stable modules of effect. */
const ownImportsOf: Record<string, RegExp> = {
  persistence: /^effect\/persistence\/Persistence$/,
  node: /^node:perf_hooks$/,
  resilience: /^effect\/persistence\/(CircuitBreaker|RateLimiter)$/,
  testing: /^effect\/testing$/,
  sql: /^effect\/sql$/
}

/** What of effect only single entries may import. */
const ownModulesOf: Record<string, ReadonlyArray<string>> = {
  persistence: ["Schema"],
  wire: ["Schema", "SchemaGetter", "SchemaIssue", "SchemaTransformation"],
  diagram: ["Graph"]
}

/** The modules of `effect` that core uses, each marked stable there. */
const stable = [
  "Cause",
  "Clock",
  "Context",
  "Data",
  "Duration",
  "Effect",
  "Equal",
  "Exit",
  "Fiber",
  "Function",
  "Hash",
  "Layer",
  "Option"
]
const alsoStable = [
  "Latch",
  "LogLevel",
  "Metric",
  "MutableHashMap",
  "Random",
  "Redacted",
  "Pipeable",
  "References",
  "Request",
  "RequestResolver",
  "Result",
  "Schedule",
  "Scope",
  "Tracer"
]

const files = fs.globSync("**/*.ts", { cwd: src })

/** The text of a file, without its comments. */
const codeOf = (file: string): string => fs.readFileSync(path.join(src, file), "utf8").replaceAll(/\/\*.*?\*\//gs, "")

const importsOf = (file: string): ReadonlyArray<{ readonly names: string; readonly from: string }> =>
  [...codeOf(file).matchAll(/^(?:import|export) ((?:type )?(?:\*|\{|\w)[^"]*?) ?from "([^"]+)"$/gms)].map(
    ([, names, from]) => ({ names: names!, from: from! })
  )

/** The imports of code, not those of examples in comments. */
const ownImports = files.flatMap((file) =>
  importsOf(file)
    .filter(({ from }) => !from.startsWith("effect-loader"))
    .map((imported) => ({ file, ...imported }))
)

/** Public types that a user imports from two modules: `Resource.Success` and `Loader.Success`, both `RetryBudget`s... */
const sharedTypeNames = ["Input", "RetryBudget", "Services", "Success"]

const floorOf = (file: string): string => (path.dirname(file) === "." ? "" : path.dirname(file).split(path.sep)[0]!)

describe("the floors of core", () => {
  it("arrows point down: nothing imports upward, policy and compile never meet", () => {
    const upward = ownImports.flatMap(({ file, from }) => {
      if (!from.startsWith(".")) return []
      const target = floorOf(path.join(path.dirname(file), from))
      return floors[floorOf(file)]!.includes(target) ? [] : [`${file} -> ${from}`]
    })
    expect(upward).toEqual([])
  })

  it("a run knows no feature: these modules, and slots only where it is set up", () => {
    const imported = ownImports.filter(({ file, from }) => floorOf(file) === "run" && from.startsWith("../"))
    expect(Array.from(new Set(imported.map(({ from }) => from.slice("../".length)))).toSorted()).toEqual(ofRun)
    const makers = ownImports.filter(
      ({ file, from, names }) => floorOf(file) === "run" && from === "./Slots.ts" && !names.startsWith("type ")
    )
    expect(makers.map(({ file }) => file)).toEqual([path.join("run", "Execution.ts")])
  })

  it("a feature is imported by the folders named for it, and by no other", () => {
    const known = Object.fromEntries(
      features.map((feature) => {
        const importing = ownImports.filter(
          ({ file, from }) =>
            from.startsWith(".") &&
            floorOf(path.join(path.dirname(file), from)) === feature &&
            floorOf(file) !== feature
        )
        return [feature, Array.from(new Set(importing.map(({ file }) => floorOf(file)))).toSorted()]
      })
    )
    expect(known).toEqual(knowing)
  })

  it("there are no circles among files, but for types that define each other in one folder", () => {
    const edges = new Map<string, Array<string>>()
    for (const { file, from, names } of ownImports) {
      if (!from.startsWith(".")) continue
      const imported = path.join(path.dirname(file), from)
      if (names.startsWith("type ") && floorOf(file) === floorOf(imported)) continue
      edges.set(file, [...(edges.get(file) ?? []), imported])
    }
    const done = new Set<string>()
    const visit = (file: string, way: ReadonlyArray<string>): void => {
      expect(way, "a circle of imports").not.toContain(file)
      if (done.has(file)) return
      for (const next of edges.get(file) ?? []) visit(next, [...way, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    expect(done.size).toBe(files.length)
  })

  it("each namespace of the core entry is a module entry of its own", () => {
    const namespaces = [
      ...fs.readFileSync(path.join(src, "index.ts"), "utf8").matchAll(/^export \* as (\w+) from "(.+)"$/gm)
    ]
    expect(namespaces.length).toBeGreaterThan(10)
    const { exports } = JSON.parse(fs.readFileSync(path.join(src, "../package.json"), "utf8"))
    for (const [, name, from] of namespaces) {
      expect(from).toBe(`./${name}.ts`)
      expect(exports).toHaveProperty([`./${name}`], `./src/${name}.ts`)
    }
    const modules = files.filter((file) => floorOf(file) === "" && file !== "index.ts")
    expect(modules.map((file) => file.replace(/\.ts$/, "")).toSorted()).toEqual(
      namespaces.map(([, name]) => name!).toSorted()
    )
  })

  it("core depends only on its peer effect, so that package managers install one copy of core and nothing else", () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(src, "../package.json"), "utf8"))
    expect(Object.keys(manifest.peerDependencies)).toEqual(["effect"])
    expect(manifest).not.toHaveProperty("dependencies")
    expect(manifest).not.toHaveProperty("optionalDependencies")
  })

  it("no exported class is tested by `instanceof`, which fails for objects of another copy of the library", () => {
    const texts = files.map(codeOf)
    const classes = new Set(
      texts.flatMap((text) => [...text.matchAll(/\bexport class (\w+)/g)].map(([, name]) => name))
    )
    const tested = texts.flatMap((text) => [...text.matchAll(/\binstanceof (\w+)/g)].map(([, name]) => name))
    expect(classes.size).toBeGreaterThan(20)
    // A queue asks only for the tenants that it has made itself.
    expect(tested.filter((name) => classes.has(name))).toEqual(["Tenant"])
  })

  it("no two files declare a type of the same name, except `Options` and types of public modules", () => {
    const filesOf = new Map<string, Array<string>>()
    for (const file of files) {
      for (const [, name] of codeOf(file).matchAll(/^(?:export )?(?:abstract )?(?:interface|type|class) (\w+)/gm)) {
        filesOf.set(name!, [...(filesOf.get(name!) ?? []), file])
      }
    }
    const inSeveral = [...filesOf].filter(([name, declaring]) => name !== "Options" && declaring.length > 1)
    expect(inSeveral.map(([name]) => name).toSorted()).toEqual(sharedTypeNames)
  })

  it("core imports only stable modules of effect, and each other entry its own modules besides", () => {
    for (const { file, from } of ownImports) {
      if (from.startsWith(".") || ownImportsOf[floorOf(file)]?.test(from) === true) continue
      // By module: bundlers that cannot shake a namespace then bring no other.
      const allowed = [...stable, ...alsoStable, ...(ownModulesOf[floorOf(file)] ?? [])]
      expect(
        allowed.map((module) => `effect/${module}`),
        file
      ).toContain(from)
    }
  })
})
