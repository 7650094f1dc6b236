/** The package.json of a tarball, made from the one that the repository works with. */
import * as path from "node:path"
import { type Package, readRootManifest, packages, root } from "./Workspace.ts"

const compiled = (file: string, extension: string): string =>
  file.replace(/^\.\/src\/(.*)\.ts$/, `./dist/$1${extension}`)

const exportOf = (entry: string, target: unknown): unknown => {
  if (typeof target !== "string") throw new Error(`exports["${entry}"]: give one file of src, not conditions`)
  return target.startsWith("./src/") ? { types: compiled(target, ".d.ts"), default: compiled(target, ".js") } : target
}

const mapValues = <A, B>(self: Readonly<Record<string, A>>, f: (value: A, key: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(self).map(([key, value]) => [key, f(value, key)]))

/** `workspace:^` and its kin as the ranges that they stand for. */
const rangeOf = (versions: ReadonlyMap<string, string>) => (range: string, name: string) => {
  const own = /^workspace:([\^~]?)\*?$/.exec(range)
  if (own === null) return range
  const version = versions.get(name)
  if (version === undefined) throw new Error(`"${name}" is no package of this repository`)
  return `${own[1]}${version}`
}

/**
 * Entries point at compiled files, ranges of this repository's packages are versions, and what every package says alike
 * is added. What only the repository needs is left out.
 */
export const publishedManifest = ({ folder, manifest }: Package, at: string = root): object => {
  const { author, bugs, homepage, license, repository } = readRootManifest(at)
  const versions = new Map(packages(at).map(({ manifest: { name, version } }) => [name, version]))
  const { bin, dependencies, devDependencies: _, exports, peerDependencies, ...rest } = manifest
  const { name, version, scripts: _scripts, ...others } = rest as typeof rest & { readonly scripts?: unknown }
  const directory = path.relative(at, folder).replaceAll(path.sep, "/")
  const ranges = rangeOf(versions)
  return {
    name,
    version,
    ...others,
    publishConfig: { access: "public" },
    homepage,
    bugs,
    author,
    license,
    repository: { ...repository, directory },
    ...(bin === undefined ? {} : { bin: mapValues(bin, (file) => compiled(file, ".js")) }),
    exports: mapValues(exports ?? {}, (target, entry) => exportOf(entry, target)),
    ...(dependencies === undefined ? {} : { dependencies: mapValues(dependencies, ranges) }),
    ...(peerDependencies === undefined ? {} : { peerDependencies: mapValues(peerDependencies, ranges) })
  }
}
