// Which conversations are shown, and in which order: all of it is in the address, so that a view is a link.

const FACETS = [
  { key: "status", name: "Status", of: (row) => [row.s] },
  { key: "verdict", name: "My verdict", of: (row, verdicts) => [verdicts.of(row)?.verdict ?? "not looked at"] },
  { key: "ability", name: "Ability", of: (row) => [row.a ?? ""] },
  { key: "form", name: "Form", of: (row) => [row.f ?? ""] },
  { key: "user", name: "User", of: (row) => [row.u ? String(row.u) : ""] },
  { key: "tool", name: "Tool", of: (row) => (row.l.length ? row.l : ["(none)"]) },
  { key: "provider", name: "Provider", of: (row) => [row.p ?? ""] },
  { key: "model", name: "Model", of: (row) => (row.md ?? []).map(String) },
  { key: "stage", name: "Stage that rejected", of: (row) => [row.st || (row.s === "set aside" ? "set aside" : "")] },
  { key: "reason", name: "Reason", of: (row) => [row.re ?? ""] },
  { key: "opening", name: "Opening", of: (row) => row.h.map(String) },
  { key: "tag", name: "My tags", of: (row, verdicts) => verdicts.of(row)?.tags ?? [] },
  {
    key: "has",
    name: "With",
    of: (row, verdicts) =>
      [row.e && "an error of a tool", row.o && "a rewritten thought", verdicts.of(row)?.note && "a note of mine"].filter(Boolean),
  },
];

const SORTS = {
  number: ["Number", (one, other) => one.i - other.i],
  day: ["Day", (one, other) => (one.at ?? "").localeCompare(other.at ?? "") || one.i - other.i],
  user: ["User", (one, other) => (one.u ?? 0) - (other.u ?? 0) || (one.r ?? 0) - (other.r ?? 0)],
  longest: ["Longest first", (one, other) => other.w - one.w || one.i - other.i],
  shortest: ["Shortest first", (one, other) => one.w - other.w || one.i - other.i],
  exchanges: ["Most exchanges", (one, other) => other.x - one.x || one.i - other.i],
  tokens: ["Most tokens", (one, other) => (other.k ?? 0) - (one.k ?? 0) || one.i - other.i],
  alike: ["Most alike first", (one, other) => (other.m ?? -1) - (one.m ?? -1) || one.i - other.i],
  newest: ["Made last", (one, other) => (other.z ?? 0) - (one.z ?? 0) || other.i - one.i],
};

const RANGES = { words: (row) => row.w, exchanges: (row) => row.x, ended: (row) => row.z ?? 0, alike: (row) => row.m ?? -1 };
const RANGE_NAMES = { words: "words", exchanges: "exchanges", alike: "% in common" };

// The address: where one is (`c` a conversation, `person`, `tab`), and what is shown in the list.
function viewOf(hash) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  const view = { tab: "", c: "", person: "", q: "", sort: "number", facets: {}, ranges: {} };
  for (const [key, value] of parameters) {
    if (["c", "person", "q"].includes(key) || (key === "tab" && value === "whole")) view[key] = value;
    else if (key === "sort" && Object.hasOwn(SORTS, value)) view.sort = value;
    else if (FACETS.some((facet) => facet.key === key)) (view.facets[key] ??= []).push(value);
    else if (Object.hasOwn(RANGES, key) && /^(\d+-\d*|-\d+)$/.test(value)) view.ranges[key] = value;
  }
  return view;
}

function hashOf(view) {
  const parameters = new URLSearchParams();
  for (const key of ["tab", "c", "person", "q"]) if (view[key]) parameters.append(key, view[key]);
  for (const [key, values] of Object.entries(view.facets)) for (const value of values) parameters.append(key, value);
  for (const [key, value] of Object.entries(view.ranges)) if (value && value !== "-") parameters.append(key, value);
  if (view.sort !== "number") parameters.append("sort", view.sort);
  return "#" + parameters.toString();
}

// Returns the address of a list of conversations, for a bar of a picture: a value for each facet.
function listHash(facets, ranges = {}, sort = "number") {
  const lists = Object.fromEntries(Object.entries(facets).map(([key, value]) => [key, [value].flat()]));
  return hashOf({ facets: lists, ranges, sort });
}

// Words in quotes stand together; all others stand anywhere.
function termsOf(q) {
  return [...q.matchAll(/"([^"]+)"?|(\S+)/gu)].map((hit) => (hit[1] ?? hit[2]).trim()).filter(Boolean);
}

function folded(text) {
  return text.toLowerCase().replace(/\s+/gu, " ");
}

function rangeOf(text) {
  const [least, most] = (text ?? "-").split("-");
  return [least === "" ? -Infinity : Number(least), most === "" ? Infinity : Number(most)];
}

// Returns the rows that are shown, in order; and by facet how many there are of each value, were it not for that facet.
function find(model, verdicts, view) {
  const wanted = FACETS.map((facet) => (view.facets[facet.key]?.length ? new Set(view.facets[facet.key]) : null));
  const ranges = Object.entries(view.ranges).map(([key, text]) => [RANGES[key], ...rangeOf(text)]);
  const terms = termsOf(view.q).map(folded);
  const counts = FACETS.map(() => new Map());
  const found = [];
  for (const row of model.rows) {
    if (ranges.some(([of, least, most]) => of(row) < least || of(row) > most)) continue;
    if (terms.length && !isSaid(model.texts[row.i], terms)) continue;
    const values = FACETS.map((facet) => facet.of(row, verdicts));
    const missed = wanted.flatMap((set, place) => (set && !values[place].some((value) => set.has(value)) ? [place] : []));
    if (!missed.length) found.push(row);
    if (missed.length > 1) continue;
    values.forEach((list, place) => {
      if (!missed.length || missed[0] === place) {
        for (const value of list) if (value) counts[place].set(value, (counts[place].get(value) ?? 0) + 1);
      }
    });
  }
  found.sort(SORTS[view.sort][1]);
  return { found, counts };
}

function isSaid(text, terms) {
  return text !== null && terms.every((term) => text.includes(term));
}

// All that is to be found in a conversation, folded.
function searchable(row, body) {
  const parts = [row.t];
  for (const message of body.m) {
    parts.push(message.t, message.k, message.o, message.w);
    for (const call of message.c ?? []) parts.push(call.x, call.v === undefined ? "" : textsIn(call.v));
  }
  for (const [label, text] of body.b ?? []) parts.push(`${label} ${text}`);
  parts.push(row.st, row.re, body.dt, body.q);
  return folded(parts.filter(Boolean).join("\n"));
}

function textsIn(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(textsIn).join("\n");
  if (value && typeof value === "object") return Object.entries(value).map(([key, item]) => `${key} ${textsIn(item)}`).join("\n");
  return String(value);
}

// The controls above the list.
function makeFilters(app) {
  const search = make("input", {
    type: "search",
    id: "search",
    placeholder: "Search all text",
    "aria-label": "Search all text; words in quotes stand together",
    autocomplete: "off",
    spellcheck: "false",
    enterkeyhint: "search",
  });
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => app.go({ q: search.value }, { replace: true }), 120);
  });
  const sort = make(
    "select",
    { "aria-label": "Order", onchange: () => app.go({ sort: sort.value }, { replace: true }) },
    Object.entries(SORTS).map(([key, [name]]) => make("option", { value: key }, name)),
  );
  const shown = make("p", { class: "shown", role: "status" });
  const chips = make("ul", { class: "chips", "aria-label": "What the list is limited to" });
  const facets = FACETS.map((facet) => makeFacet(app, facet));
  const words = makeRange(app, "words", "Words");
  const exchanges = makeRange(app, "exchanges", "Exchanges");
  const alike = makeRange(app, "alike", "% in common with the nearest");
  const ranges = [words, exchanges, alike];
  const panel = make("details", { class: "filters" }, make("summary", {}, "Filters"), ...[...facets, ...ranges].map((filter) => filter.element));
  return {
    search,
    element: make("div", { class: "finding" }, search, make("div", { class: "finding-row" }, shown, sort), chips, panel),
    toggle() {
      panel.open = !panel.open;
      if (panel.open) panel.querySelector("summary").focus();
    },
    update(view, result, searched) {
      if (document.activeElement !== search && search.value !== view.q) search.value = view.q;
      sort.value = view.sort;
      const isWaiting = view.q && searched < 1;
      shown.textContent =
        result.found.length === app.model.rows.length
          ? counted(result.found.length, "conversation")
          : `${count(result.found.length)} of ${count(app.model.rows.length)}`;
      if (isWaiting) shown.textContent += ` · searched ${Math.floor(100 * searched)} %`;
      facets.forEach((facet, place) => facet.update(view, result.counts[place]));
      for (const range of ranges) range.update(view);
      refill(chips, ...chipsOf(app, view));
      chips.hidden = !chips.children.length;
    },
  };
}

function chipsOf(app, view) {
  const chips = [];
  const chip = (text, changes) =>
    chips.push(make("li", {}, button([line(text), make("span", { "aria-hidden": "true" }, " ×")], () => app.go(changes, { replace: true }), { "aria-label": `No longer: ${plain(text)}` })));
  for (const facet of FACETS) {
    for (const value of view.facets[facet.key] ?? []) {
      const rest = view.facets[facet.key].filter((other) => other !== value);
      chip(`${facet.name}: ${facetLabel(app, facet, value)}`, { facets: { ...view.facets, [facet.key]: rest } });
    }
  }
  for (const [key, value] of Object.entries(view.ranges)) {
    chip(key === "ended" ? "Made in one stretch" : `${RANGE_NAMES[key]}: ${rangeLabel(value)}`, { ranges: { ...view.ranges, [key]: "" } });
  }
  if (view.q) chip(`“${view.q}”`, { q: "" });
  if (chips.length > 1) chips.push(make("li", {}, button("Show all", () => app.go({ facets: {}, ranges: {}, q: "" }, { replace: true }), { class: "quiet" })));
  return chips;
}

function rangeLabel(value) {
  const [least, most] = value.split("-");
  return least && most ? `${least} to ${most}` : least ? `${least} or more` : `${most} or less`;
}

function facetLabel(app, facet, value) {
  if (facet.key === "user") {
    const row = app.model.users.get(Number(value))?.[0];
    return row?.nm ? `${row.nm} (${value})` : value;
  }
  if (facet.key === "opening") {
    const [kind, text] = app.model.index.openings[Number(value)] ?? ["", value];
    return `${KINDS[kind] ?? kind}: ${text}`;
  }
  if (facet.key === "model") return app.model.index.models[Number(value)] ?? value;
  return facet.key === "ability" || facet.key === "form" ? labelOf(value) : value;
}

const MOST_VALUES = 60;

function makeFacet(app, facet) {
  const list = make("ul", { class: "values" });
  const narrow = make("input", { type: "search", class: "narrow", placeholder: "Narrow down", "aria-label": `Narrow down: ${facet.name}`, oninput: () => draw() });
  const summary = make("summary", {});
  const element = make("details", { class: "facet" }, summary, narrow, list);
  let last = null;
  element.addEventListener("toggle", () => draw());

  function draw() {
    if (!last) return;
    const [view, counts] = last;
    const chosen = new Set(view.facets[facet.key] ?? []);
    element.hidden = !counts.size && !chosen.size;
    refill(summary, facet.name, chosen.size ? make("span", { class: "number" }, ` ${chosen.size} chosen`) : null);
    if (!element.open) return;
    const values = [...new Set([...chosen, ...counts.keys()])].map((value) => [value, facetLabel(app, facet, value), counts.get(value) ?? 0]);
    values.sort((one, other) => other[2] - one[2] || one[1].localeCompare(other[1]));
    narrow.hidden = values.length <= 12;
    const like = narrow.value.toLowerCase();
    const shown = values.filter(([, label]) => label.toLowerCase().includes(like));
    const focused = document.activeElement?.dataset?.value;
    refill(
      list,
      ...shown.slice(0, MOST_VALUES).map(([value, label, times]) => {
        const box = make("input", { type: "checkbox", checked: chosen.has(value), "data-value": value, onchange: () => choose(view, value) });
        return make("li", {}, make("label", {}, box, line(label), make("span", { class: "number" }, count(times))));
      }),
      shown.length > MOST_VALUES ? make("li", { class: "quiet" }, `and ${count(shown.length - MOST_VALUES)} more`) : null,
    );
    if (focused !== undefined) [...list.querySelectorAll("input")].find((box) => box.dataset.value === focused)?.focus();
  }

  function choose(view, value) {
    const chosen = view.facets[facet.key] ?? [];
    const now = chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value];
    app.go({ facets: { ...view.facets, [facet.key]: now } }, { replace: true });
  }

  return {
    element,
    update(view, counts) {
      last = [view, counts];
      draw();
    },
  };
}

function makeRange(app, key, name) {
  // All that is counted is whole: "200.5" and "1e3" are 201 and 1000 for who wants as much at least.
  const whole = (field, round) => (field.value === "" ? "" : Math.min(Math.max(0, round(field.valueAsNumber)), Number.MAX_SAFE_INTEGER));
  const change = () => app.go({ ranges: { ...app.view.ranges, [key]: `${whole(least, Math.ceil)}-${whole(most, Math.floor)}` } }, { replace: true });
  const least = make("input", { type: "number", min: 0, inputmode: "numeric", "aria-label": `${name}, at least`, placeholder: "from", onchange: change });
  const most = make("input", { type: "number", min: 0, inputmode: "numeric", "aria-label": `${name}, at most`, placeholder: "to", onchange: change });
  return {
    element: make("div", { class: "range" }, make("span", {}, name), least, most),
    update(view) {
      const [from, to] = (view.ranges[key] ?? "-").split("-");
      least.value = from;
      most.value = to;
    },
  };
}
