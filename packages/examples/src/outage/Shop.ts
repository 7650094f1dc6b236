/** What the backend is asked for, and how a failure of it is told. */
import { Context, Data, Duration, Effect, Layer, Schema } from "effect"
import { FetchHttpClient, HttpClient, type HttpClientError, HttpClientRequest, HttpClientResponse } from "effect/http"
import { Backend } from "./Backend.ts"

/** The backend gave no usable answer; `retryAfter` is what it asks for, where it could say anything. */
export class Unavailable extends Data.TaggedError("Unavailable")<{
  readonly message: string
  readonly retryAfter: Duration.Duration | undefined
}> {}

const unavailable = ({ response }: HttpClientError.HttpClientError): Unavailable => {
  const seconds = response?.headers["retry-after"]
  return new Unavailable({
    message: response === undefined ? "no connection" : `status ${response.status}`,
    retryAfter: seconds === undefined ? undefined : Duration.seconds(Number(seconds))
  })
}

export class Shop extends Context.Service<Shop>()("outage/Shop", {
  make: Effect.gen(function* () {
    const { url } = yield* Backend
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.mapRequest(HttpClientRequest.prependUrl(url)),
      HttpClient.filterStatusOk
    )
    const get = <A, I>(path: string, schema: Schema.Codec<A, I>): Effect.Effect<A, Unavailable> =>
      client
        .get(path)
        .pipe(
          Effect.flatMap(HttpClientResponse.schemaBodyJson(schema)),
          Effect.catchTag("SchemaError", Effect.die),
          Effect.mapError(unavailable)
        )
    return {
      user: get("/user", Schema.Struct({ name: Schema.String })),
      rate: get("/rate", Schema.Struct({ euro: Schema.Number })),
      offers: get("/offers", Schema.Array(Schema.String))
    }
  })
}) {
  static readonly layer = Layer.effect(this, this.make).pipe(Layer.provide(FetchHttpClient.layer))
}
