// What a reader says of conversations: kept in the browser as one goes, downloaded as a file, merged from one.
// They are known by the digest of a conversation's text, so a report made anew keeps them.

const VERDICTS = ["good", "bad", "unsure"];

function makeVerdicts(model, changed) {
  const ofName = `apep-datagen verdicts ${model.index.output} `;
  const key = ofName + model.index.identity;
  const given = new Map();
  let isKept = true;

  function load() {
    given.clear();
    try {
      if (localStorage.getItem(key) !== null) take(key, () => true);
      else adopt();
    } catch {
      isKept = false;
    }
  }

  function take(from, isWanted) {
    for (const [digest, entry] of Object.entries(JSON.parse(localStorage.getItem(from)))) {
      const read = readEntry({ ...entry, digest });
      if (read && isWanted(digest)) given.set(digest, read);
    }
  }

  // Where the first conversation has left a dataset, such as for a bad verdict, the others keep theirs.
  function adopt() {
    const others = Array.from({ length: localStorage.length }, (_, place) => localStorage.key(place));
    for (const other of others) if (other.startsWith(ofName)) take(other, (digest) => model.byDigest.has(digest));
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(Object.fromEntries(given)));
      isKept = true;
    } catch {
      isKept = false;
    }
    changed();
  }

  // Another window with the same report goes on from here.
  window.addEventListener("storage", (event) => {
    if (event.key === key) {
      load();
      changed();
    }
  });

  load();
  return {
    of: (row) => given.get(row.d) ?? null,
    isKept: () => isKept,
    set(row, changes) {
      const entry = { verdict: null, tags: [], note: "", ...given.get(row.d), ...changes, number: row.n, at: nowInSeconds() };
      if (!entry.verdict && !entry.note && !entry.tags.length) given.delete(row.d);
      else given.set(row.d, entry);
      keep();
    },
    counts() {
      const counts = { good: 0, bad: 0, unsure: 0, all: 0, drafts: 0 };
      for (const row of model.rows) {
        const entry = given.get(row.d);
        if (entry?.verdict) {
          counts[entry.verdict] += 1;
          counts.all += 1;
        } else if (entry) counts.drafts += 1;
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
        .map(([digest, { number, verdict, tags, note, at }]) => ({ digest, number: number ?? null, verdict, tags, note, at }))
        .sort((one, other) => (one.number ?? Infinity) - (other.number ?? Infinity) || (one.digest < other.digest ? -1 : 1));
      return { apep_datagen: "verdicts", version: 1, output: model.index.output, verdicts };
    },
    // Of two about the same conversation, the later one counts.
    merge(text) {
      const file = JSON.parse(text);
      if (file?.apep_datagen !== "verdicts" || file.version !== 1 || !Array.isArray(file.verdicts)) {
        throw new Error("it holds no verdicts of apep-datagen");
      }
      let taken = 0;
      let unknown = 0;
      for (const value of file.verdicts) {
        const entry = readEntry(value);
        if (!entry || !entry.verdict) continue;
        const mine = given.get(value.digest);
        if (!model.byDigest.has(value.digest)) unknown += 1;
        if (!mine?.verdict || mine.at < entry.at) {
          given.set(value.digest, entry);
          taken += 1;
        }
      }
      keep();
      return { taken, unknown, all: file.verdicts.length };
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
