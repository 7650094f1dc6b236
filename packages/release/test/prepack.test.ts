import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { run } from "../src/Command.ts"
import { root } from "../src/Workspace.ts"

describe("packing", () => {
  it("is refused to `npm publish`, which would tell the registry the manifest of the repository", () => {
    const args = [path.join(root, "packages/release/src/prepack.ts")]
    const env = { npm_command: "publish", npm_config_user_agent: "npm/11.0.0 node/v24.0.0 linux x64" }
    expect(() => run({ program: process.execPath, args, cwd: path.join(root, "packages/core"), env })).toThrow(
      "publish with pnpm, or publish a tarball"
    )
  })
})
