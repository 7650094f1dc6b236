/** The programs whose size is measured, as a user would write them. */

/** Namespaces from the core entry, which rolldown shakes; or one module each, for bundlers that keep a namespace whole. */
export type Imports = "namespaces" | "modules"

export interface Program {
  readonly name: string
  readonly source: (imports: Imports) => string
}

const importsOf = (imports: Imports, names: ReadonlyArray<string>): string => {
  if (imports === "modules") {
    return [
      'import * as Effect from "effect/Effect"',
      ...names.map((name) => `import * as ${name} from "effect-loader/${name}"`)
    ].join("\n")
  }
  const ours = names.length === 0 ? "" : `\nimport { ${names.join(", ")} } from "effect-loader"`
  return `import { Effect } from "effect"${ours}`
}

const runsAnEffect: Program = {
  name: "runs an effect, nothing of ours",
  source: (imports) => `${importsOf(imports, [])}
Effect.runPromise(Effect.succeed(1)).then(console.log)`
}

/** Dependencies, an input, views, and the two options of `Loader.make` that need code in the scheduler. */
const page = (policies: string): string => `
const userId = Resource.input()("userId")
const user = Resource.make("user", {
  deps: { userId },
  load: ({ userId }) => (userId < 0 ? Effect.fail("no such user") : Effect.succeed({ id: userId, name: "Ada" }))
})${policies}
const orders = Resource.make("orders", { deps: { user }, load: ({ user }) => Effect.succeed([user.id]) })
const name = user.pipe(
  Resource.map((user) => user.name),
  Resource.catch(() => Effect.succeed("unknown"))
)
const page = Loader.make({ name, orders }, { concurrency: 4, scheduling: "batched" })
Effect.runPromise(Loader.load(page, { userId: 7 })).then(console.log)`

export const declaresAndLoads: Program = {
  name: "declares and loads",
  source: (imports) => importsOf(imports, ["Loader", "Resource"]) + page("")
}

const withPolicies: Program = {
  name: "the same with timeout and retry",
  source: (imports) =>
    importsOf(imports, ["Loader", "Policy", "Resource"]) +
    page('.pipe(Policy.timeout("1 second"), Policy.retry({ times: 2 }))')
}

const wholeEntry: Program = {
  name: "everything in the core entry",
  source: () => 'import * as everything from "effect-loader"\nglobalThis.everything = everything'
}

export const programs: ReadonlyArray<Program> = [runsAnEffect, declaresAndLoads, withPolicies, wholeEntry]
