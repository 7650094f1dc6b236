import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    testTimeout: 120_000,
    // By default one core is left to the terminal: half of a machine that has two.
    maxWorkers: "100%",
    coverage: {
      provider: "v8",
      include: ["packages/{core,terminal,vitest}/src/**/*.ts"],
      reporter: ["text", "json-summary"],
      thresholds: { lines: 95, functions: 95, branches: 95, statements: 95 }
    },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/test/**/*.test.ts"],
          typecheck: { enabled: true, tsconfig: "./tsconfig.json", include: ["packages/*/test/**/*.test-d.ts"] }
        }
      },
      {
        extends: true,
        test: { name: "browser", include: ["packages/*/test/**/*.e2e.ts"] }
      }
    ]
  }
})
