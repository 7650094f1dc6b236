/**
 * Rehearses a release: makes the versions and publishes them, in a copy of the repository, to a registry of its own.
 *
 * What arrives is what users get: the manifest that the registry is told is that of the tarball.
 */
import { once } from "node:events"
import * as fs from "node:fs"
import type { AddressInfo } from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { Worker } from "node:worker_threads"
import { run } from "./Command.ts"
import { pnpmFolder } from "./Pnpm.ts"
import { publishedManifest } from "./PublishedManifest.ts"
import { stage } from "./Stage.ts"
import { published, root } from "./Workspace.ts"

interface Document {
  readonly name: string
  readonly versions: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const expectEqual = (what: string, actual: unknown, expected: unknown): void => {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${what}: ${a}, not ${b}`)
}

const token = "token-of-the-rehearsal"

const rehearse = async (work: string): Promise<void> => {
  const [copy, arrived] = ["copy", "arrived"].map((name) => path.join(work, name)) as [string, string]
  fs.mkdirSync(arrived)
  stage(copy)
  const registry = new Worker(new URL("registry.ts", import.meta.url), {
    workerData: { folder: arrived, token }
  })
  const [{ port }] = (await once(registry, "message")) as [AddressInfo]
  const url = `127.0.0.1:${port}/`
  // As the workflow tells pnpm its token.
  const config = path.join(work, ".npmrc")
  fs.writeFileSync(config, `registry=http://${url}\n//${url}:_authToken=\${NODE_AUTH_TOKEN}\n`)
  const env = {
    PATH: [pnpmFolder(), path.join(root, "node_modules/.bin"), process.env.PATH].join(path.delimiter),
    NPM_CONFIG_USERCONFIG: config,
    NODE_AUTH_TOKEN: token
  }
  const git = (...args: ReadonlyArray<string>) =>
    run({ program: "git", args: ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], cwd: copy })
  const shell = (script: string) => run({ program: "sh", args: ["-c", script], cwd: copy, env })
  const commitAll = (message: string) => {
    git("add", "--all")
    git("commit", "--quiet", `--message=${message}`)
  }
  const documents = (): ReadonlyArray<Document> =>
    fs.readdirSync(arrived).map((file) => JSON.parse(fs.readFileSync(path.join(arrived, file), "utf8")))
  try {
    git("init", "--quiet", "--initial-branch=main")
    commitAll("staged")
    const { scripts } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))
    shell(scripts["release:version"])
    commitAll("version")
    shell(scripts["release:publish"])
    const all = published(copy)
    const names = all.map(({ manifest }) => manifest.name)
    expectEqual(
      "packages that arrived",
      documents()
        .map(({ name }) => name)
        .toSorted(),
      names.toSorted()
    )
    for (const self of all) {
      const { versions } = documents().find(({ name }) => name === self.manifest.name)!
      expectEqual(`versions of ${self.manifest.name}`, Object.keys(versions), [self.manifest.version])
      const told = versions[self.manifest.version]!
      for (const [key, value] of Object.entries(publishedManifest(self, copy))) {
        expectEqual(`${key} of ${self.manifest.name}`, told[key], value)
      }
      console.log(`✓ ${self.manifest.name} ${self.manifest.version} arrives as it is packed`)
    }
    expectEqual("files that publishing left behind", git("status", "--porcelain"), "")
    const tags = git("tag").trim().split("\n").toSorted()
    expectEqual("tags", tags, all.map(({ manifest }) => `${manifest.name}@${manifest.version}`).toSorted())
    console.log("✓ the working tree is as it was, and the versions are tagged")
  } finally {
    await registry.terminate()
  }
}

const work = fs.mkdtempSync(path.join(os.tmpdir(), "rehearsal-"))
try {
  await rehearse(work)
} finally {
  fs.rmSync(work, { recursive: true })
}
