// The leaderboard. Its columns come with the data: heads, cells and sorting all follow them.
function columns() {
  return board().columns.map((column, at) => ({ ...column, at }))
    .filter((column) => column.scale === null || state.scales.has(column.scale));
}

// What a line has in a column, to sort by.
function valueOf(line, column) {
  if (column.scale === null) return line.cells[column.at][0];
  return accuracyOf(line, column.scale)?.[VALUE] ?? null;
}

function compareBy(column, descending) {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const [x, y] = [valueOf(a, column), valueOf(b, column)];
    if (x === null || y === null) return (x === null) - (y === null);
    const order = typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x - y;
    return order * sign || a.order - b.order;
  };
}

function showTable() {
  const list = columns();
  const sorted = list.find((c) => c.name === state.sort);
  const scales = list.filter((c) => c.scale !== null).map((c) => c.scale);
  const spans = Object.fromEntries(scales.map((scale) => [scale, span(scale)]));
  const head = make("tr", {}, ...list.map((c) => headOf(c, c === sorted)));
  const lines = shownLines().filter(fits)
    // the report may be sorted by a column that the table does not show
    .sort(sorted ? compareBy(sorted, state.descending) : (a, b) => a.first - b.first);
  const body = (apart) => make("tbody", { class: apart ? "apart" : null },
    ...lines.filter((line) => line.apart === apart).map((line) => make("tr",
      { "data-method": line.label }, ...list.map((c) => cell(line, c, spans)))));
  $("table").replaceChildren(make("thead", {}, head), body(false), body(true));
  showOver(list);
  showMore();
}

// Columns over all LR scales do not follow the scales that are ticked, and say so.
function showOver(list) {
  const { over } = board();
  const partly = over.some((scale) => !state.scales.has(scale));
  const heads = list.filter((column) => column.over).map((column) => column.head);
  const sizes = over.map(sizeName).join(", ");
  $("over-note").hidden = !partly;
  $("over-note").textContent = `Over all sizes (${sizes}), not only those ticked: ${heads.join(", ")}.`;
}

// Says that there is more to the right, and shows it by a shadow.
function showMore() {
  const scroll = $("table").parentElement;
  const left = scroll.scrollWidth - scroll.clientWidth - scroll.scrollLeft;
  scroll.parentElement.classList.toggle("more", left > 4);
  $("scroll-note").hidden = scroll.scrollWidth <= scroll.clientWidth + 4;
}

function headOf(column, sorted) {
  const order = state.descending ? "descending" : "ascending";
  return make("th", { scope: "col", class: column.name === NAME ? "name" : null,
    title: column.tip || null, "aria-sort": sorted ? order : "none" },
    make("button", { type: "button", "data-sort": column.name, onclick: () => sortBy(column),
      onfocus: (event) => showHeadTip(event.target, column),
      onblur: () => { $("tip").hidden = true; } }, column.head));
}

// The pointer gets the title of the head; the keyboard gets the same as a tip.
function showHeadTip(button, column) {
  if (!column.tip || !button.matches(":focus-visible")) return;
  const box = button.getBoundingClientRect();
  showTip([[column.tip]], box.left, box.bottom);
}

function showColumns() {
  $("columns").replaceChildren(terms(board().columns.map((column) => [column.head, column.tip])));
}

function sortBy(column) {
  state.descending = state.sort === column.name ? !state.descending : !column.up;
  state.sort = column.name;
  showTable();
  writeAddress();
  $("table").querySelector(`[data-sort="${column.name}"]`).focus();
}

function cell(line, column, spans) {
  if (column.scale !== null) {
    return make("td", {}, accuracy(line, column.scale, spans[column.scale]));
  }
  const [, text, best] = line.cells[column.at];
  const [found, interval] = split(text);
  const name = column.name === NAME;
  const classes = [name && "name", best && "best"].filter(Boolean).join(" ") || null;
  return make(name ? "th" : "td", { scope: name ? "row" : null, class: classes },
    found, interval ? make("span", { class: "interval" }, interval) : null);
}

// "0.563 [0.553, 0.573]" as number and interval; a method's name is left whole.
function split(text) {
  const parts = /^([^[]+) (\[[^\]]+\])$/.exec(text);
  return parts && /^[\d.>≤ *]+$/.test(parts[1]) ? [parts[1], parts[2]] : [text, ""];
}

function accuracy(line, scale, range) {
  const row = rowOf(line, scale);
  const found = row?.accuracy;
  if (line.holes[scale]) return make("span", { class: "hole" }, line.holes[scale]);
  if (!found) return DASH;
  const best = line.best.includes(scale);
  return make("button", { type: "button", class: best ? "best" : null, "data-scale": scale,
    "aria-label": `${line.label}, ${scaleName(scale)}: ${said(found)}, open details`,
    onclick: () => openDetail(line, scale) },
    found[TEXT] + (row.partial ? "*" : ""),
    found[INTERVAL] ? make("span", { class: "interval" }, found[INTERVAL]) : null,
    bar(found, range));
}

function span(scale) {
  const found = board().lines.map((line) => accuracyOf(line, scale)).filter(Boolean);
  const lows = found.map((f) => f[LOW] ?? f[VALUE]), highs = found.map((f) => f[HIGH] ?? f[VALUE]);
  return [Math.min(...lows), Math.max(...highs)];
}

function bar(found, [low, high]) {
  if (found[LOW] === null || high <= low) return null;
  const place = (value) => (100 * (value - low)) / (high - low);
  const inside = make("i"), middle = make("b");
  inside.style.left = `${place(found[LOW])}%`;
  inside.style.width = `${place(found[HIGH]) - place(found[LOW])}%`;
  middle.style.left = `calc(${place(found[VALUE])}% - 1px)`;
  return make("span", { class: "track", "aria-hidden": "true" }, inside, middle);
}
