"""wrk as a load generator: it costs a tenth of what asking from Python does, on cores that the market shares."""

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

PROGRAM = shutil.which("wrk")
DRAWN = 20_000
_SCRIPT = """
local asked = {}
for line in io.lines(%s) do asked[#asked + 1] = (line:gsub("\\\\r\\\\n", "\\r\\n")) end
init = function() math.randomseed(os.time()) end
request = function() return asked[math.random(#asked)] end
"""


async def run(
    ports: Sequence[int], draw: Callable[[], bytes], *, connections: int, seconds: float
) -> tuple[int, float]:
    """How many were answered, in how many seconds: requests by chance out of as many as `DRAWN`, over connections that are kept.
    Refusals raise."""
    with tempfile.TemporaryDirectory() as folder:
        asked, script = Path(folder, "asked.txt"), Path(folder, "asked.lua")
        asked.write_text("\n".join(draw().decode().replace("\r\n", r"\r\n") for _ in range(DRAWN)))
        script.write_text(_SCRIPT % json.dumps(str(asked)))
        share = max(1, connections // len(ports))
        told = await asyncio.gather(*(_ask(port, script, share, seconds) for port in ports))
    return sum(done for done, _ in told), max(lasted for _, lasted in told)


async def _ask(port: int, script: Path, connections: int, seconds: float) -> tuple[int, float]:
    command = ["-t", "1", "-c", str(connections), "-d", f"{round(seconds)}s", "-s", str(script)]
    asking = await asyncio.create_subprocess_exec(
        str(PROGRAM), *command, f"http://127.0.0.1:{port}", stdout=asyncio.subprocess.PIPE
    )
    told = (await asking.communicate())[0].decode()
    done = re.search(r"(\d+) requests in ([0-9.]+)s", told)
    assert done is not None, told
    assert not re.search("Non-2xx|Socket errors", told), told
    return int(done[1]), float(done[2])
