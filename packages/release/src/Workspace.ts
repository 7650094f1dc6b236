/** The packages of this repository, read from their manifests. */
import * as fs from "node:fs"
import * as path from "node:path"

export const root = path.resolve(import.meta.dirname, "../../..")

type Ranges = Readonly<Record<string, string>>

/** A package.json, as far as packing reads it. */
interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, string>>
  readonly bin?: Ranges
  readonly dependencies?: Ranges
  readonly peerDependencies?: Ranges
  readonly devDependencies?: Ranges
}

/** What every package says alike, told once by the manifest at the top. */
export interface RootManifest {
  readonly author: string
  readonly license: string
  readonly homepage: string
  readonly bugs: string
  readonly repository: { readonly type: "git"; readonly url: string }
  readonly packageManager: string
}

export interface Package {
  readonly folder: string
  readonly manifest: Manifest
}

const readJson = <A>(file: string): A => JSON.parse(fs.readFileSync(file, "utf8")) as A

export const readRootManifest = (at: string = root): RootManifest => readJson(path.join(at, "package.json"))

export const readPackage = (folder: string): Package => ({
  folder,
  manifest: readJson(path.join(folder, "package.json"))
})

/** All packages, in the order of their folders. */
export const packages = (at: string = root): ReadonlyArray<Package> =>
  fs
    .globSync("packages/*/package.json", { cwd: at })
    .toSorted()
    .map((file) => readPackage(path.join(at, path.dirname(file))))

/** The packages that users install. */
export const published = (at: string = root): ReadonlyArray<Package> =>
  packages(at).filter(({ manifest }) => manifest.private !== true)
