/**
 * What a browser downloads, beyond what `effect` itself brings: gzip of a minified program, minus gzip of a program
 * that holds on to exactly the parts of `effect` which the first one uses, and nothing of ours.
 *
 *  1. Bundle the program with `effect` left out: what is left says which parts of `effect` it uses.
 *  2. Bundle a program that does nothing but name those parts.
 *  3. Bundle the program itself; the difference is ours, glue and lost compression included.
 *
 * With two bundlers: esbuild keeps every member of a namespace like `Loader` or `Effect`, rolldown (Vite's) only those
 * that a program uses.
 */
import { gzipSync } from "node:zlib"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { rolldown } from "rolldown"
import { kib, table } from "./table.ts"

export interface BundleSize {
  readonly bundler: "esbuild" | "rolldown"
  readonly what: string
  readonly gzip: number
  readonly effectGzip: number
}

const here = fileURLToPath(new URL("..", import.meta.url))

/** A bundled program: minified and whole, or readable and with `effect` left out. */
type Bundle = (source: string, form: "whole" | "without effect") => Promise<string>

const byEsbuild: Bundle = async (source, form) => {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: here, loader: "ts" },
    bundle: true,
    minify: form === "whole",
    external: form === "whole" ? [] : ["effect"],
    format: "esm",
    platform: "browser",
    target: "es2023",
    write: false,
    absWorkingDir: here
  })
  return outputFiles[0]!.text
}

const byRolldown: Bundle = async (source, form) => {
  const entry = `${here}program.ts`
  const given = {
    name: "given",
    resolveId: (id: string) => (id === entry ? id : undefined),
    load: (id: string) => (id === entry ? { code: source, moduleType: "ts" as const } : undefined)
  }
  const external = form === "whole" ? [] : [/^effect(\/|$)/]
  const bundler = await rolldown({ input: entry, platform: "browser", plugins: [given], external })
  const { output } = await bundler.generate({ format: "esm", minify: form === "whole" })
  await bundler.close()
  return output[0].code
}

const bundlers = { esbuild: byEsbuild, rolldown: byRolldown }

const gzipped = (text: string): number => gzipSync(text, { level: 9 }).length

/** `import { Effect as Effect2, Exit } from "effect"`, as a list of module, name and local name. */
const importsOf = (text: string) =>
  [...text.matchAll(/^import \{([^}]+)\} from "(effect[^"]*)";?$/gm)].flatMap(([, names, from]) =>
    names!.split(",").map((part) => {
      const [name, local] = part.trim().split(" as ")
      return { from: from!, name: name!, local: local ?? name! }
    })
  )

/** A program that keeps these parts of `effect` alive: `Effect.map` for what is used as `Effect2.map(...)`. */
const effectPartsOf = (text: string): string => {
  const lines: Array<string> = []
  const parts: Array<string> = []
  importsOf(text).forEach(({ from, local, name }, k) => {
    lines.push(`import { ${name} as x${k} } from "${from}"`)
    const members = new Set(
      [...text.matchAll(new RegExp(`(?<![\\w$.])${local}\\.([A-Za-z_$][\\w$]*)`, "g"))].map((m) => m[1]!)
    )
    if (members.size === 0) parts.push(`x${k}`)
    for (const member of members) parts.push(`x${k}.${member}`)
  })
  return `${lines.join("\n")}\nglobalThis.parts = [${parts.join(", ")}]`
}

const measure = async (bundler: BundleSize["bundler"], what: string, source: string): Promise<BundleSize> => {
  const bundle = bundlers[bundler]
  const parts = effectPartsOf(await bundle(source, "without effect"))
  return {
    bundler,
    what,
    gzip: gzipped(await bundle(source, "whole")),
    effectGzip: gzipped(await bundle(parts, "whole"))
  }
}

const runsEffect = `import { Effect } from "effect"
Effect.runPromise(Effect.succeed(1)).then(console.log)`

const declaresAndLoads = `import { Effect } from "effect"
import { Loader, Resource } from "effect-loader"
const org = Resource.make("org", { load: () => Effect.succeed(1) })
Effect.runPromise(Loader.load(Loader.make({ org }))).then(console.log)`

const wholeEntry = `import * as everything from "effect-loader"
globalThis.everything = everything`

export const measureBundles = async (): Promise<ReadonlyArray<BundleSize>> => {
  const found: Array<BundleSize> = []
  for (const bundler of ["rolldown", "esbuild"] as const) {
    found.push(
      await measure(bundler, "runs an effect, nothing of ours", runsEffect),
      await measure(bundler, "declares and loads one resource", declaresAndLoads),
      await measure(bundler, "everything in the core entry", wholeEntry)
    )
  }
  return found
}

export const bundleTable = (found: ReadonlyArray<BundleSize>): string =>
  table(
    ["bundler", "a program that", "gzip, all", "gzip, its parts of effect", "gzip, beyond effect"],
    found.map(({ bundler, effectGzip, gzip, what }) => [
      bundler,
      what,
      kib(gzip),
      kib(effectGzip),
      kib(gzip - effectGzip)
    ])
  )
