"""Briefs and timelines for tests that need some, whatever they are about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apep_datagen.conversation.brief import Brief
from apep_datagen.people.scenario import Ability, Scenario, User
from apep_datagen.people.story import Story
from apep_datagen.storage.timelines import Timeline

USER = User("Marta", 34, "Porto", "a nurse", "dry", "short sentences")
SCENARIO = Scenario(Ability.SMALLTALK, "the rain", "calm", "short", "Write about the rain.")
BRIEF = Brief(
    conversation_id=1,
    timeline_id=1,
    exchanges=1,
    max_tool_rounds=3,
    at="2026-01-31T19:40",
    user=USER,
    scenario=SCENARIO,
    previous=None,
    seed=5,
)


def brief(**changes: Any) -> Brief:
    return replace(BRIEF, **changes)


def timeline(number: int, **values: Any) -> Timeline:
    return Timeline(number, Story(USER), **values)
