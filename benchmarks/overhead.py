"""What the program costs beside the bare SDK, and how much memory it takes, in one run.

    uv run --all-groups python benchmarks/overhead.py

No limit, 50 ms latency, 64 requests in flight, an OpenAI-compatible provider; journal and output included.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time

from common import loopback_server, print_table, requests_seen, run_program

LATENCY_SECONDS = 0.05
IN_FLIGHT = 64


async def _bare_sdk(base_url: str, requests: int) -> None:
    from huggingface_hub import AsyncInferenceClient

    client = AsyncInferenceClient(base_url=base_url, api_key="benchmark")
    # As long as what the program sends on average.
    messages = [{"role": "system", "content": "You are Ada. " * 200}, {"role": "user", "content": "How are you?"}]
    left = iter(range(requests))

    async def worker() -> None:
        for number in left:
            await client.chat_completion(messages, model="model-one", max_tokens=1500, temperature=0.8, seed=number)

    began, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    seconds = time.monotonic() - began
    await client.close()  # type: ignore[no-untyped-call]  # the SDK has no type here
    print(requests / seconds, (time.process_time() - cpu) / requests)


def measure_sdk(address: str, requests: int) -> tuple[float, float]:
    """Return requests per second, and CPU seconds a request, of the SDK alone in a process of its own."""
    command = [sys.executable, __file__, "--bare-sdk", f"{address}/bare/v1", "--requests", str(requests)]
    rate, cpu = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(rate), float(cpu)


def main() -> None:
    """Measure the SDK, the program at two sizes, and the SDK again."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bare-sdk", metavar="URL")
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--conversations", type=int, nargs=2, default=[500, 5000])
    options = parser.parse_args()
    if options.bare_sdk:
        asyncio.run(_bare_sdk(options.bare_sdk, options.requests))
        return
    rows: list[list[object]] = []
    with loopback_server("--latency", str(LATENCY_SECONDS)) as address:
        sdk_rates = [measure_sdk(address, options.requests)]
        measured = []
        for conversations in options.conversations:
            name = f"program{conversations}"
            config = (
                f'[providers.{name}]\nkind = "openai"\nbase_url = "{address}/{name}/v1"\nmodel = "model-one"\n'
                f"max_in_flight = {IN_FLIGHT}\n"
            )
            run = run_program(config, "--providers", name, "--target", str(conversations), "--seed", "1")
            seen = [at for provider, at, _, _ in requests_seen(address) if provider == name]
            measured.append((conversations, len(seen), len(seen) / (max(seen) - min(seen)), run))
        sdk_rates.append(measure_sdk(address, options.requests))
    bare = sum(rate for rate, _ in sdk_rates) / len(sdk_rates)
    for rate, cpu in sdk_rates:
        rows.append(["bare SDK", "", options.requests, f"{rate:.0f}/s", "", f"{1000 * cpu:.2f} ms", ""])
    for conversations, requests, rate, run in measured:
        cost = f"{1000 * run.cpu_seconds / requests:.2f} ms"
        share, memory = f"{100 * rate / bare:.0f} %", f"{run.resident_bytes / 1e6:.0f} MB"
        rows.append(["apep-datagen", conversations, requests, f"{rate:.0f}/s", share, cost, memory])
    print_table(rows, ("", "conversations", "requests", "rate", "of the SDK's", "CPU a request", "resident"))


if __name__ == "__main__":
    main()
