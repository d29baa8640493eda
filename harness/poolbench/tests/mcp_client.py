"""What the official client sees of `poolbench serve`: scripts/mcp-client runs this."""

import asyncio
import json
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

PROGRAM = str(Path(sys.argv[1]).resolve())
CALLS = 1000

ONE_WORKER = """
[server]
session = "none"
[tools.wait]
description = "Keeps the only worker busy."
service-argument = "ms"
[pool]
queue-len = 1
dispatch = "tiered"
hot  = { min-ready = 1, spares = 0, max = 1 }
warm = { max = 0 }
cold = { max = 0 }
"""


class Served:
    """A server with its exit code, and a mark by which its workers are found."""

    def __init__(self, directory, mode, config=None):
        self.mark = uuid.uuid4().hex
        self.code = Path(directory) / f"code-{self.mark}"
        command = [PROGRAM, "serve", "--log", "warn"]
        if config is not None:
            path = Path(directory) / f"{self.mark}.toml"
            path.write_text(config)
            command += ["--config", str(path)]
        # The shell writes down how the server ended: the client does not say.
        script = f'"$@"; echo $? > {self.code}'
        server = StdioServerParameters(command="sh", args=["-c", script, "sh", *command], env={"MCP_CLIENT_MARK": self.mark})
        self.client = Client(server, mode=mode)

    def processes(self):
        mark = f"MCP_CLIENT_MARK={self.mark}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append((int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()))
            except OSError:
                pass  # ended meanwhile, or somebody else's
        return found

    async def ended(self):
        begun = time.monotonic()
        while self.processes() and time.monotonic() - begun < 10:
            await asyncio.sleep(0.02)
        assert not self.processes(), f"left behind: {self.processes()}"
        code = self.code.read_text().strip()
        assert code == "0", f"the server ended with {code}"


async def lists_and_calls(directory, mode):
    served = Served(directory, mode)
    async with served.client as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"echo", "wait"}, tools
        assert tools["wait"].input_schema["required"] == ["ms"] and tools["echo"].description
        workers = [line for _, line in served.processes() if line.endswith(" worker")]
        assert workers, "there is no worker process"
        begun = time.monotonic()
        for number in range(CALLS):
            said = {"message": f"number {number}"}
            result = await client.call_tool("echo", said)
            assert not result.is_error and json.loads(result.content[0].text) == said, result
        took = time.monotonic() - begun
        result = await client.call_tool("echo")
        assert json.loads(result.content[0].text) == {}, "absent arguments are empty ones"
        try:
            await client.call_tool("no-such-tool", {})
            raise AssertionError("an unknown tool was called")
        except MCPError as error:
            assert error.code == -32602, error.error
        await sees_progress(client)
        version = client.protocol_version
    await served.ended()
    print(f"{mode}: protocol {version}, {CALLS} calls right, {took / CALLS * 1e6:.0f} us each")


async def sees_progress(client):
    seen = []

    async def on_progress(done, total, message):
        seen.append((done, total, message))

    await client.call_tool("wait", {"ms": 1200}, progress_callback=on_progress)
    assert seen, "no progress was told"
    assert all(a[0] < b[0] for a, b in zip(seen, seen[1:])) and all(done <= total for done, total, _ in seen), seen
    print(f"progress: {len(seen)} notifications, the last {seen[-1]}")


async def cancels(directory, mode):
    served = Served(directory, mode, ONE_WORKER)
    async with served.client as client:
        slow = asyncio.ensure_future(client.call_tool("wait", {"ms": 60_000}))
        await asyncio.sleep(0.3)
        assert not slow.done()
        slow.cancel()
        begun = time.monotonic()
        # There is one worker: it is free again, or was replaced.
        result = await client.call_tool("wait", {"ms": 1}, read_timeout_seconds=20)
        assert json.loads(result.content[0].text) == {"ms": 1}
        took = time.monotonic() - begun
        assert slow.cancelled() or slow.cancelling()
    await served.ended()
    print(f"{mode}: cancelled, and the only worker served again after {took * 1000:.0f} ms")


async def is_shed(directory, mode):
    served = Served(directory, mode, ONE_WORKER)
    async with served.client as client:
        calls = [client.call_tool("wait", {"ms": 300}) for _ in range(8)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        refused = [error.error for error in ended if isinstance(error, MCPError)]
        assert len(refused) == 6, ended
        for error in refused:
            assert error.code == -32000 and error.data["reason"] == "shed" and error.data["retry_after_ms"] >= 1, error
    await served.ended()
    print(f"{mode}: {len(refused)} of 8 calls shed, try again after {refused[0].data['retry_after_ms']} ms")


async def main():
    with tempfile.TemporaryDirectory() as directory:
        # The era of 2026-07-28, found by `server/discover`, and the one with `initialize`.
        for mode in ["auto", "legacy"]:
            await lists_and_calls(directory, mode)
            await cancels(directory, mode)
            await is_shed(directory, mode)


asyncio.run(main())
