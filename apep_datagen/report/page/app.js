// The page as a whole: what is where, keys, and going from one view to another.

const WIDE = window.matchMedia("(min-width: 56rem)");
const SETTINGS = "apep-datagen settings";

const KEYS = [
  ["j / k", "next or previous conversation; k also finds what you have just judged, where it has left the list"],
  ["1", "good: go on with the next (again: take it back)"],
  ["2", "bad: the same"],
  ["u", "unsure: the same"],
  ["n", "write a note"],
  ["g", "write a tag"],
  ["t", "thoughts: fold or open all"],
  ["r", "thoughts before they were rewritten: fold or open all"],
  ["p", "what was planned: fold or open"],
  ["m", "go to memory and diary"],
  ["y", "the user's other days (again: back)"],
  ["o", "the whole, in pictures (again: back)"],
  ["l", "the list"],
  ["/", "search"],
  ["f", "filters"],
  ["d", "dark or light"],
  ["?", "these keys"],
  ["Esc", "leave a field, the whole or a user's days, or close this"],
];

async function start() {
  const model = makeModel(await readBlock("index"));
  const app = {
    model,
    view: viewOf(location.hash),
    settings: { thoughts: true, originals: false, planned: true, theme: "auto", ...readSettings() },
    result: { found: [], counts: [] },
    row: null,
    searched: 0,
  };
  app.verdicts = makeVerdicts(model, () => refresh());
  let drawn = "";
  let drawing = 0;
  let lastRow = null;
  // What was judged since the list is limited as it is: it may have left the list by that.
  const judged = new Set();
  let limits = "";

  // What is there all the time.

  const list = makeList(app);
  app.go = go;
  app.open = (row) => row && go({ tab: "", person: "", c: row.c });
  app.refresh = refresh;
  app.step = step;
  app.focusConversation = () => document.getElementById("conversation-name")?.focus();
  const filters = makeFilters(app);
  const review = makeReview(app);
  const help = makeHelp();
  const content = make("div", { class: "content", id: "content", tabindex: -1 });
  const pages = make("nav", { class: "pages", "aria-label": "Pages" });
  const theme = button("", () => switchTheme(), { class: "quiet", "aria-label": "Dark or light" });
  const progress = make("span", { class: "progress", role: "status" });
  refill(
    document.getElementById("app"),
    make("a", { class: "skip", href: "#content", onclick: skip }, "To the conversation"),
    make(
      "header",
      { class: "top" },
      make("h1", {}, line(model.index.output)),
      pages,
      progress,
      button("Keys", () => help.showModal(), { class: "quiet keys" }),
      theme,
    ),
    make(
      "main",
      { class: "parts" },
      make("div", { class: "side", role: "search", "aria-label": "Find conversations" }, filters.element, list.element),
      content,
    ),
    review.element,
    help,
  );
  applySettings();
  update({ isFirst: true });
  document.documentElement.dataset.ready = "true";
  window.addEventListener("hashchange", () => {
    app.view = viewOf(location.hash);
    update({});
  });
  window.addEventListener("keydown", keyed);
  await readAll();

  function skip(event) {
    event.preventDefault();
    content.focus();
  }

  // Going somewhere.

  function go(changes, { replace = false } = {}) {
    const hash = hashOf({ ...app.view, ...changes });
    app.view = viewOf(hash);
    if (replace || hash === (location.hash || "#")) history.replaceState(null, "", hash);
    else history.pushState(null, "", hash);
    update({});
  }

  function update({ isFirst = false }) {
    const { view } = app;
    app.result = find(model, app.verdicts, view);
    const limitsNow = hashOf({ ...view, tab: "", c: "", person: "" });
    if (limitsNow !== limits) judged.clear();
    limits = limitsNow;
    const wanted = view.c ? model.byAddress.get(view.c) : null;
    app.row = wanted ?? (!view.c && !view.tab && !view.person && WIDE.matches ? (app.result.found[0] ?? null) : null);
    const hasMoved = app.row !== list.row;
    list.row = app.row;
    list.update(app.result.found, app.row);
    if (app.row && (hasMoved || isFirst)) list.show(app.row);
    filters.update(view, app.result, app.searched);
    review.update();
    drawTop();
    document.body.dataset.page = view.tab === "whole" ? "whole" : view.person ? "person" : app.row ? "conversation" : "list";
    draw(hasMoved || isFirst);
  }

  function refresh() {
    app.result = find(model, app.verdicts, app.view);
    list.update(app.result.found, app.row);
    filters.update(app.view, app.result, app.searched);
    review.update();
    drawTop();
  }

  function drawTop() {
    const { view } = app;
    const link = (name, changes, isCurrent) =>
      make("a", { href: hashOf({ ...view, ...changes }), "aria-current": isCurrent ? "page" : null }, name);
    refill(
      pages,
      link("Conversations", { tab: "", person: "", c: WIDE.matches ? (app.row?.c ?? lastRow?.c ?? "") : "" }, !view.tab && !view.person),
      link("The whole", { tab: "whole", person: "", c: "" }, view.tab === "whole"),
    );
    const counts = app.verdicts.counts();
    progress.textContent = `${count(counts.all)} of ${count(model.rows.length)} looked at`;
  }

  // Draws what is to be seen; what comes late, after somebody has gone on, is not drawn.
  async function draw(isNew) {
    const { view, row } = app;
    if (row) lastRow = row;
    const key = JSON.stringify([view.tab, view.person, row?.i, view.q]);
    if (key === drawn) return;
    drawn = key;
    const turn = ++drawing;
    let page;
    if (view.tab === "whole") page = drawOverview(app);
    else if (view.person && !model.users.has(Number(view.person))) page = nothing(view);
    else if (view.person) page = drawTimeline(app, Number(view.person), await model.notes(Number(view.person)));
    else if (row) {
      const body = await model.body(row);
      page = drawConversation(app, row, body, row.u ? await model.notes(row.u) : []);
    } else page = nothing(view);
    if (turn !== drawing) return;
    refill(content, page);
    if (isNew || view.tab || view.person) content.scrollTo(0, 0);
    if (!WIDE.matches) window.scrollTo(0, 0);
    showHits();
  }

  // What was searched for is in sight, also where it is in something folded.
  function showHits() {
    const hitsIn = (selector) => [...content.querySelectorAll(selector)];
    const said = hitsIn(".turn mark.hit");
    const hits = said.length ? said : hitsIn(".planned mark.hit, .rejection mark.hit");
    for (const hit of hits) for (let box = hit.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    hits[0]?.scrollIntoView({ block: "center" });
  }

  function nothing(view) {
    if (view.person) return make("p", { class: "empty" }, "That user is not in this report.");
    if (view.c) return make("p", { class: "empty" }, "That conversation is not in this report.");
    if (!model.rows.length) return make("p", { class: "empty" }, "There are no conversations yet.");
    return make("p", { class: "empty" }, app.result.found.length ? "Choose a conversation, or press j." : "No conversation is like that.");
  }

  // Goes on from the conversation that is shown, or was shown last.
  function step(by) {
    const rows = by < 0 ? withJudged(app.result.found) : app.result.found;
    const from = app.row ?? lastRow;
    const place = rows.indexOf(from);
    const next = place < 0 ? placeOf(from, rows) + (by > 0 ? by - 1 : by) : place + by;
    const row = rows[Math.max(0, Math.min(rows.length - 1, next))];
    if (row && row !== app.row) app.open(row);
    else if (row && by > 0) review.tellEnd();
  }

  // Where one that is not among them would stand.
  function placeOf(row, rows) {
    const place = row ? rows.findIndex((other) => SORTS[app.view.sort][1](other, row) > 0) : 0;
    return place < 0 ? rows.length : place;
  }

  function withJudged(found) {
    const rows = new Set([...found, ...judged]);
    return rows.size === found.length ? found : [...rows].sort(SORTS[app.view.sort][1]);
  }

  // Back from the whole or a user's days to where one was.
  function back() {
    go({ tab: "", person: "", c: lastRow?.c ?? "" });
  }

  function goToList() {
    if (!WIDE.matches) go({ tab: "", person: "", c: "" });
    else if (app.view.tab) back();
  }

  app.give = (verdict) => {
    const { row } = app;
    if (!row || app.view.tab || app.view.person) return;
    if (app.verdicts.of(row)?.verdict === verdict) {
      app.verdicts.set(row, { verdict: null });
      return;
    }
    const { found } = app.result;
    const place = found.indexOf(row);
    const next = found[place < 0 ? placeOf(row, found) : place + 1];
    judged.add(row);
    app.verdicts.set(row, { verdict });
    if (next) app.open(next);
    else review.tellEnd();
  };

  // Keys.

  function keyed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const isField = event.target.closest?.("input, select, textarea");
    if (event.key === "Escape") return void (isField ? event.target.blur() : (app.view.tab || app.view.person) && back());
    if (isField && event.target.type !== "checkbox") return;
    const action = {
      j: () => step(1),
      k: () => step(-1),
      1: () => app.give("good"),
      2: () => app.give("bad"),
      u: () => app.give("unsure"),
      n: () => review.focus("note"),
      g: () => review.focus("tag"),
      t: () => fold("thoughts", "details.thought"),
      r: () => fold("originals", "details.original"),
      p: () => fold("planned", "details.planned"),
      m: () => focusOn(".notebook"),
      y: () => (app.view.person ? back() : app.row?.u && go({ person: String(app.row.u), c: "", tab: "" })),
      o: () => (app.view.tab ? back() : go({ tab: "whole", person: "", c: "" })),
      l: () => (goToList(), list.element.focus()),
      "/": () => (goToList(), filters.search.focus()),
      f: () => (goToList(), filters.toggle()),
      d: () => switchTheme(),
      "?": () => help.showModal(),
    }[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  }

  function focusOn(selector) {
    const element = content.querySelector(selector);
    if (!element) return;
    element.tabIndex = -1;
    element.focus();
    element.scrollIntoView({ block: "nearest" });
  }

  function fold(name, selector) {
    app.settings[name] = !app.settings[name];
    keepSettings();
    for (const details of content.querySelectorAll(selector)) details.open = app.settings[name];
  }

  // Settings.

  function readSettings() {
    try {
      return JSON.parse(localStorage.getItem(SETTINGS) ?? "{}");
    } catch {
      return {};
    }
  }

  function keepSettings() {
    try {
      localStorage.setItem(SETTINGS, JSON.stringify(app.settings));
    } catch {
      // They are of this visit, then.
    }
  }

  function switchTheme() {
    const order = ["auto", "light", "dark"];
    app.settings.theme = order[(order.indexOf(app.settings.theme) + 1) % order.length];
    keepSettings();
    applySettings();
  }

  function applySettings() {
    document.documentElement.dataset.theme = app.settings.theme;
    theme.textContent = { auto: "◐ auto", light: "○ light", dark: "● dark" }[app.settings.theme];
  }

  // All text, for the search: block by block, behind what somebody is doing.

  async function readAll() {
    const { starts } = model.index;
    for (let chunk = 0; chunk < starts.length; chunk++) {
      const bodies = await model.readChunk(chunk);
      bodies.forEach((body, place) => {
        const row = model.rows[starts[chunk] + place];
        model.texts[row.i] = searchable(row, body);
        // A browser puts a text together when it is first looked through: here, where nobody waits for it.
        model.texts[row.i].includes("\u0000");
      });
      app.searched = (chunk + 1) / starts.length;
      if (app.view.q && (chunk % 8 === 7 || app.searched === 1)) update({});
      await new Promise((resolve) => setTimeout(resolve));
    }
    app.searched = 1;
    document.documentElement.dataset.searchable = "true";
    if (app.view.q) update({});
  }
}

// The bar below a conversation, where it is judged.

function makeReview(app) {
  const buttons = Object.fromEntries(
    [
      ["good", "1"],
      ["bad", "2"],
      ["unsure", "u"],
    ].map(([verdict, key]) => [
      verdict,
      button([make("kbd", {}, key), ` ${verdict[0].toUpperCase()}${verdict.slice(1)}`], () => app.give(verdict), { class: `give ${verdict}`, "aria-pressed": "false" }),
    ]),
  );
  const note = make("input", { class: "note", placeholder: "Note (n)", "aria-label": "Note", autocomplete: "off", enterkeyhint: "done" });
  const tag = make("input", { class: "tag", placeholder: "Tag (g)", "aria-label": "Tag; Enter adds it", list: "tags", autocomplete: "off", enterkeyhint: "done" });
  const suggestions = make("datalist", { id: "tags" });
  const tags = make("ul", { class: "chips", "aria-label": "Tags" });
  const told = make("span", { class: "told", role: "status" });
  const keeping = make("span", { class: "not-kept", role: "status" });
  const chosen = make("input", { type: "file", accept: ".json,application/json", class: "unseen", tabindex: -1, "aria-label": "File of verdicts" });
  const load = button("Load", () => chosen.click(), { class: "quiet", "aria-label": "Load verdicts from a file" });
  const save = button("Download verdicts", saveAll, { class: "quiet" });

  note.addEventListener("input", () => {
    if (!app.row) return;
    app.verdicts.setNote(app.row, note.value.trim());
    tellKeeping();
  });
  note.addEventListener("change", () => app.refresh());
  note.addEventListener("keydown", (event) => event.key === "Enter" && note.blur());
  tag.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    addTag(tag.value);
  });
  tag.addEventListener("change", () => addTag(tag.value));
  chosen.addEventListener("change", async () => {
    const file = chosen.files[0];
    if (!file) return;
    try {
      const { taken, unknown, all } = app.verdicts.merge(await file.text());
      told.textContent = `Taken: ${count(taken)} of ${counted(all, "verdict")}${unknown ? `, ${count(unknown)} about conversations that are not here` : ""}`;
    } catch (error) {
      told.textContent = `Not taken: ${plain(error.message)}`;
    }
    chosen.value = "";
  });

  function tellKeeping() {
    const text = app.verdicts.isKept() ? "" : "This browser keeps nothing for this page: download your verdicts before you close it.";
    if (keeping.textContent !== text) keeping.textContent = text;
  }

  function addTag(text) {
    const name = text.trim();
    tag.value = "";
    if (!name || !app.row) return;
    const has = app.verdicts.of(app.row)?.tags ?? [];
    if (!has.includes(name)) app.verdicts.set(app.row, { tags: [...has, name] });
  }

  function saveAll() {
    const file = app.verdicts.file();
    download(`${app.model.index.output.replace(/\.[^.]*$/, "")}.verdicts.json`, JSON.stringify(file, null, 1) + "\n");
    const { drafts } = app.verdicts.counts();
    told.textContent = `${counted(file.verdicts.length, "verdict")} downloaded${drafts ? `; ${count(drafts)} with a note or tag alone are not in it` : ""}`;
  }

  const judging = make("div", { class: "judging" }, ...Object.values(buttons), note, tag, tags, suggestions);
  let shownFor = null;
  return {
    element: make("footer", { class: "review", "aria-label": "Review" }, judging, keeping, told, make("div", { class: "keeping" }, save, load, chosen)),
    focus(what) {
      (what === "note" ? note : tag).focus();
    },
    tellEnd() {
      told.textContent = "That was the last one of the list.";
    },
    update() {
      const { row } = app;
      const entry = row ? app.verdicts.of(row) : null;
      judging.hidden = !row || Boolean(app.view.tab || app.view.person);
      for (const [verdict, element] of Object.entries(buttons)) element.setAttribute("aria-pressed", String(entry?.verdict === verdict));
      if (row !== shownFor || document.activeElement !== note) note.value = entry?.note ?? "";
      if (row !== shownFor) tag.value = told.textContent = "";
      tellKeeping();
      shownFor = row;
      refill(
        tags,
        ...(entry?.tags ?? []).map((name) =>
          make("li", {}, button([line(name), make("span", { "aria-hidden": "true" }, " ×")], () => app.verdicts.set(row, { tags: entry.tags.filter((other) => other !== name) }), { "aria-label": `No longer tagged: ${plain(name)}` })),
        ),
      );
      tags.hidden = !tags.children.length;
      const known = [...new Set([...app.verdicts.tags(), ...app.model.index.suggestions])].slice(0, 60);
      refill(suggestions, ...known.map((name) => make("option", { value: name })));
    },
  };
}

function makeHelp() {
  const rows = KEYS.flatMap(([key, what]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, what)]);
  const dialog = make(
    "dialog",
    { class: "help", "aria-labelledby": "help-title" },
    make("h2", { id: "help-title" }, "Keys"),
    make("dl", {}, ...rows),
    make("p", { class: "quiet" }, "Verdicts are kept in this browser as you go. “Download verdicts” gives the file that apep-datagen review apply reads."),
    button("Close", () => dialog.close()),
  );
  return dialog;
}

start().catch((error) => {
  const box = document.createElement("p");
  box.className = "empty";
  box.textContent = `This page cannot be shown (${error.message}). It needs a browser of 2024 or newer.`;
  document.getElementById("app").replaceChildren(box);
  throw error;
});
