"""Serve a model behind an endpoint that speaks OpenAI's chat completions, on the loopback interface.

    serve.py MODEL [--port N] [--places N] [--context N] [--device cuda] [--threads N]

The first line that it prints is its address. Requests that come at a time are answered at a time. A chat is rendered
with the model's own template; thoughts and calls stay in the text as the model wrote them.
"""

from __future__ import annotations

import argparse
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from batching import Batcher, Prompt, TooLongError

# The model has learnt to read 8,192 tokens. Who lists a full memory and diary three times over comes to more, and an
# endpoint that refuses that ends the days of a user in an evaluation; what is read there is of as little use as it is.
_CONTEXT = 16384


def main() -> int:
    """Serve until a signal comes; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("--port", type=int, default=0, help="(default: one that is free)")
    parser.add_argument("--places", type=int, default=8, help="how many answers are written at a time")
    parser.add_argument("--context", type=int, default=_CONTEXT, help="tokens of a prompt and its answer, at most")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="of the CPU (default: what PyTorch takes)")
    arguments = parser.parse_args()

    import torch  # type: ignore[import-not-found]  # noqa: PLC0415 - --help is not to wait for it
    from generation import ModelGenerator  # noqa: PLC0415 - as above
    from models import END, load, renderer  # noqa: PLC0415 - as above

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    model, tokenizer = load(arguments.model, arguments.device)
    end = tokenizer.convert_tokens_to_ids(END)
    batcher = Batcher(ModelGenerator(model, end, places=arguments.places, context=arguments.context))

    render = renderer(tokenizer)

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        tokens = tokenizer(render(body["messages"], is_to_answer=True), add_special_tokens=False).input_ids
        prompt = prompt_of(body, tokens)
        written = batcher.answer(prompt)
        text = tokenizer.decode(written.tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return completion(text, len(tokens), len(written.tokens), is_whole=written.is_whole)

    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), handler(answer, arguments.model.name))
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()
    return 0


def prompt_of(body: dict[str, Any], tokens: list[int]) -> Prompt:
    """Return what a request asks.

    Args:
        body: The request.
        tokens: Its messages, as the model reads them.
    """
    most = body.get("max_tokens") or body.get("max_completion_tokens") or 1024
    return Prompt(tuple(tokens), int(most), float(body.get("temperature") or 0), int(body.get("seed") or 0))


def completion(text: str, prompt_tokens: int, completion_tokens: int, *, is_whole: bool) -> dict[str, Any]:
    """Return an answer as the protocol has it."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "local",
        "object": "chat.completion",
        "created": 0,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop" if is_whole else "length"}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def handler(answer: Any, name: str) -> type[BaseHTTPRequestHandler]:
    """Return what handles requests.

    Args:
        answer: Makes a completion of the body of a request; what is wrong with the body it raises as `ValueError`,
            `KeyError`, `TypeError` or `TooLongError`.
        name: Of the model.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            models = {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "local"}]}
            self._send(200, models) if self.path.endswith("/models") else self._send(
                404, _error("there is no such path")
            )

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not self.path.endswith("/chat/completions"):
                self._send(404, _error("there is no such path"))
                return
            try:
                self._send(200, {**answer(json.loads(sent)), "model": name})
            except TooLongError as error:
                self._send(400, _error(str(error), "context_length_exceeded"))
            except (ValueError, KeyError, TypeError) as error:
                self._send(400, _error(f"the request cannot be read: {error}"))

        def _send(self, status: int, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _error(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}


if __name__ == "__main__":
    sys.exit(main())
