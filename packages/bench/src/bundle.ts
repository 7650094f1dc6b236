/**
 * What a browser downloads beyond what `effect` itself brings: gzip of a minified program, minus gzip of a program that
 * keeps the same parts of `effect` and nothing of ours.
 *
 *  1. Bundle the program with `effect` left out. The syntax tree of the result says which parts of `effect` it uses;
 *     a name in a comment is not a use.
 *  2. Bundle a program that only names those parts.
 *  3. Bundle the program itself. The difference is ours, with glue and lost compression.
 *
 * Two bundlers: rolldown (Vite's) keeps only those members of a namespace like `Loader` that a program uses. esbuild
 * keeps them all, so programs for esbuild import by module.
 */
import { gzipSync } from "node:zlib"
import { relative } from "node:path"
import { fileURLToPath } from "node:url"
import { build, transform } from "esbuild"
import { rolldown } from "rolldown"
import { parseAst } from "rolldown/parseAst"
import { type Imports, type Program, programs } from "./programs.ts"
import { kib, table } from "./table.ts"

const bundlers = ["rolldown", "esbuild"] as const

export type Bundler = (typeof bundlers)[number]

/** Bytes of a module of core in a minified program, before gzip. */
interface ModuleSize {
  readonly file: string
  readonly bytes: number
}

export interface BundleSize {
  readonly bundler: Bundler
  readonly what: string
  readonly gzip: number
  readonly effectGzip: number
  /** The modules of core in the program, the biggest first. */
  readonly modules: ReadonlyArray<ModuleSize>
}

const here = fileURLToPath(new URL("..", import.meta.url))
const core = fileURLToPath(new URL(".", import.meta.resolve("effect-loader")))

interface Bundled {
  readonly code: string
  readonly modules: ReadonlyArray<ModuleSize>
}

/** A bundled program: minified and whole, or readable and with `effect` left out. */
type Bundle = (source: string, form: "whole" | "without effect") => Promise<Bundled>

const inCore = (file: string): string | undefined => (file.startsWith(core) ? relative(core, file) : undefined)

const biggestFirst = (modules: ReadonlyArray<ModuleSize>): ReadonlyArray<ModuleSize> =>
  modules.filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.bytes - a.bytes || (a.file < b.file ? -1 : 1))

const byEsbuild: Bundle = async (source, form) => {
  const { metafile, outputFiles } = await build({
    stdin: { contents: source, resolveDir: here, loader: "ts" },
    bundle: true,
    minify: form === "whole",
    external: form === "whole" ? [] : ["effect", "effect/*"],
    format: "esm",
    platform: "browser",
    target: "es2023",
    metafile: true,
    write: false,
    absWorkingDir: here
  })
  const [{ inputs }] = Object.values(metafile.outputs) as [(typeof metafile.outputs)[string]]
  const modules = Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => {
    const file = inCore(fileURLToPath(new URL(path, `file://${here}`)))
    return file === undefined ? [] : [{ file, bytes: bytesInOutput }]
  })
  return { code: outputFiles[0]!.text, modules: biggestFirst(modules) }
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
  const modules: Array<ModuleSize> = []
  for (const [path, { code }] of Object.entries(output[0].modules)) {
    const file = inCore(path)
    if (file !== undefined && code !== null) modules.push({ file, bytes: await minifiedBytes(code) })
  }
  return { code: output[0].code, modules: biggestFirst(modules) }
}

/** A module by itself, as it would be in a bundle: its top-level names are local. */
const minifiedBytes = async (code: string): Promise<number> => {
  const minified = await transform(code, { minify: true, format: "esm", treeShaking: false })
  return minified.code.trim().length
}

const bundleBy: Record<Bundler, Bundle> = { esbuild: byEsbuild, rolldown: byRolldown }

const importsFor: Record<Bundler, Imports> = { esbuild: "modules", rolldown: "namespaces" }

const gzipped = (text: string): number => gzipSync(text, { level: 9 }).length

interface SyntaxNode {
  readonly type: string
  readonly [key: string]: unknown
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string"

const childrenOf = (node: SyntaxNode): ReadonlyArray<SyntaxNode> =>
  Object.entries(node).flatMap(([key, value]) => {
    // Names of properties are no uses of variables.
    const isName = (key === "property" || key === "key") && node["computed"] === false
    return isName ? [] : [value].flat().filter(isNode)
  })

interface Imported {
  readonly from: string
  /** The exported name, or that of the whole module. */
  readonly name: string | undefined
  /** What is used of it, where it is a namespace. */
  readonly members: Set<string>
  isUsedWhole: boolean
}

const nameOf = (node: unknown): string => (node as { readonly name: string }).name

const collectImports = (statement: SyntaxNode, imports: Map<string, Imported>): void => {
  const from = (statement["source"] as { readonly value: string }).value
  if (!/^effect(\/|$)/.test(from)) return
  for (const specifier of statement["specifiers"] as ReadonlyArray<SyntaxNode>) {
    const name = specifier.type === "ImportNamespaceSpecifier" ? undefined : nameOf(specifier["imported"])
    imports.set(nameOf(specifier["local"]), { from, name, members: new Set(), isUsedWhole: false })
  }
}

const collectUses = (root: SyntaxNode, imports: ReadonlyMap<string, Imported>): void => {
  const left = [root]
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.type === "ImportDeclaration") continue
    const { object, property } = node
    const namespace = isNode(object) && object.type === "Identifier" ? imports.get(nameOf(object)) : undefined
    if (node.type === "MemberExpression" && node["computed"] === false && namespace !== undefined) {
      namespace.members.add(nameOf(property))
    } else {
      const used = node.type === "Identifier" ? imports.get(nameOf(node)) : undefined
      if (used !== undefined) used.isUsedWhole = true
      left.push(...childrenOf(node))
    }
  }
}

/** A program that keeps the parts of `effect` which this one uses: `Effect.map` for what is used as `Effect2.map(...)`. */
const effectPartsOf = (text: string): string => {
  const root = parseAst(text) as unknown as SyntaxNode
  const imports = new Map<string, Imported>()
  for (const statement of root["body"] as ReadonlyArray<SyntaxNode>) {
    if (statement.type === "ImportDeclaration") collectImports(statement, imports)
  }
  collectUses(root, imports)
  const lines: Array<string> = []
  const parts: Array<string> = []
  for (const { from, isUsedWhole, members, name } of imports.values()) {
    const local = `x${lines.length}`
    lines.push(`import ${name === undefined ? `* as ${local}` : `{ ${name} as ${local} }`} from "${from}"`)
    if (isUsedWhole) parts.push(local)
    else parts.push(...[...members].map((member) => `${local}.${member}`))
  }
  return `${lines.join("\n")}\nglobalThis.parts = [${parts.join(", ")}]`
}

const measureBundle = async (bundler: Bundler, { name, source }: Program): Promise<BundleSize> => {
  const bundle = bundleBy[bundler]
  const program = source(importsFor[bundler])
  const parts = effectPartsOf((await bundle(program, "without effect")).code)
  const { code, modules } = await bundle(program, "whole")
  return {
    bundler,
    what: name,
    gzip: gzipped(code),
    effectGzip: gzipped((await bundle(parts, "whole")).code),
    modules
  }
}

export const measureBundles = async (): Promise<ReadonlyArray<BundleSize>> => {
  const found: Array<BundleSize> = []
  for (const bundler of bundlers) {
    for (const program of programs) found.push(await measureBundle(bundler, program))
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

/** Each module of a program. Gzip has no parts, so a module's is its share by bytes. */
export const modulesTable = ({ bundler, effectGzip, gzip, modules, what }: BundleSize): string => {
  const all = modules.reduce((sum, { bytes }) => sum + bytes, 0)
  const beyond = gzip - effectGzip
  return table(
    [`${bundler}, ${what}: ${modules.length} modules`, "bytes, minified", "gzip, about"],
    modules.map(({ bytes, file }) => [file, String(bytes), String(Math.round((bytes / all) * beyond))])
  )
}
