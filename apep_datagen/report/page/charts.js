// Pictures, drawn by hand: bars in a row each, with their numbers as text beside them, so that nothing is in the picture
// alone; columns over time, with a table below. Each leads to its conversations.

function figure(title, about, ...content) {
  const id = `figure-${(figure.number = (figure.number ?? 0) + 1)}`;
  return make(
    "section",
    { class: "figure-box", "aria-labelledby": id },
    make("h3", { id }, title),
    about ? make("p", { class: "quiet" }, about) : null,
    ...content,
  );
}

// Bars: `label`, `value`, `text` (the number as one reads it), `href`, `wish` (a mark), `parts` (pairs of value and class).
function bars(items, most = null) {
  const largest = most ?? Math.max(...items.map((item) => Math.max(item.value, item.wish ?? 0)), 0);
  const share = (value) => (largest ? Math.min(100, (100 * value) / largest) : 0);
  return make(
    "ul",
    { class: "bars" },
    ...items.map((item) => {
      let from = 0;
      const rects = (item.parts ?? [[item.value, ""]]).map(([value, name]) => {
        const rect = makeSvg("rect", { class: `bar ${name}`, x: `${share(from)}%`, y: 2, height: 12, width: `${share(value)}%` });
        from += value;
        return rect;
      });
      const wish =
        item.wish === undefined ? [] : [makeSvg("line", { class: "wish", x1: `${share(item.wish)}%`, x2: `${share(item.wish)}%`, y1: 0, y2: 16 })];
      const inside = [
        make("span", { class: "bar-label" }, line(item.label)),
        makeSvg("svg", { class: "bar-picture", "aria-hidden": "true" }, makeSvg("rect", { class: "track", x: 0, y: 2, height: 12, width: "100%" }), ...rects, ...wish),
        make("span", { class: "bar-text" }, item.text),
      ];
      return make("li", {}, item.href ? make("a", { href: item.href }, ...inside) : make("div", {}, ...inside));
    }),
  );
}

// Where values lie: from the smallest to the largest, half of them in the box, a mark at the middle one.
function boxes(items) {
  const largest = Math.max(...items.map((item) => item.spread.largest), 1);
  const x = (value) => `${2 + (96 * value) / largest}%`;
  return make(
    "ul",
    { class: "bars" },
    ...items.map(({ label, spread, href }) => {
      const inside = [
        make("span", { class: "bar-label" }, line(label)),
        makeSvg(
          "svg",
          { class: "bar-picture", "aria-hidden": "true" },
          makeSvg("line", { class: "whisker", x1: x(spread.smallest), x2: x(spread.largest), y1: 8, y2: 8 }),
          makeSvg("rect", { class: "bar", x: x(spread.lower_quartile), y: 2, height: 12, width: `${Math.max(0.6, (96 * (spread.upper_quartile - spread.lower_quartile)) / largest)}%` }),
          makeSvg("line", { class: "wish", x1: x(spread.median), x2: x(spread.median), y1: 0, y2: 16 }),
        ),
        make("span", { class: "bar-text" }, `${spread.median} (${spread.smallest}–${spread.largest})`),
      ];
      return make("li", {}, href ? make("a", { href }, ...inside) : make("div", {}, ...inside));
    }),
  );
}

// Columns beside each other: `label`, `parts` (pairs of value and class), `text`, `href`.
function columns(items, first, last, heads) {
  const height = 130;
  const largest = Math.max(...items.map((item) => item.parts.reduce((sum, [value]) => sum + value, 0)), 1);
  const width = 100 / items.length;
  const drawn = items.map((item, place) => {
    let top = height;
    const rects = item.parts.map(([value, name]) => {
      const size = (height * value) / largest;
      top -= size;
      return makeSvg("rect", { class: `bar ${name}`, x: `${place * width + width * 0.08}%`, width: `${width * 0.84}%`, y: top, height: size });
    });
    const reach = makeSvg("rect", { class: "reach", x: `${place * width}%`, width: `${width}%`, y: 0, height });
    const name = makeSvg("title", {}, `${item.label}: ${item.text}`);
    return item.href
      ? makeSvg("a", { href: item.href, "aria-label": `${item.label}: ${item.text}` }, name, reach, ...rects)
      : makeSvg("g", { role: "img", "aria-label": `${item.label}: ${item.text}` }, name, reach, ...rects);
  });
  return make(
    "div",
    { class: "columns" },
    makeSvg("svg", { class: "column-picture", role: "group", "aria-label": `${heads[0]}, ${items.length} columns; the table below says the same` }, ...drawn),
    make("div", { class: "axis" }, make("span", {}, first), make("span", {}, `largest: ${count(largest)}`), make("span", {}, last)),
    make("details", {}, make("summary", {}, "As a table"), tableOf(heads, items.map((item) => [item.label, ...item.parts.map(([value]) => count(value))]))),
  );
}

function tableOf(heads, rows) {
  return make(
    "div",
    { class: "scrolling", tabindex: 0, role: "group", "aria-label": `Table: ${heads[0]}` },
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...heads.map((name, place) => make("th", { scope: "col", class: place ? "figure" : null }, line(name))))),
      make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell, place) => make(place ? "td" : "th", place ? { class: "figure" } : { scope: "row" }, cell instanceof Node ? cell : line(String(cell))))))),
    ),
  );
}
