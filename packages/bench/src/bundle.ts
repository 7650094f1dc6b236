/**
 * What a browser downloads, beyond what `effect` itself brings: gzip of a minified program, minus gzip of a program
 * that holds on to exactly the parts of `effect` which the first one uses, and nothing of ours.
 *
 *  1. Bundle the program with `effect` left out: what is left says which parts of `effect` it uses.
 *  2. Bundle a program that does nothing but name those parts.
 *  3. Bundle the program itself; the difference is ours, glue and lost compression included.
 */
import { gzipSync } from "node:zlib"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { kib, table } from "./table.ts"

export interface BundleSize {
  readonly what: string
  /** Bytes, minified, that come from files of ours. */
  readonly ownMinified: number
  readonly gzip: number
  readonly effectGzip: number
}

const here = fileURLToPath(new URL("..", import.meta.url))

const bundle = async (source: string, options: { readonly minify: boolean; readonly external: Array<string> }) => {
  const { metafile, outputFiles } = await build({
    ...options,
    stdin: { contents: source, resolveDir: here, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    metafile: true,
    write: false,
    absWorkingDir: here
  })
  return { text: outputFiles[0]!.text, inputs: Object.values(metafile.outputs)[0]!.inputs }
}

const minified = (source: string) => bundle(source, { minify: true, external: [] })

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

const measure = async (what: string, source: string): Promise<BundleSize> => {
  const whole = await minified(source)
  const { text } = await bundle(source, { minify: false, external: ["effect"] })
  const parts = await minified(effectPartsOf(text))
  const own = Object.entries(whole.inputs).filter(([file]) => file.includes("core/src/"))
  return {
    what,
    ownMinified: own.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0),
    gzip: gzipped(whole.text),
    effectGzip: gzipped(parts.text)
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

export const measureBundles = async (): Promise<ReadonlyArray<BundleSize>> => [
  await measure("runs an effect, nothing of ours", runsEffect),
  await measure("declares and loads one resource", declaresAndLoads),
  await measure("everything in the core entry", wholeEntry)
]

export const bundleTable = (found: ReadonlyArray<BundleSize>): string =>
  table(
    ["a program that", "ours, minified", "gzip, all", "gzip, its parts of effect", "gzip, beyond effect"],
    found.map(({ effectGzip, gzip, ownMinified, what }) => [
      what,
      kib(ownMinified),
      kib(gzip),
      kib(effectGzip),
      kib(gzip - effectGzip)
    ])
  )
