// One person's history: the days one after the other, and which notes came and went.

function drawTimeline(app, timeline, notes) {
  const days = app.model.users.get(timeline) ?? [];
  const name = days[0]?.nm ?? `User ${timeline}`;
  const accepted = days.filter((row) => row.s === "accepted");
  const past = notes.filter((note) => note.added === 0);
  return make(
    "article",
    { class: "timeline", "aria-labelledby": "conversation-name" },
    make(
      "header",
      { class: "conversation-head" },
      make("div", { class: "conversation-title" }, make("h2", { id: "conversation-name", tabindex: -1 }, line(name))),
      make(
        "p",
        { class: "conversation-facts" },
        `${counted(accepted.length, "conversation")}, ${counted(notes.length, "note")} in all, ${count(notes.filter((note) => note.deleted === null).length)} in the end · `,
        make("a", { href: listHash({ user: String(timeline) }) }, "show them in the list"),
      ),
    ),
    accepted.length && notes.length ? lifetimes(app, accepted, notes, name) : null,
    make(
      "ol",
      { class: "history" },
      past.length ? make("li", {}, make("h3", {}, "Before the first day"), noteList(past.map((note) => ({ ...note, change: "added" })), [])) : null,
      ...days.map((row) => day(app, row, notes)),
    ),
  );
}

function day(app, row, notes) {
  const changed =
    row.s === "accepted"
      ? [
          ...notes.filter((note) => note.deleted === row.r && note.added !== row.r).map((note) => ({ ...note, change: "removed" })),
          ...notes.filter((note) => note.added === row.r).map((note) => ({ ...note, change: note.deleted === row.r ? "added and removed" : "added" })),
        ]
      : [];
  return make(
    "li",
    { class: row.s === "accepted" ? null : "not-accepted" },
    make(
      "h3",
      {},
      make("a", { href: hashOf({ ...app.view, tab: "", person: "", c: row.c }) }, dayOf(row) || nameOf(row)),
      ` ${labelOf(row.a ?? "")}${row.f ? `, ${labelOf(row.f)}` : ""} `,
      row.s === "accepted" ? null : make("span", { class: "badge bad" }, `${row.s}${row.st ? `: ${row.st}` : ""}`),
    ),
    make("p", { class: "option-title" }, line(row.t)),
    changed.length ? noteList(changed, []) : make("p", { class: "quiet" }, row.s === "accepted" ? "No note changed." : "It changed nothing."),
  );
}

// A line for each note, from the day it was written to the day it was deleted.
function lifetimes(app, days, notes, name) {
  const places = new Map(days.map((row, place) => [row.r, place + 1]));
  const columns = days.length + 1;
  const rows = notes.map((note) => {
    const from = note.added === 0 ? 0 : places.get(note.added) ?? 0;
    const to = note.deleted === null || note.deleted === 0 ? columns : places.get(note.deleted) ?? columns;
    const when = `${from ? `from ${dayOf(days[from - 1]).slice(0, 10)}` : "from the beginning"}${to < columns ? ` to ${dayOf(days[to - 1]).slice(0, 10)}` : ""}`;
    return make(
      "li",
      {},
      make("span", { class: "life-text" }, line(note.text.slice(0, 120))),
      makeSvg(
        "svg",
        { class: "life", role: "img", "aria-label": when },
        ...days.map((_, place) => makeSvg("line", { class: "grid", x1: `${(100 * (place + 1)) / columns}%`, x2: `${(100 * (place + 1)) / columns}%`, y1: 0, y2: 14 })),
        makeSvg("rect", { class: `bar ${note.shelf}`, x: `${(100 * from) / columns}%`, y: 4, height: 6, rx: 3, width: `${Math.max(1, (100 * (to - from)) / columns)}%` }),
      ),
    );
  });
  return make(
    "details",
    { class: "lifetimes", open: notes.length <= 60 },
    make("summary", {}, "Notes over the days"),
    make("p", { class: "quiet" }, `Each line is a note of Ada's about ${plain(name)}: from the day on which it was written, through ${counted(days.length, "conversation")}, to the day on which it was deleted.`),
    make("ul", { class: "lives" }, ...rows),
  );
}
