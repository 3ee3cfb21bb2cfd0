"""The user tells of a moment, which Ada writes of in her diary; what lasts of it, she notes as well."""

from __future__ import annotations

from apep_datagen.language.values import tells
from apep_datagen.quality.effect.telling import not_stored, not_told
from apep_datagen.quality.effect.view import View, problem_of
from apep_datagen.quality.problem import Problem

__all__ = ["check"]


def check(view: View) -> Problem | None:
    """There is one new page about each planned moment, and each planned fact is in memory."""
    facts = view.scenario.facts
    if problem := not_told(view, facts):
        return problem
    new = view.new_on("diary")
    for moment in (fact for fact in facts if fact.shelf == "diary"):
        pages = [page for page in new if tells(page.text, moment.forms)]
        if not pages:
            return problem_of("there is no diary page about the moment", moment.tell)
        if len(pages) > 1:
            return problem_of("the moment has more than one diary page", pages[-1].text, pages[-1].text)
    return not_stored(view, [fact for fact in facts if fact.shelf == "memory"])
