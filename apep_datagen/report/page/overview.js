// The whole: what `apep-datagen stats` knows, and what follows from the rows, as pictures.

function drawOverview(app) {
  const { index, rows } = app.model;
  const statistics = index.statistics;
  const run = statistics?.run ?? null;
  const accepted = rows.filter((row) => row.s === "accepted");
  // A bar of all conversations leads to those that are here, if any are.
  const isSample = index.left_out > 0;
  const lead = (...list) => {
    const hash = listHash(...list);
    return isSample && !find(app.model, app.verdicts, viewOf(hash)).found.length ? null : hash;
  };
  const basis = (text, figures) => {
    const drawn = figures.filter(Boolean);
    if (isSample) for (const box of drawn) box.querySelector("h3").after(make("p", { class: "quiet basis" }, text));
    return drawn;
  };
  const ofAll = (figures) => basis("Of all.", figures);
  const ofThese = (figures) => basis("Of the sample.", figures);
  const figures = [
    ...ofAll(run ? ofRun(run, statistics.shortcuts.run, lead) : []),
    ...ofThese([
      lengths("Words of a conversation", "words", accepted.map((row) => row.w)),
      lengths("Exchanges of a conversation", "exchanges", accepted.map((row) => row.x), 1),
      toolUse(accepted),
      alike(accepted),
    ]),
    ...ofAll(statistics ? ofTexts(statistics, index.openings, lead) : []),
    ...ofAll(index.run ? [speed(index.run.speed, lead), spent(index.run.uses, index.models)] : []),
  ];
  return make(
    "article",
    { class: "overview", "aria-labelledby": "conversation-name" },
    make(
      "header",
      { class: "conversation-head" },
      make("div", { class: "conversation-title" }, make("h2", { id: "conversation-name", tabindex: -1 }, "The whole")),
      make("p", { class: "conversation-facts" }, line(summary(index, rows))),
      isSample ? make("p", { class: "quiet" }, "Some figures are of all conversations, the others of this sample, as each says; a bar leads to those that are in this page.") : null,
      index.why_no_run ? make("p", { class: "quiet" }, line(`Not known: users, days, abilities and what was rejected (${index.why_no_run}).`)) : null,
      statistics === null ? make("p", { class: "quiet" }, "The file was being written when this report was made, so nothing was counted in its texts.") : null,
    ),
    make("div", { class: "figures" }, ...figures),
  );
}

function summary(index, rows) {
  const accepted = rows.filter((row) => row.s === "accepted").length;
  const parts = [`${index.output}: ${counted(accepted, "conversation")}`];
  if (rows.length > accepted) parts.push(`${count(rows.length - accepted)} that were not accepted`);
  if (index.left_out) parts.push(`a sample: ${count(index.left_out)} more are not in this page`);
  return parts.join(", ");
}

function ofRun(run, shortcuts, lead) {
  const quality = run.quality;
  const abilities = run.abilities.filter((item) => item.count || item.wished_percent);
  const figures = [
    figure(
      "Mix against the wish",
      "Share of the accepted conversations by ability; the mark, and the number behind, are what was wished for.",
      bars(
        abilities.map((item) => ({
          label: labelOf(item.ability),
          value: item.percent,
          wish: item.wished_percent,
          text: `${item.percent.toFixed(1)} % (${item.wished_percent.toFixed(1)} %)`,
          href: item.count ? lead({ ability: item.ability, status: "accepted" }) : null,
        })),
      ),
    ),
  ];
  if (quality.ended) {
    figures.push(
      figure("Yield by ability", "Accepted of those that ended.", yields(quality.by_ability, "ability", lead)),
      figure("Yield by provider", "Accepted of those that ended; who made the last call counts.", yields(quality.by_provider, "provider", lead)),
    );
    const stages = new Map();
    const reasons = new Map();
    for (const item of quality.rejections) {
      stages.set(item.stage, (stages.get(item.stage) ?? 0) + item.count);
      reasons.set(item.reason, (reasons.get(item.reason) ?? 0) + item.count);
    }
    if (stages.size) {
      figures.push(
        byStageAndProvider(quality.rejections),
        figure("Rejected by stage", null, counts(stages, (stage) => lead({ stage }), quality.ended)),
        figure("Rejected by reason", "The most frequent ones.", counts(reasons, (reason) => lead({ reason }), quality.ended)),
      );
    }
  }
  const kinds = shortcuts.abilities.filter((kind) => kind.form === null && kind.conversations);
  if (kinds.length) {
    figures.push(
      figure(
        "Notes in memory before a conversation",
        "By ability: the middle one, half of all in the box, and from the smallest to the largest. Where one ability stands out, a model learns to guess from the number.",
        boxes(kinds.map((kind) => ({ label: labelOf(kind.ability), spread: kind.notes, href: lead({ ability: kind.ability, status: "accepted" }) }))),
      ),
    );
  }
  figures.push(...shortcuts.guesses.map((guess) => guessed(guess, lead)));
  return figures;
}

const RULES = {
  notes: "the number of notes",
  first_word: "the first word",
  first_pair: "the first two words",
  says_told: "whether it says “I told you”",
  thought_pair: "the first two words of the thought",
  thought_word: "one word of the thought",
};

// Where what is compared has another name than its ability.
const COMPARED = { "all these": ["recall", "connect", "ask_back", "diary_recall"], known_already: "share" };

function guessed(guess, lead) {
  const abilities = [COMPARED[guess.there] ?? guess.there, guess.missing === "abstain" ? "abstain" : []].flat();
  const href = lead({ ability: abilities, status: "accepted" });
  const items = Object.entries(RULES)
    .filter(([rule]) => guess[rule].balanced_accuracy !== null)
    .map(([rule, name]) => {
      const accuracy = guess[rule].balanced_accuracy;
      return { label: name, value: accuracy, wish: 0.5, text: `${(100 * accuracy).toFixed(0)} %`, href };
    });
  if (!items.length) return null;
  const title = `Shortcuts: ${labelOf(guess.there)} or ${labelOf(guess.missing)}`;
  return figure(title, "How often a rule guesses which of the two it is, without a look into memory; the mark is chance.", bars(items, 1));
}

function byStageAndProvider(rejections) {
  const providers = [...new Set(rejections.map((item) => item.provider))];
  const stages = [...new Set(rejections.map((item) => item.stage))];
  if (providers.length < 2) return null;
  const number = (stage, provider) =>
    rejections.filter((item) => item.stage === stage && item.provider === provider).reduce((sum, item) => sum + item.count, 0);
  const rows = stages.map((stage) => [stage, ...providers.map((provider) => count(number(stage, provider)))]);
  return figure("Rejected by stage and provider", null, tableOf(["Stage", ...providers], rows));
}

function yields(groups, facet, lead) {
  return bars(
    Object.entries(groups).map(([name, group]) => ({
      label: labelOf(name),
      value: group.ended,
      parts: [
        [group.accepted, "good"],
        [group.rejected, "bad"],
        [group.set_aside, "aside"],
      ],
      text: `${percent(group.accepted, group.ended)} of ${count(group.ended)}`,
      href: lead({ [facet]: name }),
    })),
  );
}

function counts(map, hrefOf, whole) {
  const items = [...map].sort((one, other) => other[1] - one[1]).slice(0, 12);
  return bars(items.map(([name, times]) => ({ label: name, value: times, text: `${count(times)}, ${percent(times, whole)}`, href: hrefOf(name) })));
}

function lengths(title, key, values, width = null) {
  if (!values.length) return null;
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  const step = width ?? niceStep(largest / 24);
  const heights = new Map();
  for (const value of values) {
    const from = Math.floor(value / step) * step;
    heights.set(from, (heights.get(from) ?? 0) + 1);
  }
  const items = [];
  for (let from = width ? 1 : 0; from <= largest && items.length < 200; from += step) {
    const times = heights.get(from) ?? 0;
    const label = step === 1 ? `${from}` : `${count(from)} to ${count(from + step - 1)}`;
    items.push({ label, parts: [[times, ""]], text: counted(times, "conversation"), href: times ? listHash({ status: "accepted" }, { [key]: `${from}-${from + step - 1}` }) : null });
  }
  return figure(title, null, columns(items, width ? "1" : "0", count(largest), [title.split(" of ")[0], "Conversations"]));
}

// How much of what users say is said in another conversation too.
function alike(rows) {
  const values = rows.filter((row) => row.m !== undefined && row.m !== null).map((row) => row.m);
  if (!values.length) return null;
  const items = [];
  for (let from = 0; from < 100; from += 5) {
    const to = from === 95 ? 100 : from + 4;
    const times = values.filter((value) => value >= from && value <= to).length;
    const href = times ? listHash({ status: "accepted" }, { alike: `${from}-${to}` }, "alike") : null;
    items.push({ label: `${from} to ${to} %`, parts: [[times, ""]], text: counted(times, "conversation"), href });
  }
  const about = "How much of what the user says is said in the most similar other conversation too: word trigrams of both, of those of either.";
  return figure("In common with the nearest", about, columns(items, "0 %", "100 %", ["In common", "Conversations"]));
}

function niceStep(least) {
  for (let size = 1; ; size *= 10) for (const factor of [1, 2, 5]) if (size * factor >= least) return size * factor;
}

function toolUse(rows) {
  const tools = new Map();
  for (const row of rows) for (const tool of row.l.length ? row.l : ["(none)"]) tools.set(tool, (tools.get(tool) ?? 0) + 1);
  if (!tools.size) return null;
  return figure("Tools", "In how many of the accepted conversations each is called.", counts(tools, (tool) => listHash({ tool, status: "accepted" }), rows.length));
}

const KINDS = { user_messages: "user messages", replies: "replies", first_thoughts: "first thoughts", later_thoughts: "later thoughts" };

function ofTexts(statistics, openings, lead) {
  const diversity = statistics.diversity;
  const kinds = Object.entries(KINDS).filter(([kind]) => diversity[kind].nearest.compared);
  if (!kinds.length) return [];
  return [
    figure(
      "Similarity to the nearest",
      "How much of a message is said in the most similar other one as well, in the mean of a sample; the lower, the more diverse.",
      bars(
        kinds.map(([kind, name]) => {
          const mean = diversity[kind].nearest.mean_similarity;
          return { label: name, value: mean, text: mean.toFixed(3), href: lead({ status: "accepted" }, {}, "alike") };
        }),
        1,
      ),
    ),
    ...kinds.map(([kind, name]) => openingsOf(kind, name, diversity[kind].openings, openings, lead)).filter(Boolean),
  ];
}

function openingsOf(kind, name, frequent, openings, lead) {
  const items = openings.flatMap(([of, text], place) => {
    const item = of === kind && frequent.most_frequent.find((each) => each.opening === text);
    if (!item) return [];
    const said = `${count(item.count)}, ${(100 * item.share).toFixed(1)} %`;
    return [{ label: text, value: item.count, text: said, href: lead({ opening: String(place), status: "accepted" }) }];
  });
  if (!items.length) return null;
  const about = `${count(frequent.distinct)} different ones of ${count(frequent.messages)}; those that several have most often:`;
  return figure(`Openings of ${name}`, about, bars(items));
}

function speed({ width, bars: found }, lead) {
  if (!found.length) return null;
  const items = [];
  const byStart = new Map(found.map(([start, ...parts]) => [start, parts]));
  const last = found.at(-1)[0];
  for (let start = found[0][0]; start <= last && items.length < 400; start += width) {
    const [accepted, others] = byStart.get(start) ?? [0, 0];
    items.push({
      label: momentOf(start),
      parts: [
        [accepted, "good"],
        [others, "bad"],
      ],
      text: `${count(accepted)} accepted, ${count(others)} not`,
      href: accepted + others ? lead({}, { ended: `${start}-${start + width - 1}` }) : null,
    });
  }
  const hours = (width * items.length) / 3600;
  const whole = found.reduce((sum, [, accepted]) => sum + accepted, 0);
  return figure(
    "Conversations over the run",
    `A column is ${width >= 3600 ? counted(width / 3600, "hour") : counted(width / 60, "minute")}; ${count(Math.round(whole / hours))} were accepted an hour, in the mean.`,
    columns(items, momentOf(found[0][0]), momentOf(last), ["Begin", "Accepted", "Not accepted"]),
  );
}

function momentOf(seconds) {
  return new Date(1000 * seconds).toISOString().slice(0, 16).replace("T", " ") + " UTC";
}

function spent(uses, models) {
  if (!uses.length) return null;
  const known = uses.every((use) => use[6] !== null);
  const whole = uses.reduce((sum, use) => sum + (use[6] ?? 0), 0);
  const heads = ["Model", "Role", "Requests", "Prompt tokens", "Completion tokens", "Cost"];
  const named = (name) => {
    const place = models.indexOf(name);
    return place < 0 ? name : make("a", { href: listHash({ model: String(place) }) }, line(name));
  };
  const rows = uses.map(([provider, model, role, requests, prompt, completion, usd]) => [named(`${provider} / ${model}`), role, count(requests), count(prompt), count(completion), usd === null ? "not known" : dollarsOf(usd)]);
  return figure("What it took", known ? `${dollarsOf(whole)} in all, at the prices of the configuration.` : "Prices that are not known go into the configuration.", tableOf(heads, rows));
}
