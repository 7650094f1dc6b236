/**
 * A Redis to start: `redis-server` or `valkey-server` where one is installed; otherwise Debian's, unpacked into
 * `node_modules/.cache` with nothing installed and no root asked for, where there are apt-get and dpkg-deb.
 */
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { spawn, spawnSync } from "node:child_process"
import { join, resolve } from "node:path"
import { NoServer } from "./NoServer.ts"

interface RedisBinary {
  readonly command: string
  readonly env: NodeJS.ProcessEnv
}

/** Debian's name of this machine, where it has its packages that are unpacked. */
const triplet = { arm64: "aarch64-linux-gnu", x64: "x86_64-linux-gnu" }[process.arch as string]
const cache = resolve(import.meta.dirname, "../../../../node_modules/.cache/effect-loader")
const home = join(cache, "redis")

const installed: ReadonlyArray<RedisBinary> = ["redis-server", "valkey-server"].map((command) => ({
  command,
  env: process.env
}))

const unpacked: RedisBinary = {
  command: join(home, "root/usr/bin/redis-server"),
  env: { ...process.env, LD_LIBRARY_PATH: join(home, `root/usr/lib/${triplet}`) }
}

/** The server is the same program as `redis-check-rdb`, under its own name. The package lists stay in the folder, too. */
const unpack = `
  mkdir -p "$1/state/lists/partial" "$1/cache/archives/partial" && cd "$1" || exit 1
  apt() { apt-get -qq -o APT::Sandbox::User=root -o Dir::State="$1/state" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$1/cache" "\${@:2}"; }
  apt "$1" update && apt "$1" download redis-tools libatomic1 libjemalloc2 liblzf1 liblua5.1-0 lua-bitop lua-cjson || exit 1
  for file in *.deb; do dpkg-deb -x "$file" root || exit 1; done
  ln -s redis-check-rdb root/usr/bin/redis-server && rm -rf state cache *.deb`

const runs = ({ command, env }: RedisBinary): boolean => spawnSync(command, ["--version"], { env }).status === 0

const download = Effect.callback<void>((resume) => {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(`${home}-`)
  const child = spawn("bash", ["-c", unpack, "bash", folder], { stdio: "ignore", timeout: 120_000 })
  const end = (code: number | null) => {
    if (code === 0) moveInto(folder)
    rmSync(folder, { recursive: true, force: true })
    resume(Effect.void)
  }
  child.once("error", () => end(1))
  child.once("close", end)
})

/** Where two programs unpack at once, the second keeps what the first has. */
const moveInto = (folder: string): void => {
  try {
    renameSync(folder, home)
  } catch {
    // it is there already
  }
}

const find = Effect.sync(() => (triplet === undefined ? installed : [...installed, unpacked]).find(runs))

export const findRedis: Effect.Effect<RedisBinary, NoServer> = Effect.gen(function* () {
  const there = (yield* find) ?? (triplet === undefined ? undefined : yield* Effect.andThen(download, find))
  if (there !== undefined) return there
  return yield* new NoServer({
    message:
      "there is no Redis to work on: neither redis-server nor valkey-server is on the PATH, and none could be " +
      "downloaded by apt-get. Install one, or set REDIS_URL (redis://host:6379); what the program writes there expires."
  })
})
