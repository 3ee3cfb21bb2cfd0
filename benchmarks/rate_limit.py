"""How much of a rate limit is used, against a server that refuses each request that comes more than 50 ms early.

    uv run --all-groups python benchmarks/rate_limit.py

Measured from the first request until the last conversation was begun: requests that were answered, of those that the
limit permitted in that time. After that only what the last conversations' own chains take is left.
"""

from __future__ import annotations

import argparse

from common import loopback_server, print_table, requests_seen, run_program

LATENCY_SECONDS = 1.5


def measure(limits: dict[str, float], conversations: int, *, roles: dict[str, str] | None = None) -> list[object]:
    """Run against strict limits; return a row of the table.

    Args:
        limits: Requests per second, by provider.
        conversations: How many are made.
        roles: By role, who alone serves it; all serve all where it is not given.
    """
    options = ["--latency", str(LATENCY_SECONDS)]
    for name, rate in limits.items():
        options += ["--limit", f"{name}={rate}"]
    with loopback_server(*options) as address:
        config = "".join(
            f'[providers.{name}]\nbase_url = "{address}/{name}"\nrequests_per_second = {rate}\n'
            for name, rate in limits.items()
        )
        config += '[roles.rewriter]\nwhen = "always"\n'
        who = [option for role, name in (roles or {}).items() for option in ("--role", f"{role}={name}")]
        # One exchange, so that a user's message begins a conversation.
        wish = ["--target", str(conversations), "--exchanges", "1", "--seed", "1"]
        run_program(config, "--providers", ",".join(limits), *who, *wish)
        seen = requests_seen(address)
    first = min(at for _, at, _, _ in seen)
    last_begun = max(at for _, at, _, step in seen if step == "ask")
    end = max(at for _, at, _, _ in seen)
    window = last_begun - first
    used = sum(1 for _, at, status, _ in seen if status == 200 and at <= last_begun)  # noqa: PLR2004 - HTTP
    # A request is permitted at once, and then one every 1/rate seconds.
    permitted = sum(int(window * rate) + 1 for rate in limits.values())
    refused = sum(1 for _, _, status, _ in seen if status == 429)  # noqa: PLR2004 - HTTP
    role_of = {name: f" ({role})" for role, name in (roles or {}).items()}
    name = ", ".join(f"{name} {rate:g}/s{role_of.get(name, '')}" for name, rate in limits.items())
    return [name, len(seen), f"{window:.1f} s", f"{100 * used / permitted:.2f} %", refused, f"{end - last_begun:.1f} s"]


def main() -> None:
    """Measure one provider, then three at once, and the same three with a role each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=180)
    options = parser.parse_args()
    fitting = {"mistral": 7.5, "together": 10.0, "huggingface": 7.5}
    rows = [
        measure({"huggingface": 10}, options.conversations),
        measure({"mistral": 10}, options.conversations),
        measure({"mistral": 10, "together": 10, "huggingface": 5}, options.conversations * 5 // 2),
        # A message, a rewrite, and, with a tool in every third answer, four thirds of an answer each.
        measure(fitting, options.conversations * 5 // 2),
        measure(
            fitting,
            options.conversations * 5 // 2,
            roles={"tester": "mistral", "ada": "together", "rewriter": "huggingface"},
        ),
    ]
    print_table(rows, ("limits", "requests", "measured over", "of the permitted", "429s", "then"))


if __name__ == "__main__":
    main()
