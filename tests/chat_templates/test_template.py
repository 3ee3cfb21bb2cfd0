"""A template renders as in transformers, can read nothing but the messages, and comes to an end.

What the environment of transformers has beside that of Jinja, piece by piece; with transformers itself every template
of TRL is compared elsewhere.
"""

from __future__ import annotations

import datetime
import pickle
from typing import Any

import pytest

from apep_datagen.chat_templates import environment
from apep_datagen.chat_templates.template import ChatTemplate, RefusedError, Rendered
from apep_datagen.core.errors import SettingsError

MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "Is <b> & é ok?"},
    {"role": "assistant", "content": "Yes."},
]


def render(source: str, messages: list[dict[str, Any]] | None = None, **special_tokens: str) -> Rendered:
    return ChatTemplate("test", source, None, special_tokens).render(messages or MESSAGES)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% if true %}\n  a\n{% endif %}\nb", "  a\nb"),
        ("  {% set x = 1 %}\n{{ x }}\n", "1"),
        ("{{ messages[0] | tojson }}", '{"role": "user", "content": "Is <b> & é ok?"}'),
        ("{{ messages[0].content | tojson(ensure_ascii=True) }}", '"Is <b> & \\u00e9 ok?"'),
        ("{{ {'b': 1, 'a': 2} | tojson(indent=1, sort_keys=true) }}", '{\n "a": 2,\n "b": 1\n}'),
        ("{{ [1, 2] | tojson(separators=(',', ':')) }}", "[1,2]"),
        ("{% for m in messages %}{{ m.role }}{% break %}{% endfor %}", "user"),
        ("{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.role }}{% endfor %}", "assistant"),
        ("{{ tools is none }} {{ documents is none }} {{ add_generation_prompt }}", "True True False"),
        ("{{ bos_token }}{{ messages | length }}", "<s>2"),
        ("{{ dict(a=1) }}{{ dict.fromkeys(['b']) }}", "{'a': 1}{'b': None}"),
        ("{% set ns = namespace(self=1) %}{% set ns.found = 2 %}{{ ns.self + ns.found }}", "3"),
        ("{{ 'a' ~ 1 ~ none }}{{ 2 ** 3 }}{{ 'ab' * 2 }}{{ [1] + [2] }}", "a1None8abab[1, 2]"),
        ("{% for m in messages if m.role == 'user' %}{{ loop.length }}{% else %}none{% endfor %}", "1"),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice('a') }}", "aa"),
        ("{{ strftime_now('%Y') }}", str(datetime.datetime.now().astimezone().year)),
    ],
)
def test_a_template_has_what_transformers_gives_it(source: str, text: str) -> None:
    assert render(source, bos_token="<s>").text == text  # noqa: S106 - a token of a text


def test_spans_are_what_stands_between_generation_tags() -> None:
    rendered = render(
        "{{ bos_token }}{% for m in messages %}[{% if m.role == 'assistant' %}"
        "{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}]{% endfor %}",
        [*MESSAGES, *MESSAGES],
        bos_token="<s>",  # noqa: S106 - as above
    )
    assert [rendered.text[start:end] for start, end in rendered.spans] == ["Yes.", "Yes."]


def test_thinking_is_passed_under_the_names_that_templates_read() -> None:
    source = "{{ messages[0].thinking }}{{ messages[0].reasoning_content }}"
    for name in ("reasoning_content", "thinking", "reasoning"):
        assert render(source, [{"role": "assistant", "content": "", name: "so"}]).text == "soso"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ raise_exception('Only user and\nassistant, please') }}", "Only user and assistant, please"),
        ("{{ messages[0]['content'] + 1 }}", 'can only concatenate str (not "int") to str'),
        ("{{ missing.attribute }}", "'missing' is undefined"),
        ("{{ messages[7].content }}", "list object has no element 7"),
        ("{{ raise_exception('x' * 500) }}", "x" * 159 + "…"),
        ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "maximum recursion depth exceeded"),
        ("{{ ''.__class__.__mro__ }}", "access to attribute '__class__' of 'str' object is unsafe."),
        ("{{ messages.append(1) }}", "access to attribute 'append' of 'list' object is unsafe."),
        ("{{ dict.__class__.a }}", "access to attribute '__class__' of '_Dictionary' object is unsafe."),
        ("{% set ns = namespace(__a=1) %}", "a namespace has no attribute '__a'"),
    ],
)
def test_a_refusal_is_told_in_the_template_s_words_in_one_line(source: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        render(source)
    assert str(refused.value) == reason or str(refused.value).startswith(f"{reason} in ")


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set b = 'x' * 100000 %}{% for a in range(20000) if b | list | length < 0 %}{% endfor %}",
        "{% for a in range(99999) %}{% set x = range(99999) | sum %}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    ],
)
def test_a_template_without_an_end_is_told_and_not_waited_for(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_MOST_SECONDS", 0.01)
    with pytest.raises(SettingsError, match=r"^test: the chat template cannot be used: a row takes more than 0\.01 s"):
        render(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% set ns = namespace(s='xx') %}{% for a in range(99999) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='xx') %}{% for a in range(99999) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for a in range(99999) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=3) %}{% for a in range(99999) %}{% set ns.s = ns.s * ns.s %}{% endfor %}",
        "{% for a in range(99999) %}{{ messages | tojson }}{% endfor %}",
        "{% set x %}{% for a in range(99999) %}{{ messages | tojson }}{% endfor %}{% endset %}",
        "{% macro m() %}{% for a in range(99999) %}{{ messages | tojson }}{% endfor %}{% endmacro %}{{ m() }}",
        "{{ 'x' * 100000000000 }}",
        "{{ 100000000000 * 'x' }}",
        "{{ (10 ** 1000) ** 10000000 }}",
    ],
)
def test_a_template_that_makes_gigabytes_is_told_before_it_has_made_them(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_MOST_CHARACTERS", 1_000_000)
    with pytest.raises(SettingsError, match=r"^test: the chat template cannot be used: it (makes|reckons)"):
        render(source)


def test_what_is_no_template_is_told_with_its_line() -> None:
    with pytest.raises(SettingsError, match=r"^test, line 2: no chat template: .*unknown tag 'fo'"):
        ChatTemplate("test", "a\n{% fo m in messages %}")


def test_a_tokenizer_s_second_template_is_for_rows_with_tools() -> None:
    template = ChatTemplate("test", "plain", "with {{ tools | length }} tools")
    assert template.render(MESSAGES).text == "plain"
    assert template.render(MESSAGES, [{"type": "function"}]).text == "with 1 tools"


def test_a_template_can_be_sent_to_a_process() -> None:
    template = ChatTemplate("test", "{{ bos_token }}{{ messages | length }}", None, {"bos_token": "<s>"})
    assert pickle.loads(pickle.dumps(template)).render(MESSAGES).text == "<s>2"  # noqa: S301 - our own
