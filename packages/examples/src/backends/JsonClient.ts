/** What answers in JSON, over HTTP. An answer that its schema refuses is a defect: service and program belong together. */
import { Effect, Schema } from "effect"
import { FetchHttpClient, HttpClient, type HttpClientError, HttpClientRequest, HttpClientResponse } from "effect/http"

export interface JsonClient {
  /** What a path answers. */
  readonly get: <A, I>(path: string, schema: Schema.Codec<A, I>) => Effect.Effect<A, HttpClientError.HttpClientError>
  /** That a path answers, and with success. */
  readonly isThere: (path: string) => Effect.Effect<void, HttpClientError.HttpClientError>
}

export const make = (url: string): Effect.Effect<JsonClient> =>
  Effect.map(HttpClient.HttpClient, (plain): JsonClient => {
    const client = plain.pipe(HttpClient.mapRequest(HttpClientRequest.prependUrl(url)), HttpClient.filterStatusOk)
    return {
      get: (path, schema) =>
        client
          .get(path)
          .pipe(Effect.flatMap(HttpClientResponse.schemaBodyJson(schema)), Effect.catchTag("SchemaError", Effect.die)),
      isThere: (path) => Effect.asVoid(client.get(path))
    }
  }).pipe(Effect.provide(FetchHttpClient.layer))
