// What a reader says of conversations: kept in the browser as one goes, downloaded as a file, merged from one.
// They are known by the digest of a conversation's text, so a report made anew keeps them. Of two about the same one the
// later one counts, so one that was taken back stays as an entry that says nothing, with when.

const VERDICTS = ["good", "bad", "unsure"];

function makeVerdicts(model, changed) {
  const ofName = `apep-datagen verdicts ${model.index.output} `;
  const key = ofName + model.index.identity;
  const given = new Map();
  let isKept = true;

  function load() {
    given.clear();
    try {
      take(key, () => true);
      // Where the first conversation has left a dataset, or is back, what was said has another name.
      const others = Array.from({ length: localStorage.length }, (_, place) => localStorage.key(place));
      for (const other of others) if (other.startsWith(ofName)) take(other, (digest) => model.byAddress.has(digest));
    } catch {
      isKept = false;
    }
  }

  function take(from, isWanted) {
    for (const [digest, entry] of Object.entries(JSON.parse(localStorage.getItem(from) ?? "{}"))) {
      const read = readEntry({ ...entry, digest });
      if (read && isWanted(digest) && isLater(read, given.get(digest))) given.set(digest, read);
    }
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(Object.fromEntries(given)));
      isKept = true;
    } catch {
      isKept = false;
    }
  }

  function put(row, changes) {
    given.set(row.d, { verdict: null, tags: [], note: "", ...given.get(row.d), ...changes, number: row.n, at: nowInSeconds() });
  }

  // Another window with a report of the same dataset goes on from here.
  window.addEventListener("storage", (event) => {
    if (event.key?.startsWith(ofName)) {
      load();
      changed();
    }
  });

  load();
  return {
    of: (row) => given.get(row.d) ?? null,
    isKept: () => isKept,
    set(row, changes) {
      put(row, changes);
      keep();
      changed();
    },
    // While somebody is writing: kept at each key, and nothing is drawn anew.
    setNote(row, note) {
      if (note === (given.get(row.d)?.note ?? "")) return;
      put(row, { note });
      keep();
    },
    counts() {
      const counts = { good: 0, bad: 0, unsure: 0, all: 0, drafts: 0 };
      for (const row of model.rows) {
        const entry = given.get(row.d);
        if (entry?.verdict) {
          counts[entry.verdict] += 1;
          counts.all += 1;
        } else if (entry?.note || entry?.tags.length) counts.drafts += 1;
      }
      return counts;
    },
    tags() {
      const tags = new Map();
      for (const entry of given.values()) for (const tag of entry.tags) tags.set(tag, (tags.get(tag) ?? 0) + 1);
      return [...tags].sort((one, other) => other[1] - one[1]).map(([tag]) => tag);
    },
    file() {
      const verdicts = [...given]
        .filter(([, entry]) => entry.verdict)
        .map(([digest, { number, verdict, tags, note, at }]) => {
          const row = model.byAddress.get(digest);
          return { digest, number: row ? row.n : number, verdict, tags, note, at };
        })
        .sort((one, other) => (one.number ?? Infinity) - (other.number ?? Infinity) || (one.digest < other.digest ? -1 : 1));
      return { apep_datagen: "verdicts", version: 1, output: model.index.output, verdicts };
    },
    // Takes in a file, as far as it is about conversations that are here.
    merge(text) {
      const file = JSON.parse(text);
      if (file?.apep_datagen !== "verdicts" || file.version !== 1 || !Array.isArray(file.verdicts)) {
        throw new Error("it holds no verdicts of apep-datagen");
      }
      const said = file.verdicts.filter((value) => readEntry(value)?.verdict);
      const here = said.filter((value) => model.byAddress.has(value.digest));
      if (said.length && !here.length) {
        throw new Error(`it says nothing of any conversation in this report; it was made for ${file.output}`);
      }
      let taken = 0;
      for (const value of here) {
        const entry = readEntry(value);
        if (!isLater(entry, given.get(value.digest))) continue;
        given.set(value.digest, entry);
        taken += 1;
      }
      keep();
      changed();
      return { taken, unknown: said.length - here.length, all: file.verdicts.length };
    },
  };
}

function readEntry(value) {
  if (!value || typeof value !== "object" || !/^[0-9a-f]{32}$/.test(value.digest)) return null;
  const tags = Array.isArray(value.tags) ? value.tags.filter((tag) => typeof tag === "string" && tag.trim()) : [];
  return {
    verdict: VERDICTS.includes(value.verdict) ? value.verdict : null,
    tags,
    note: typeof value.note === "string" ? value.note : "",
    number: Number.isInteger(value.number) ? value.number : null,
    at: typeof value.at === "string" ? value.at : "",
  };
}

// Whether one was said later than another one, if there is any.
function isLater(entry, other) {
  return !other || timeOf(entry) > timeOf(other);
}

function timeOf(entry) {
  return Date.parse(entry.at) || 0;
}

function nowInSeconds() {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
