// What the page knows of each conversation at once. A row is what the list, the filters and the pictures need:
//   n  its number in the file; null where it is not in it      d  the digest of its text
//   t  how it begins          x  exchanges      w  words       l  tools that are called
//   e  whether a result is an error             o  whether a thought was rewritten
//   h  which frequent openings it has, as numbers in `index.openings`
//   m  how much of what the user says is said in the most similar other conversation too, in percent    mn  that one's row
// and, where the state database knows it:
//   r  its number in the run  s  its status     u  its timeline, which is its user       nm the user's name
//   a  ability   f  form      at when it takes place           z  when it ended, in seconds since 1970
//   p  provider  st stage     re reason         k  tokens     md models, as numbers in `index.models`
// `body` is what is drawn of one, from its block:
//   m messages   y the lines of its system prompt, or their numbers   b rows of what was planned, with labels
//   g what its calls changed  nb notes before it, where it stands by itself    q words that were its undoing
//   dt detail    u what each model was used for  sec seconds that its answers took

// And of its own:
//   i  its place among all      c  how it is called in the address: its digest, and a number behind it where a text comes again

const STATUS = { finished: "accepted", rejected: "rejected", "set aside": "set aside" };
const KEPT_BLOCKS = 12;

function makeModel(index) {
  const names = Object.keys(index.columns);
  const size = names.length ? index.columns.d.length : 0;
  const rows = [];
  for (let i = 0; i < size; i++) {
    const row = { i };
    for (const name of names) row[name] = index.columns[name][i];
    row.s = row.n === null ? STATUS[row.s] : "accepted";
    rows.push(row);
  }
  const times = new Map();
  const byAddress = new Map();
  const byRun = new Map();
  const users = new Map();
  for (const row of rows) {
    times.set(row.d, (times.get(row.d) ?? 0) + 1);
    row.c = times.get(row.d) === 1 ? row.d : `${row.d}-${times.get(row.d)}`;
    byAddress.set(row.c, row);
    if (row.r) byRun.set(row.r, row);
    if (row.u) users.set(row.u, [...(users.get(row.u) ?? []), row]);
  }
  for (const days of users.values()) days.sort((one, other) => one.r - other.r);
  const readChunk = keepingFew(blockReader("chunk"));
  const readNotes = keepingFew(blockReader("notes"));
  const places = new Map(index.timelines.map((timeline, place) => [timeline, place]));
  const chunkOf = (row) => {
    let low = 0;
    let high = index.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (index.starts[middle] <= row.i) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    index,
    rows,
    byAddress,
    byRun,
    users,
    texts: new Array(size).fill(null),
    readChunk,
    async body(row) {
      const chunk = chunkOf(row);
      return (await readChunk(chunk))[row.i - index.starts[chunk]];
    },
    async notes(timeline) {
      if (!places.has(timeline)) return [];
      const block = await readNotes(Math.floor(places.get(timeline) / index.in_a_notes_block));
      return (block[timeline] ?? []).map(([shelf, date, text, added, deleted]) => ({ shelf, date, text, added, deleted }));
    },
  };
}

// Blocks are read again rather than that all of them stay in memory as objects.
function keepingFew(read) {
  const kept = new Map();
  return (number) => {
    const block = kept.get(number) ?? read(number);
    kept.delete(number);
    kept.set(number, block);
    if (kept.size > KEPT_BLOCKS) kept.delete(kept.keys().next().value);
    return block;
  };
}

function nameOf(row) {
  return row.n === null ? `Not accepted, ${row.r} of the run` : `Conversation ${row.n}`;
}

function dayOf(row) {
  return row.at ? row.at.slice(0, 16).replace("T", " ") : "";
}

function labelOf(value) {
  return value.replaceAll("_", " ");
}

// Which notes were there before a conversation, and what it changed; null where nobody knows what was there.
function notebookOf(row, body, notes) {
  const changes = (body.g ?? []).map(([shelf, added, text]) => ({ shelf, text, change: added ? "added" : "removed" }));
  if (body.nb) {
    const before = body.nb.map(([shelf, date, text]) => ({ shelf, date, text, change: "" }));
    return { before: withRemoved(before, changes), added: changes.filter((note) => note.change === "added"), isUndone: false };
  }
  if (!row.r) return { before: null, changes, isUndone: false };
  const there = notes.filter((note) => note.added < row.r && (!note.deleted || note.deleted >= row.r));
  const before = there.map((note) => ({ ...note, change: note.deleted === row.r ? "removed" : "" }));
  // What the judge rejects is undone; what left the output later, for a person or a new rule, is not.
  if (row.s !== "accepted" && !notes.some((note) => note.added === row.r || note.deleted === row.r)) {
    return { before: withRemoved(before, changes), added: changes.filter((note) => note.change === "added"), isUndone: changes.length > 0 };
  }
  const added = notes
    .filter((note) => note.added === row.r)
    .map((note) => ({ ...note, change: note.deleted === row.r ? "added and removed" : "added" }));
  return { before, added, isUndone: false };
}

function withRemoved(before, changes) {
  const removed = new Set(changes.filter((note) => note.change === "removed").map((note) => `${note.shelf} ${note.text}`));
  return before.map((note) => ({ ...note, change: removed.has(`${note.shelf} ${note.text}`) ? "removed" : "" }));
}
