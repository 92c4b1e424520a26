"""A model server that costs nothing but time: `python -m tests.bench.standin`. It prints its port and answers every question 300 ms later.

OpenAI-compatible as far as /ground needs it. It keeps the first body of each prompt, so that a bench can put the very same request to it
directly. asyncio's protocol and a few lines of HTTP: what is measured is the service, not its stand-in.
"""

import argparse
import asyncio
import json

ANSWER = {
    "id": "standin",
    "object": "chat.completion",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "It is [1], I think."}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 900, "completion_tokens": 8, "total_tokens": 908},
}


class Server(asyncio.Protocol):
    """One connection, kept alive; requests on it come one after another."""

    def __init__(self, name: str, latency_s: float, bodies: dict[str, bytes]) -> None:
        self.name, self.latency_s, self.bodies = name, latency_s, bodies
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, blank, _ = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        lines = bytes(head).split(b"\r\n")
        lengths = [line.split(b":")[1] for line in lines if line.lower().startswith(b"content-length:")]
        whole = len(head) + 4 + (int(lengths[0]) if lengths else 0)
        if len(self.buffer) < whole:
            return
        body = bytes(self.buffer[len(head) + 4 : whole])
        del self.buffer[:whole]
        path = lines[0].split(b" ")[1]
        if path.endswith(b"/models"):
            self.reply(json.dumps({"object": "list", "data": [{"id": self.name, "object": "model"}]}).encode())
        elif path.endswith(b"/bodies"):
            self.reply(json.dumps([body.decode() for body in self.bodies.values()]).encode())
        else:
            # The prompt stands last in the message; its tail tells questions apart without reading the picture.
            self.bodies.setdefault(body[-400:].decode("latin-1"), body)
            asyncio.get_running_loop().call_later(self.latency_s, self.reply, json.dumps(ANSWER).encode())

    def reply(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


async def main() -> None:
    """Serve on a free loopback port until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="standin", help="the model that it lists")
    parser.add_argument("--latency-ms", type=float, default=300)
    given = parser.parse_args()
    bodies: dict[str, bytes] = {}
    server = await asyncio.get_running_loop().create_server(
        lambda: Server(given.name, given.latency_ms / 1000, bodies), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
