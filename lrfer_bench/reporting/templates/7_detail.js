// Confusion matrix and records behind a number; method cards; what is missing.
function openDetail(line, scale) {
  const row = rowOf(line, scale);
  $("detail-title").textContent = `${line.label} · ${scaleName(scale)} (${row.px} px)`;
  const facts = [
    ["Board", board().title],
    ["Accuracy", `${said(row.accuracy)} on ${row.n} test images`],
    otherTrack(line, scale),
    againstBest(line, scale),
    row.std !== null ? ["Between seeds", `standard deviation ${row.std} points (ddof 1)`] : null,
    ofOracle(line.retained[scale]),
    ...row.facts,
  ].filter(Boolean);
  $("detail-body").replaceChildren(
    terms(facts),
    make("h3", {}, "Confusion: true class (rows), class said (columns), in % of the true class"),
    make("div", { class: "scroll" }, matrix(row)),
    make("h3", {}, "Records"),
    ...row.records.map((k) => record(DATA.records[k])));
  $("detail").showModal();
  $("detail").scrollTop = 0;
}

// The same cell on the track that is not shown.
function otherTrack(line, scale) {
  if (!whole().clean) return null;
  const clean = state.track === "clean";
  const other = (clean ? whole() : whole().clean).lines.find((l) => l.label === line.label);
  const row = other && rowOf(other, scale);
  if (!row) return null;
  const name = clean ? "On all test images" : "Without leaked rows";
  return [name, `${said(row.accuracy)} on ${row.n} images`];
}

const ofOracle = (found) => (found
  ? ["Of the oracle's accuracy", `${found[TEXT]} % ${found[INTERVAL]}`] : null);

// Of the line that the others were tested against, which may not be the most accurate one.
function againstBest(line, scale) {
  const { against, tested } = board();
  const best = against[scale];
  if (line.apart || !best) return null;
  if (best === line.label) {
    const top = testedAt(scale).every((other) =>
      accuracyOf(other, scale)[VALUE] <= accuracyOf(line, scale)[VALUE]);
    return ["Against the best", `it is the best at this size${top ? "" : " that could be ranked"}`
      + `${tested ? "" : ", by its score alone: nothing was tested"}`];
  }
  const p = line.p[scale];
  return p && p !== DASH ? ["Against the best", `p ${p} (${best}, after Holm's correction)`] : null;
}

function terms(pairs) {
  return make("dl", {},
    ...pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function bullets(title, texts) {
  if (!texts.length) return [];
  return [make("h3", {}, title), make("ul", {}, ...texts.map((text) => make("li", {}, text)))];
}

function matrix(row) {
  const classes = board().classes, count = classes.length;
  const line = (i) => row.confusion.slice(i * count, (i + 1) * count);
  const body = classes.map((name, i) => {
    const total = line(i).reduce((a, b) => a + b, 0);
    return make("tr", {}, make("th", { scope: "row" }, name), ...line(i).map((value, j) => {
      const box = make("td", { title: `${name} said to be ${classes[j]}: ${value} of ${total}` },
        row.shares[i * count + j]);
      shade(box, total ? value / total : 0);
      return box;
    }));
  });
  return make("table", { class: "matrix" },
    make("thead", {}, make("tr", {}, make("th", {}),
      ...classes.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...body));
}

// A cell's ground between the page's and blue, and black or white on it, whichever reads better.
function shade(box, share) {
  const ground = dark() ? [20, 23, 27] : [255, 255, 255], blue = [0, 114, 178];
  const mixed = ground.map((part, k) => Math.round(part + share * (blue[k] - part)));
  const light = (parts) => parts.map((p) => p / 255)
    .map((p) => (p <= 0.04045 ? p / 12.92 : ((p + 0.055) / 1.055) ** 2.4))
    .reduce((sum, p, k) => sum + p * [0.2126, 0.7152, 0.0722][k], 0);
  box.style.background = `rgb(${mixed.join(" ")})`;
  box.style.color = light(mixed) > 0.179 ? "#000" : "#fff";
}

function record(found) {
  return make("details", { class: "record" },
    make("summary", {}, found.summary), make("pre", {}, found.text));
}

function showMissing() {
  const { failed, more, holes, warnings } = DATA.missing;
  const failures = failed.map((f) => make("details", { class: "failure" },
    make("summary", {}, `${f.name}: ${f.sentence}`),
    make("pre", {}, f.traceback || "no traceback")));
  const parts = [
    ...(failed.length ? [make("h3", {}, "Failed"), ...failures] : []),
    ...(more ? [make("p", {}, more)] : []),
    ...bullets("Missing or unfinished", holes), ...bullets("Not counted", warnings),
  ];
  const nothing = make("p", {}, "Nothing: every cell that was begun is finished.");
  $("missing").replaceChildren(...(parts.length ? parts : [nothing]));
}

function showCards() {
  const cards = DATA.cards.map((card) => {
    const facts = [["Authors", card.authors], ["Year", card.year && String(card.year)],
      ["Paper", card.url && link(card.url, card.url)]].filter(([, value]) => value);
    return make("details", { class: "card", "data-card": card.name },
      make("summary", {}, make("b", {}, card.name), ` ${card.summary}`),
      card.title ? make("p", {}, make("i", {}, card.title)) : null,
      terms(facts),
      ...bullets("Stated by its source", card.stated), ...bullets("Decided here", card.ours),
      ...(card.bibtex ? [make("pre", {}, card.bibtex), make("button", { type: "button",
        onclick: (event) => copy(card.bibtex, event.target) }, "Copy BibTeX")] : []));
  });
  const none = "The methods of this table have no cards.";
  $("cards").replaceChildren(...(cards.length ? cards : [make("p", {}, none)]));
}

// A link; an address that is neither of the web nor beside the page stays text.
function link(address, text, more = {}) {
  const fine = /^https?:/i.test(address) || !/^[a-z][a-z0-9+.-]*:/i.test(address);
  const beside = /^https?:/i.test(address) ? address
    : address.split("/").map(encodeURIComponent).join("/");
  return fine ? make("a", { href: beside, rel: "noopener", ...more }, text) : text;
}

function showLinks() {
  const names = { csv: "CSV", md: "Markdown", tex: "LaTeX", html: "HTML", bib: "BibTeX" };
  const ending = (name) => name.split(".").pop();
  const found = DATA.links.tables ?? [];
  const tables = found.map((name) => link(name, names[ending(name)] ?? name));
  const bibtex = [...new Set(DATA.cards.map((card) => card.bibtex.trim()).filter(Boolean))];
  if (bibtex.length && !found.some((name) => ending(name) === "bib")) {
    const text = encodeURIComponent(`${bibtex.join("\n\n")}\n`);
    tables.push(make("a", { href: `data:application/x-bibtex;charset=utf-8,${text}`,
      download: "citations.bib" }, "BibTeX"));
  }
  $("tables").replaceChildren(...tables.map((node) => make("li", {}, node)));
  const groups = new Map();
  for (const name of DATA.links.pictures ?? []) {
    const stem = name.slice(0, name.lastIndexOf("."));
    groups.set(stem, [...(groups.get(stem) ?? []), name]);
  }
  $("pictures").replaceChildren(...[...groups].map(([stem, names]) => make("li", {},
    `${stem.replace(/^pictures\//, "")}: `, ...names.flatMap((name, k) => [k ? ", " : null,
      link(name, ending(name).toUpperCase())]))));
  $("pictures").parentElement.hidden = !groups.size;
}

async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page opened from disk may be refused the clipboard: the old way still works there.
    const area = make("textarea", { readonly: "" });
    area.value = text;
    button.after(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  button.textContent = done ? "Copied" : "Select the text and copy it";
  setTimeout(() => { button.textContent = "Copy BibTeX"; }, 1500);
}
