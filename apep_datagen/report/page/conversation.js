// One conversation: who, when and what for; what was said, thought, called and returned; the notes beside it.

function drawConversation(app, row, body, notes) {
  const marks = [
    ...(body.q ? [[patternOf(body.q), "quote"]] : []),
    ...termsOf(app.view.q).map((term) => [patternOf(term), "hit"]),
  ].filter(([pattern]) => pattern);
  return make(
    "article",
    { class: "conversation", "aria-labelledby": "conversation-name" },
    head(app, row, body),
    row.s === "accepted" ? null : rejection(row, body, marks),
    planned(app, body, marks),
    systemPrompt(app, body),
    make("div", { class: "exchanges" }, ...said(app, body, marks)),
    makers(row, body),
    notebook(app, row, body, notes, marks),
  );
}

function head(app, row, body) {
  const facts = [dayOf(row), row.a && [labelOf(row.a), row.f && labelOf(row.f)].filter(Boolean).join(", "), row.p].filter(Boolean);
  return make(
    "header",
    { class: "conversation-head" },
    make(
      "div",
      { class: "conversation-title" },
      make("h2", { id: "conversation-name", tabindex: -1 }, nameOf(row)),
      row.s === "accepted" ? null : make("span", { class: "badge bad" }, row.s),
      make("a", { class: "quiet", href: `#c=${row.c}`, "aria-label": "Link to this conversation alone" }, "link"),
    ),
    make(
      "p",
      { class: "conversation-facts" },
      row.u ? make("a", { href: hashOf({ ...app.view, tab: "", c: "", person: String(row.u) }) }, line(whoOf(row, body))) : null,
      row.u && facts.length ? " · " : null,
      line(facts.join(" · ")),
    ),
    mostAlike(app, row),
  );
}

// Below that, what two conversations have in common is English.
const NOTABLE_PERCENT = 5;

function mostAlike(app, row) {
  const other = app.model.rows[row.mn];
  if (!other || row.m < NOTABLE_PERCENT) return null;
  return make("p", { class: "conversation-facts quiet" }, `${row.m} % of what the user says is in `, make("a", { href: hashOf({ ...app.view, tab: "", person: "", c: other.c }) }, nameOf(other).toLowerCase()), " too");
}

// Who the user is and what is shown are in the line above.
const IN_THE_HEAD = new Set(["User", "When", "Ability", "Form"]);

function whoOf(row, body) {
  return body.b?.find(([label]) => label === "User")?.[1] ?? row.nm ?? `User ${row.u}`;
}

function rejection(row, body, marks) {
  return make(
    "section",
    { class: "rejection", "aria-label": "Why it was not accepted" },
    make("p", {}, make("strong", {}, line(row.st ? `${row.st}: ${row.re}` : row.re || row.s))),
    body.dt ? textBlock(body.dt, "detail", marks.filter(([, name]) => name === "hit")) : null,
    body.q ? make("div", { class: "words" }, make("span", { class: "label" }, "Words"), textBlock(body.q, "quoted")) : null,
  );
}

function planned(app, body, marks) {
  if (!body.b) return null;
  const items = body.b.filter(([label]) => !IN_THE_HEAD.has(label)).flatMap(([label, text]) => [
    make("dt", {}, label),
    make("dd", { class: label === "Plan" ? "plan" : null }, textBlock(text, "", marks)),
  ]);
  return make("details", { class: "planned", open: app.settings.planned && WIDE.matches }, make("summary", {}, "What was planned"), make("dl", {}, ...items));
}

function systemPrompt(app, body) {
  if (!body.y) return null;
  const details = make("details", { class: "system" }, make("summary", {}, "System prompt"));
  details.addEventListener(
    "toggle",
    () => details.append(textBlock(body.y.map((part) => (typeof part === "number" ? app.model.index.lines[part] : part)).join("\n"), "system-text")),
    { once: true },
  );
  return details;
}

function said(app, body, marks) {
  const parts = [];
  body.m.forEach((message, place) => {
    if (message.r === "assistant") parts.push(answer(app, message, marks, body.m[place - 1]?.r === "assistant"));
    else parts.push(turn(message.r === "user" ? "user" : "other", message.r === "user" ? "User" : message.r, textBlock(message.t ?? "", "", marks)));
  });
  return parts;
}

function turn(name, who, ...content) {
  return make("div", { class: `turn ${name}` }, who && make("h3", { class: "who" }, line(who)), ...content);
}

function answer(app, message, marks, goesOn) {
  const parts = [];
  if (message.k) parts.push(thought(app, message, marks));
  if (message.t) parts.push(textBlock(message.t, "reply", marks));
  for (const call of message.c ?? []) parts.push(drawCall(call, marks));
  if (message.w) {
    parts.push(make("details", { class: "as-saved" }, make("summary", {}, "As it is saved: not all of it was understood"), textBlock(message.w, "raw", marks)));
  }
  return turn(goesOn ? "ada goes-on" : "ada", goesOn ? null : "Ada", ...parts);
}

function thought(app, message, marks) {
  const original = message.o
    ? make("details", { class: "original", open: app.settings.originals }, make("summary", {}, "Before it was rewritten"), textBlock(message.o, "", marks))
    : null;
  return make(
    "details",
    { class: "thought", open: app.settings.thoughts },
    make("summary", {}, message.o ? "Thinks (rewritten)" : "Thinks"),
    textBlock(message.k, "thinking", marks),
    original,
  );
}

function drawCall(call, marks) {
  return make(
    "div",
    { class: `call ${call.e ? "failed" : ""}` },
    make("div", { class: "called" }, make("span", { class: "arrow", "aria-hidden": "true" }, "→"), make("span", { class: "unseen" }, "Calls "), textBlock(call.x, "code", marks)),
    call.v === undefined
      ? make("p", { class: "quiet" }, "No result follows.")
      : make("div", { class: "returned" }, make("span", { class: "arrow", "aria-hidden": "true" }, "←"), make("span", { class: "unseen" }, call.e ? "Error " : "Result "), result(call.v, marks)),
  );
}

// A list of notes reads as one; everything else is shown as JSON.
function result(value, marks) {
  const lists = value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [];
  const [name, notes] = lists.length === 1 && Array.isArray(lists[0][1]) ? lists[0] : ["", null];
  const areNotes = notes?.length && notes.every((note) => note && Number.isInteger(note.index) && typeof note.text === "string");
  if (!areNotes) {
    const flat = JSON.stringify(value);
    return textBlock(flat.length <= 160 ? flat : JSON.stringify(value, null, 2), "code", marks);
  }
  return make(
    "ol",
    { class: "listed" },
    make("li", { class: "quiet" }, line(`${name}: ${notes.length}`)),
    ...notes.slice(0, 200).map((note) =>
      make("li", {}, make("span", { class: "note-index" }, `${note.index}`), note.date ? make("span", { class: "note-date" }, line(String(note.date))) : null, textBlock(note.text, "", marks)),
    ),
    notes.length > 200 ? make("li", { class: "quiet" }, `and ${count(notes.length - 200)} more`) : null,
  );
}

function makers(row, body) {
  if (!body.u?.length) return null;
  const known = body.u.every((use) => use[5] !== null);
  const usd = body.u.reduce((sum, use) => sum + (use[5] ?? 0), 0);
  const lines = body.u.map(([provider, model, roles, prompt, completion, cost]) =>
    make(
      "tr",
      {},
      make("td", {}, line(`${provider} / ${model}`)),
      make("td", {}, roles.join(", ")),
      make("td", { class: "figure" }, count(prompt)),
      make("td", { class: "figure" }, count(completion)),
      known ? make("td", { class: "figure" }, dollarsOf(cost)) : null,
    ),
  );
  const heads = ["Model", "Role", "Prompt tokens", "Completion tokens", ...(known ? ["Cost"] : [])];
  return make(
    "details",
    { class: "makers" },
    make("summary", {}, `${count(row.k)} tokens, ${known ? `${dollarsOf(usd)}, ` : ""}${count(Math.round(body.sec))} s of answers`),
    make("div", { class: "scrolling", tabindex: 0, role: "group", "aria-label": "Who made it" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, ...lines))),
  );
}

function dollarsOf(usd) {
  return `$${usd < 0.01 ? usd.toFixed(5) : usd.toFixed(2)}`;
}

// Memory and diary.

const SHELVES = [
  ["memory", "Memory"],
  ["diary", "Diary"],
];

function notebook(app, row, body, notes, marks) {
  const book = notebookOf(row, body, notes);
  const parts = [];
  if (book.before === null) {
    parts.push(make("p", { class: "quiet" }, "What was there before is not known: there is no state database that knows this conversation."));
    if (!book.changes.length) parts.push(make("p", { class: "quiet" }, "No call changed a note."));
    else parts.push(make("h4", {}, "What its calls changed"), noteList(book.changes, marks));
  } else {
    for (const [shelf, name] of SHELVES) {
      const before = book.before.filter((note) => note.shelf === shelf);
      const added = book.added.filter((note) => note.shelf === shelf);
      const removed = before.filter((note) => note.change === "removed").length;
      const change = [added.length && `+${added.length}`, removed && `−${removed}`].filter(Boolean).join(" ");
      parts.push(make("h4", {}, `${name} before it: ${before.length || "empty"}`, change ? make("span", { class: "change" }, ` ${change}`) : null));
      if (before.length || added.length) parts.push(noteList([...before.map((note, place) => ({ ...note, index: place + 1 })), ...added], marks));
    }
    if (book.isUndone) parts.push(make("p", { class: "quiet" }, "What it changed was undone, because it was not accepted."));
  }
  const days = app.model.users.get(row.u) ?? [];
  if (days.length > 1) parts.push(make("h4", {}, app.model.index.left_out ? "Days of the same user, as far as they are in this sample" : "Days of the same user"), daysOf(app, days, row));
  return make("aside", { class: "notebook", "aria-label": "Memory and diary" }, make("h3", {}, "Memory and diary"), ...parts);
}

const SIGN = { added: "+", removed: "−", "added and removed": "+ −" };

function noteList(notes, marks) {
  return make(
    "ul",
    { class: "notes" },
    ...notes.map((note) =>
      make(
        "li",
        { class: note.change.split(" ")[0] || null },
        make("span", { class: "note-index" }, note.index ? `${note.index}` : null),
        note.date ? make("span", { class: "note-date" }, line(note.date)) : null,
        textBlock(note.text || "(a note that was not listed)", "", marks),
        note.change ? make("span", { class: "note-change" }, SIGN[note.change], make("span", { class: "unseen" }, ` ${note.change}`)) : null,
      ),
    ),
  );
}

function daysOf(app, days, current) {
  return make(
    "ol",
    { class: "days" },
    ...days.map((row) =>
      make(
        "li",
        {},
        make(
          "a",
          { href: hashOf({ ...app.view, tab: "", person: "", c: row.c }), "aria-current": row === current ? "true" : null },
          dayOf(row).slice(0, 10) || nameOf(row),
        ),
        make("span", {}, ` ${labelOf(row.a ?? "")}`),
        row.s === "accepted" ? null : make("span", { class: "badge bad" }, row.s),
      ),
    ),
  );
}
