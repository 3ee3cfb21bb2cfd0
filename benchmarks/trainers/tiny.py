"""A model of one layer and its tokenizer, made on the spot: enough to train in seconds, and without a hub."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: TID253 - needed at once
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

__all__ = ["ENDS", "SPECIAL_TOKENS", "save_model", "tokenizer_for"]

SPECIAL_TOKENS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),  # Qwen and ChatML
    *("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>"),  # Llama 3
    *("<bos>", "<start_of_turn>", "<end_of_turn>", "<|turn>", "<turn|>"),  # Gemma
    *("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|return|>", "<|call|>"),  # gpt-oss
    *("<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),  # Mistral
    *("<|START_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),  # Cohere
    *("<｜Assistant｜>", "<｜User｜>", "<｜end▁of▁sentence｜>"),  # noqa: RUF001 - DeepSeek: its bars are wide
)
ENDS = (
    *("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<turn|>", "<|return|>", "<|call|>", "<|end|>", "</s>"),
    *("<|END_OF_TURN_TOKEN|>", "<｜end▁of▁sentence｜>"),  # noqa: RUF001 - as above
)
"""Those of them that end a message."""
_LONGEST = 100_000


def tokenizer_for(texts: Iterable[str], template: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer of bytes, which decodes to what it encoded, made for such texts.

    Args:
        texts: What it is to be good at.
        template: Its chat template, which says by which token a message ends.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",  # noqa: S106 - no secret
        eos_token=next((end for end in ENDS if end in template), ENDS[0]),
        pad_token="<|endoftext|>",  # noqa: S106 - as above
        model_max_length=_LONGEST,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = template
    return fast


def save_model(directory: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write a model of one layer for a tokenizer, with it, as `from_pretrained` reads them."""
    configuration = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=_LONGEST,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Qwen3ForCausalLM(configuration).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
