// Confusion matrix and records behind a number; method cards; what is missing.
function openDetail(line, scale) {
  const row = rowOf(line, scale);
  const said = (found) => `${percent(found)} ${bounds(found)}`;
  $("detail-title").textContent = `${line.label} · ${scaleName(scale)} (${row.px} px)`;
  const facts = [
    ["Board", board().title],
    ["Accuracy", `${said(row.all)} on ${row.n} test images`],
    row.clean && board().leaks
      ? ["Without leaked rows", `${said(row.clean)} on ${row.nClean} images`] : null,
    row.std !== null
      ? ["Between seeds", `standard deviation ${(100 * row.std).toFixed(2)} points (ddof 1)`]
      : null,
    row.retained
      ? ["Of the oracle's accuracy", `${percent(row.retained)} % ${bounds(row.retained)}`] : null,
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
      const share = total ? value / total : 0;
      const box = make("td", { title: `${name} said to be ${classes[j]}: ${value} of ${total}` },
        total ? (100 * share).toFixed(0) : DASH);
      box.style.background = `rgb(0 114 178 / ${(0.85 * share).toFixed(3)})`;
      if (share > 0.6) box.style.color = "#fff";
      return box;
    }));
  });
  return make("table", { class: "matrix" },
    make("thead", {}, make("tr", {}, make("th", {}),
      ...classes.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...body));
}

function record(found) {
  return make("details", { class: "record" },
    make("summary", {}, found.summary), make("pre", {}, found.text));
}

function showMissing() {
  const { failed, holes, warnings } = DATA.missing;
  const failures = failed.map((f) => make("details", { class: "failure" },
    make("summary", {}, `${f.name}: ${f.sentence}`),
    make("pre", {}, f.traceback || "no traceback")));
  const parts = [
    ...(failed.length ? [make("h3", {}, "Failed"), ...failures] : []),
    ...bullets("Missing or unfinished", holes), ...bullets("Not counted", warnings),
  ];
  const nothing = make("p", {}, "Nothing: every cell that was begun is finished.");
  $("missing").replaceChildren(...(parts.length ? parts : [nothing]));
}

function showCards() {
  const cards = DATA.cards.map((card) => {
    const facts = [["Authors", card.authors], ["Year", card.year && String(card.year)],
      ["Address", card.url]].filter(([, value]) => value);
    return make("details", { class: "card", "data-card": card.name },
      make("summary", {}, make("b", {}, card.name), ` ${card.summary}`),
      card.title ? make("p", {}, make("i", {}, card.title)) : null,
      terms(facts),
      ...bullets("Stated by its source", card.stated), ...bullets("Decided here", card.ours),
      ...(card.bibtex ? [make("pre", {}, card.bibtex), make("button", { type: "button",
        onclick: (event) => copy(card.bibtex, event.target) }, "Copy BibTeX")] : []));
  });
  const none = "The methods of this table are not installed here, so there are no cards.";
  $("cards").replaceChildren(...(cards.length ? cards : [make("p", {}, none)]));
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

if (DATA.boards.length) {
  setUpTheme();
  setUpFilters();
  show();
  addEventListener("resize", showChart);
}
showMissing();
showCards();
