/** What the backend is asked for, and how a failure of it is told. */
import { Context, Data, Duration, Effect, Layer, Schema } from "effect"
import type { HttpClientError } from "effect/http"
import * as JsonClient from "../backends/JsonClient.ts"
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
    const shop = yield* JsonClient.make(url)
    const get = <A, I>(path: string, schema: Schema.Codec<A, I>): Effect.Effect<A, Unavailable> =>
      Effect.mapError(shop.get(path, schema), unavailable)
    return {
      user: get("/user", Schema.Struct({ name: Schema.String })),
      rate: get("/rate", Schema.Struct({ euro: Schema.Number })),
      offers: get("/offers", Schema.Array(Schema.String))
    }
  })
}) {
  static readonly layer = Layer.effect(this, this.make)
}
