/**
 * What types cost: `tsc` on generated programs, a chain of resources in which each can fail with an error of its own.
 * Counted beyond a file that has the same imports and nothing else.
 */
import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { table } from "./table.ts"

export interface TypeCost {
  readonly size: number
  readonly instantiationsEach: number
  readonly checkSeconds: number
}

const imports = `import { Data, Effect } from "effect"
import { Loader, Resource } from "effect-loader"
`

const baseline = `${imports}
export const used = [Data.TaggedError, Effect.succeed, Loader.make, Resource.make]
`

const program = (size: number): string => {
  const lines = [
    'class E0 extends Data.TaggedError("E0")<{}> {}',
    'const r0 = Resource.make("r0", { load: () => (Math.random() < 2 ? Effect.succeed(0) : Effect.fail(new E0())) })'
  ]
  for (let i = 1; i < size; i++) {
    const before = `r${i - 1}`
    lines.push(
      `class E${i} extends Data.TaggedError("E${i}")<{}> {}`,
      `const r${i} = Resource.make("r${i}", {`,
      `  deps: { ${before} },`,
      `  load: ({ ${before} }) => (${before} < 0 ? Effect.fail(new E${i}()) : Effect.succeed(${before} + 1))`,
      "})"
    )
  }
  const last = `r${size - 1}`
  return `${imports}
${lines.join("\n")}
const loader = Loader.make({ ${last} })
export const load: Effect.Effect<{ readonly ${last}: number }, Loader.Error<typeof loader>> = Loader.load(loader)
`
}

const here = fileURLToPath(new URL("..", import.meta.url))
const root = fileURLToPath(new URL("../../..", import.meta.url))

const figure = (output: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+([\\d.]+)`, "m").exec(output)![1])

const check = async (folder: string, source: string) => {
  await writeFile(join(folder, "program.ts"), source)
  const tsc = join(root, "node_modules/.bin/tsc")
  const { stdout } = await promisify(execFile)(
    tsc,
    ["-p", folder, "--extendedDiagnostics", "--singleThreaded", "--incremental", "false"],
    { maxBuffer: 2 ** 26 }
  )
  return { instantiations: figure(stdout, "Instantiations"), seconds: figure(stdout, "Check time") }
}

const inFolder = async <A>(use: (folder: string) => Promise<A>): Promise<A> => {
  // Inside this package, so that `effect` and `effect-loader` are found.
  const folder = await mkdtemp(join(here, ".types-"))
  try {
    const config = { extends: "../../../tsconfig.json", include: ["program.ts"] }
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config))
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

export const measureTypeCost = (isQuick: boolean): Promise<ReadonlyArray<TypeCost>> =>
  inFolder(async (folder) => {
    const nothing = await check(folder, baseline)
    const found: Array<TypeCost> = []
    for (const size of isQuick ? [30, 300] : [30, 300, 1000]) {
      const { instantiations, seconds } = await check(folder, program(size))
      found.push({
        size,
        instantiationsEach: (instantiations - nothing.instantiations) / size,
        checkSeconds: Math.max(0, seconds - nothing.seconds)
      })
    }
    return found
  })

export const typeCostTable = (found: ReadonlyArray<TypeCost>): string =>
  table(
    ["types, a chain of", "instantiations each", "check"],
    found.map(({ checkSeconds, instantiationsEach, size }) => [
      size.toLocaleString("en"),
      instantiationsEach.toFixed(0),
      `${checkSeconds.toFixed(2)} s`
    ])
  )
