// One person's history: the days one after the other, and which notes came and went.

function drawTimeline(app, timeline, notes) {
  const days = app.model.users.get(timeline) ?? [];
  const name = days[0]?.nm ?? `User ${timeline}`;
  const accepted = days.filter((row) => row.s === "accepted");
  const past = notes.filter((note) => note.added === 0);
  const isSample = app.model.index.left_out > 0;
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
        `${counted(accepted.length, "conversation")}${isSample ? " in this page" : ""}, ${counted(notes.length, "note")} in all, ${count(notes.filter((note) => note.deleted === null).length)} in the end · `,
        make("a", { href: listHash({ user: String(timeline) }) }, "show them in the list"),
      ),
      isSample ? make("p", { class: "quiet" }, "This page is of a sample: days that are not in it are told by their notes alone, and have no column.") : null,
    ),
    days.length && notes.length ? lifetimes(days, notes, name) : null,
    make(
      "ol",
      { class: "history" },
      past.length ? make("li", {}, make("h3", {}, "Before the first day"), noteList(past.map((note) => ({ ...note, change: "added" })), [])) : null,
      ...days.flatMap((row, place) => [missing(notes, days[place - 1]?.r ?? 0, row.r), day(app, row, notes)]),
      missing(notes, days.at(-1).r, Infinity),
    ),
  );
}

// What happened to notes in conversations between two of the run, both left out.
function changesBetween(notes, first, last) {
  const isThen = (number) => number !== null && number > first && number < last;
  return [
    ...notes.filter((note) => isThen(note.deleted) && !isThen(note.added)).map((note) => ({ ...note, change: "removed" })),
    ...notes.filter((note) => isThen(note.added)).map((note) => ({ ...note, change: isThen(note.deleted) ? "added and removed" : "added" })),
  ];
}

// Days that are not in this page, where notes changed on them.
function missing(notes, first, last) {
  const changed = changesBetween(notes, first, last);
  return changed.length ? make("li", {}, make("h3", {}, "On days that are not in this page"), noteList(changed, [])) : null;
}

function day(app, row, notes) {
  const changed = changesBetween(notes, row.r - 1, row.r + 1);
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
    changed.length ? noteList(changed, []) : make("p", { class: "quiet" }, "No note changed."),
  );
}

// A line for each note, from the day it was written to the day it was deleted; one that was not accepted has a column
// where it changed a note all the same.
function lifetimes(all, notes, name) {
  const changing = new Set(notes.flatMap((note) => [note.added, note.deleted]));
  const days = all.filter((row) => row.s === "accepted" || changing.has(row.r));
  if (!days.length) return null;
  const columns = days.length + 1;
  const nameOfDay = (row) => dayOf(row).slice(0, 10) || nameOf(row);
  // Half a column further than the day before it is a conversation that is not in this page.
  const placeOf = (number) => {
    const before = days.filter((row) => row.r <= number).length;
    return days[before - 1]?.r === number ? before : before + 0.5;
  };
  const spelled = (place) => {
    if (Number.isInteger(place)) return nameOfDay(days[place - 1]);
    const [before, after] = [days[place - 1.5], days[place - 0.5]];
    return `a day ${[before && `after ${nameOfDay(before)}`, after && `before ${nameOfDay(after)}`].filter(Boolean).join(" and ")}`;
  };
  const rows = notes.map((note) => {
    const from = note.added === 0 ? 0 : placeOf(note.added);
    const to = note.deleted === null || note.deleted === 0 ? columns : placeOf(note.deleted);
    const when = `${from ? `from ${spelled(from)}` : "from the beginning"}${to < columns ? ` to ${spelled(to)}` : ""}`;
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
    make("p", { class: "quiet" }, `Each line is a note of Ada's about ${plain(name)}: from the day on which it was written, through ${counted(days.length, "conversation")} here, to the day on which it was deleted.`),
    make("ul", { class: "lives" }, ...rows),
  );
}
