// What a model wrote, as text: invisible characters are shown as marks, hits are marked, and no text is drawn whole that
// would hold the page up.

// Control and format characters, line separators, surrogates without a partner, and others that nobody sees: what could
// turn the order of what stands around them, or hide something. Tabs and ends of lines are as they should be.
const INVISIBLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]|[\u{d800}-\u{dfff}]/gu;
const SHOWN_AT_ONCE = 12000;
const SHOWN_MORE = 60000;

function codeOf(character) {
  return "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}

// One emoji of several is joined by U+200D, and U+FE0F asks for its colours: these are no marks.
function isPartOfEmoji(text, place) {
  return text[place] === "\u200d" && /\p{Extended_Pictographic}\ufe0f?$/u.test(text.slice(Math.max(0, place - 6), place));
}

// Returns a copy in which each invisible character is spelled, for places where there can be no elements.
function plain(text) {
  return text.replace(INVISIBLE, (character, place) => (isPartOfEmoji(text, place) ? character : codeOf(character)));
}

// Appends a text to an element: `marks` are pairs of a regular expression and the class of what it finds.
function appendText(parent, text, marks = []) {
  const hits = [];
  for (const [pattern, name] of marks) {
    pattern.lastIndex = 0;
    for (const hit of text.matchAll(pattern)) if (hit[0]) hits.push([hit.index, hit.index + hit[0].length, name]);
  }
  hits.sort((one, other) => one[0] - other[0] || other[1] - one[1]);
  let place = 0;
  for (const [start, end, name] of hits) {
    if (start < place) continue;
    appendVisible(parent, text.slice(place, start));
    const mark = document.createElement("mark");
    mark.className = name;
    appendVisible(mark, text.slice(start, end));
    parent.append(mark);
    place = end;
  }
  appendVisible(parent, text.slice(place));
}

function appendVisible(parent, text) {
  let place = 0;
  INVISIBLE.lastIndex = 0;
  for (const hit of text.matchAll(INVISIBLE)) {
    if (isPartOfEmoji(text, hit.index)) continue;
    if (hit.index > place) parent.append(text.slice(place, hit.index));
    const badge = document.createElement("span");
    badge.className = "invisible";
    badge.textContent = codeOf(hit[0]);
    badge.title = "a character that cannot be seen";
    parent.append(badge);
    place = hit.index + hit[0].length;
  }
  if (place < text.length) parent.append(text.slice(place));
}

// A block of text, isolated from what stands around it, whichever way it runs; a long one is drawn piece by piece.
function textBlock(text, name, marks = []) {
  const box = make("div", { class: `said ${name}`, dir: "auto" });
  let place = 0;
  const more = (size) => {
    let end = Math.min(text.length, place + size);
    if (end < text.length && /[\ud800-\udbff]/.test(text[end - 1])) end -= 1;
    const piece = make("span", { class: "piece" });
    appendText(piece, text.slice(place, end), marks);
    box.append(piece);
    place = end;
    if (place < text.length) {
      const left = text.length - place;
      const button = make("button", { class: "more", type: "button" }, `Show more (${count(left)} characters are left)`);
      button.addEventListener("click", () => {
        button.remove();
        more(SHOWN_MORE);
      });
      box.append(button);
    }
  };
  more(SHOWN_AT_ONCE);
  return box;
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

// Finds words however they are spaced, in whatever case.
function patternOf(words) {
  const pieces = words.trim().split(/\s+/u).filter(Boolean).map(escaped);
  return pieces.length ? new RegExp(pieces.join("\\s+"), "giu") : null;
}

const NUMBERS = new Intl.NumberFormat("en");

function count(number) {
  return NUMBERS.format(number);
}

function percent(part, whole) {
  return whole ? `${((100 * part) / whole).toFixed(1)} %` : "–";
}

// "1 conversation", "2 conversations"
function counted(number, what) {
  return `${count(number)} ${what}${number === 1 ? "" : "s"}`;
}
