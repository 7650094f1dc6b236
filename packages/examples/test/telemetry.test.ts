/** Spans and metrics of runs, exported. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "vitest"
import { assertEndedWell, assertInOrder, assertReadable, ended, launch, hangs } from "./kit/program.ts"

describe("telemetry", () => {
  it("exports the spans of a run over OTLP, which a collector gets as a tree", { timeout: hangs }, async () => {
    const ran = await ended(launch("telemetry/traces.ts", { OTEL_EXPORTER_OTLP_ENDPOINT: undefined }))
    assertEndedWell(ran)
    assertReadable(ran.out)
    assertInOrder(ran.out, [
      "What the collector got  14 spans over OTLP",
      "✓ GET /orders/7",
      "✓   load order",
      "✓     order"
    ])
    for (const span of ["✗       customer 1", "✓         GET /customers", "✗     invoice", "-     receipt"]) {
      assert.include(ran.out, `${span} `)
    }
    assert.match(ran.out, /-     receipt .* links to invoice, customer/)
  })

  it("exports to an endpoint that it is told of", { timeout: hangs }, async () => {
    const asked: Array<string> = []
    const server = createServer((request, response) => {
      asked.push(request.url ?? "")
      request.resume().on("end", () => response.writeHead(200).end("{}"))
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const ran = await ended(launch("telemetry/traces.ts", { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }))
    server.close()
    assertEndedWell(ran)
    assert.include(ran.out, `The spans went to ${endpoint}`)
    assert.include(asked, "/v1/traces")
  })

  it("prints the metrics of runs as Prometheus reads them", { timeout: hangs }, async () => {
    const ran = await ended(launch("telemetry/metrics.ts"))
    assertEndedWell(ran)
    for (const line of [
      'effect_loader_attempts_total{loader="order",resource="customer"} 6',
      'effect_loader_skips_total{loader="order",resource="receipt",reason="dependency_failed"} 3',
      'effect_loader_run_duration_seconds_count{loader="order",end="completed"} 3'
    ]) {
      assert.include(ran.out.split("\n"), line)
    }
  })
})
