/** A registry of packages for a rehearsal, on the loopback address: it keeps what is published with its token. */
import * as fs from "node:fs"
import * as http from "node:http"
import * as path from "node:path"
import { parentPort, workerData } from "node:worker_threads"

const { folder, token } = workerData as { readonly folder: string; readonly token: string }

const fileOf = (url: string): string => path.join(folder, encodeURIComponent(decodeURIComponent(url.slice(1))))

const answer = (request: http.IncomingMessage, body: string): readonly [status: number, text: string] => {
  const file = fileOf(request.url ?? "/")
  if (request.method === "PUT") {
    if (request.headers.authorization !== `Bearer ${token}`) return [401, '{"error":"No token"}']
    fs.writeFileSync(file, body)
    return [201, '{"ok":true}']
  }
  return fs.existsSync(file) ? [200, fs.readFileSync(file, "utf8")] : [404, '{"error":"Not found"}']
}

const server = http.createServer((request, response) => {
  let body = ""
  request.on("data", (chunk) => (body += chunk))
  request.on("end", () => {
    const [status, text] = answer(request, body)
    response.writeHead(status, { "content-type": "application/json" }).end(text)
  })
})

server.listen(0, "127.0.0.1", () => parentPort!.postMessage(server.address()))
