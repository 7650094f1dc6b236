/** Servers of this program, on free ports of this machine. */
import { once } from "node:events"
import type { AddressInfo, Server } from "node:net"

/** Listens, unless the server does already. Gives the port. */
export const listen = async (server: Server, port: number = 0): Promise<number> => {
  if (!server.listening) {
    server.listen(port, "127.0.0.1")
    await once(server, "listening")
  }
  return (server.address() as AddressInfo).port
}

/** Stops to listen, and waits for the last connection to end. */
export const unlisten = async (server: Server): Promise<void> => {
  if (!server.listening) return
  const closed = once(server, "close")
  server.close()
  await closed
}
