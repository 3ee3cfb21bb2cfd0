// The list: only what is in view is in the document, however many there are.

const ROW_HEIGHT = 62;
const BEYOND = 6;

function makeList(app) {
  const spacer = make("div", { class: "spacer", role: "presentation" });
  const box = make("div", { class: "list", role: "listbox", tabindex: 0, id: "list", "aria-label": "Conversations" }, spacer);
  let found = [];
  let current = null;
  let drawn = "";
  let asked = false;

  function draw() {
    asked = false;
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_HEIGHT) - BEYOND);
    const last = Math.min(found.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW_HEIGHT) + BEYOND);
    const key = `${first} ${last} ${current?.i}`;
    if (key === drawn) return;
    drawn = key;
    const options = [];
    for (let place = first; place < last; place++) options.push(option(found[place], place));
    refill(spacer, ...options);
    const active = current && spacer.querySelector(`#option-${current.i}`);
    if (active) box.setAttribute("aria-activedescendant", active.id);
    else box.removeAttribute("aria-activedescendant");
  }

  function option(row, place) {
    const verdict = app.verdicts.of(row)?.verdict;
    const about = [row.nm, row.a && labelOf(row.a), dayOf(row).slice(0, 10)].filter(Boolean).join(" · ");
    const isCurrent = row === current;
    const element = make(
      "div",
      {
        class: `option ${row.s === "accepted" ? "" : "not-accepted"}`,
        role: "option",
        id: `option-${row.i}`,
        "aria-selected": String(isCurrent),
        "aria-setsize": found.length,
        "aria-posinset": place + 1,
        onclick: () => app.open(row),
      },
      make(
        "div",
        { class: "option-head" },
        make("span", { class: "option-number" }, row.n === null ? `run ${row.r}` : `${row.n}`),
        make("span", { class: "option-about" }, line(about || `${counted(row.x, "exchange")}`)),
        row.s === "accepted" ? null : make("span", { class: "badge bad" }, row.st || row.s),
        verdict ? make("span", { class: `badge verdict ${verdict}` }, verdict) : null,
      ),
      make("div", { class: "option-title" }, line(row.t || "(nothing was said)")),
    );
    element.style.setProperty("top", `${place * ROW_HEIGHT}px`);
    return element;
  }

  function ask() {
    if (!asked) {
      asked = true;
      requestAnimationFrame(draw);
    }
  }

  box.addEventListener("scroll", ask, { passive: true });
  new ResizeObserver(ask).observe(box);
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step) app.step(step);
    else if (event.key === "Home") app.open(found[0]);
    else if (event.key === "End") app.open(found.at(-1));
    else if (event.key === "Enter") app.focusConversation();
    else return;
    event.preventDefault();
  });

  return {
    element: box,
    update(rows, row) {
      if (rows !== found) box.scrollTop = Math.min(box.scrollTop, rows.length * ROW_HEIGHT);
      found = rows;
      current = row;
      drawn = "";
      spacer.style.setProperty("height", `${found.length * ROW_HEIGHT}px`);
      draw();
    },
    show(row) {
      const place = found.indexOf(row);
      if (place < 0) return;
      const top = place * ROW_HEIGHT;
      if (top < box.scrollTop) box.scrollTop = top;
      else if (top + ROW_HEIGHT > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_HEIGHT - box.clientHeight;
      draw();
    },
  };
}
