// The leaderboard. Its columns come with the data: heads, cells and sorting all follow them.
function columns() {
  return board().columns.map((column, at) => ({ ...column, at }))
    .filter((column) => column.scale === null || state.scales.has(column.scale));
}

// What a line has in a column, to sort by. One of a scale also depends on the track shown.
function valueOf(line, column) {
  if (column.scale === null) return line.cells[column.at][0];
  return estimate(rowOf(line, column.scale))?.[0] ?? null;
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
  const sorted = list.find((c) => c.name === state.sort) || list[0];
  const scales = list.filter((c) => c.scale !== null).map((c) => c.scale);
  const spans = Object.fromEntries(scales.map((scale) => [scale, span(scale)]));
  const head = make("tr", {}, ...list.map((c) => headOf(c, c === sorted)));
  const lines = [...board().lines].sort(compareBy(sorted, state.descending));
  const body = (apart) => make("tbody", { class: apart ? "apart" : null },
    ...lines.filter((line) => line.apart === apart).map((line) => make("tr",
      { "data-method": line.label }, ...list.map((c) => cell(line, c, spans)))));
  $("table").replaceChildren(make("thead", {}, head), body(false), body(true));
}

function headOf(column, sorted) {
  const order = state.descending ? "descending" : "ascending";
  return make("th", { scope: "col", class: column.name === NAME ? "name" : null,
    title: column.tip || null, "aria-sort": sorted ? order : "none" },
    make("button", { type: "button", "data-sort": column.name, onclick: () => sortBy(column) },
      column.head));
}

function sortBy(column) {
  state.descending = state.sort === column.name ? !state.descending : !column.up;
  state.sort = column.name;
  showTable();
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
  const found = estimate(row);
  if (line.holes[scale]) return make("span", { class: "hole" }, line.holes[scale]);
  if (!found) return DASH;
  const best = (state.track === "all" ? line.best : line.bestClean).includes(scale);
  const said = `${line.label}, ${scaleName(scale)}: ${percent(found)} ${bounds(found)}`;
  return make("button", { type: "button", class: best ? "best" : null, "data-scale": scale,
    "aria-label": `${said}, open details`, onclick: () => openDetail(line, scale) },
    percent(found) + (row.partial ? "*" : ""),
    bounds(found) ? make("span", { class: "interval" }, bounds(found)) : null, bar(found, range));
}

function span(scale) {
  const found = board().lines.map((line) => estimate(rowOf(line, scale))).filter(Boolean);
  const [lows, highs] = [found.map((f) => f[1] ?? f[0]), found.map((f) => f[2] ?? f[0])];
  return [Math.min(...lows), Math.max(...highs)];
}

function bar(found, [low, high]) {
  if (found[1] === null || high <= low) return null;
  const place = (value) => (100 * (value - low)) / (high - low);
  const inside = make("i"), middle = make("b");
  inside.style.left = `${place(found[1])}%`;
  inside.style.width = `${place(found[2]) - place(found[1])}%`;
  middle.style.left = `calc(${place(found[0])}% - 1px)`;
  return make("span", { class: "track", "aria-hidden": "true" }, inside, middle);
}
