/** What users can import: each thing once, nothing internal, and all types that signatures name. */
import { beforeAll, describe, expect, it } from "vitest"
import * as fs from "node:fs"
import * as path from "node:path"
import ts from "typescript-6.0.3"

const root = path.resolve(import.meta.dirname, "../../..")
const packages = ["core", "vitest", "terminal"].map((name) => path.join(root, "packages", name))

/** Entries for our own packages, and module entries, which hold what a namespace of the first entry holds. */
const isForUsers = (entry: string): boolean => entry !== "./internal" && !/^\.\/[A-Z]/.test(entry)

interface Entry {
  readonly name: string
  readonly file: string
}

const entriesOf = (folder: string): ReadonlyArray<Entry> => {
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")) as {
    readonly name: string
    readonly exports: Readonly<Record<string, string>>
  }
  return Object.entries(manifest.exports)
    .filter(([entry, file]) => isForUsers(entry) && file.endsWith(".ts"))
    .map(([entry, file]) => ({ name: manifest.name + entry.slice(1), file: path.join(folder, file) }))
}

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  rewriteRelativeImportExtensions: true,
  types: ["node"],
  typeRoots: [path.join(root, "node_modules/@types")]
}

/** The declarations that the packages ship, as a program of their own. */
const declarations = (files: ReadonlyArray<string>): ts.Program => {
  const texts = new Map<string, string>()
  const emitting = { ...options, declaration: true, emitDeclarationOnly: true, noEmitOnError: false }
  ts.createProgram([...files], emitting).emit(undefined, (file, text) => void texts.set(file, text), undefined, true)
  const plain = ts.createCompilerHost(options)
  const isOurs = (file: string): boolean => /\/packages\/\w+\/src\/.*(?<!\.d)\.ts$/.test(file)
  const host: ts.CompilerHost = {
    ...plain,
    fileExists: (file) => texts.has(file) || (!isOurs(file) && plain.fileExists(file)),
    readFile: (file) => texts.get(file) ?? plain.readFile(file),
    getSourceFile: (file, language, ...rest) => {
      const text = texts.get(file)
      return text === undefined
        ? plain.getSourceFile(file, language, ...rest)
        : ts.createSourceFile(file, text, language)
    }
  }
  const roots = files.map((file) => file.replace(/\.ts$/, ".d.ts"))
  return ts.createProgram(roots, { ...options, allowImportingTsExtensions: true, noEmit: true }, host)
}

interface Surface {
  readonly exported: ReadonlyMap<ts.Symbol, ReadonlyArray<string>>
  readonly unnameable: ReadonlyArray<string>
  readonly internal: ReadonlyArray<string>
}

const isOfPackages = (symbol: ts.Symbol): boolean =>
  symbol.declarations?.some((one) => /\/packages\/\w+\/src\//.test(one.getSourceFile().fileName)) === true

/** The symbols that a declaration names, outside of what is private. */
const namedBy = (checker: ts.TypeChecker, declaration: ts.Node): ReadonlyArray<ts.Symbol> => {
  const named: Array<ts.Symbol> = []
  const resolve = (name: ts.Node): void => {
    const symbol = checker.getSymbolAtLocation(name)
    if (symbol === undefined) return
    named.push(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
  }
  const isInternal = (node: ts.Node): boolean => ts.getJSDocTags(node).some((tag) => tag.tagName.text === "internal")
  const visit = (node: ts.Node): void => {
    if (isInternal(node)) return
    if (ts.canHaveModifiers(node) && ts.getCombinedModifierFlags(node as ts.Declaration) & ts.ModifierFlags.Private)
      return
    if (ts.isTypeReferenceNode(node)) resolve(node.typeName)
    if (ts.isExpressionWithTypeArguments(node)) resolve(node.expression)
    if (ts.isTypeQueryNode(node)) resolve(node.exprName)
    if (ts.isImportTypeNode(node) && node.qualifier !== undefined) resolve(node.qualifier)
    ts.forEachChild(node, visit)
  }
  visit(declaration)
  return named
}

/** What the compiler makes of `class A extends Data.TaggedError(...)`. */
const isBaseOfClass = (symbol: ts.Symbol): boolean => symbol.name.endsWith("_base")

const isParameter = (symbol: ts.Symbol): boolean => (symbol.flags & ts.SymbolFlags.TypeParameter) !== 0

const surfaceOf = (entries: ReadonlyArray<Entry>): Surface => {
  const program = declarations(entries.map(({ file }) => file))
  const checker = program.getTypeChecker()
  const exported = new Map<ts.Symbol, Array<string>>()
  const collect = (module: ts.Symbol, prefix: string): void => {
    for (const one of checker.getExportsOfModule(module)) {
      const symbol = one.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one
      const name = prefix + one.name
      if (symbol.flags & ts.SymbolFlags.ValueModule) collect(symbol, `${name}.`)
      else exported.set(symbol, [...(exported.get(symbol) ?? []), name])
    }
  }
  for (const { file, name } of entries) {
    const source = program.getSourceFile(file.replace(/\.ts$/, ".d.ts"))!
    collect(checker.getSymbolAtLocation(source)!, `${name}: `)
  }
  const ours = [...exported].filter(([symbol]) => isOfPackages(symbol))
  return {
    exported,
    internal: ours.flatMap(([symbol, [name]]) =>
      symbol.getJsDocTags(checker).some((tag) => tag.name === "internal") ? [name!] : []
    ),
    unnameable: ours.flatMap(([symbol, [name]]) =>
      (symbol.declarations ?? [])
        .flatMap((declaration) => namedBy(checker, declaration))
        .filter((named) => !exported.has(named) && isOfPackages(named) && !isBaseOfClass(named) && !isParameter(named))
        .map((named) => `${name} names ${named.name}`)
    )
  }
}

describe("what users can import", () => {
  let surface: Surface
  beforeAll(() => void (surface = surfaceOf(packages.flatMap(entriesOf))), 240_000)

  it("is found", () => {
    expect([...surface.exported.values()].flat()).toContain("effect-loader: Resource.make")
  })

  it("is exported once", () => {
    expect([...surface.exported.values()].filter((names) => names.length > 1)).toEqual([])
  })

  it("is nothing internal", () => {
    expect(surface.internal).toEqual([])
  })

  it("has each type that it names", () => {
    expect([...new Set(surface.unnameable)]).toEqual([])
  })
})
