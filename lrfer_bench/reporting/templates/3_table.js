// The leaderboard: columns as data, so that heads, cells and sorting agree.
function columns() {
  const list = [
    { id: "rank", head: "#", value: (e) => e.rank, up: true, cell: (e) => e.rank ?? DASH },
    { id: "method", head: "Method", value: (e) => e.label, up: true, name: true, cell: (e) => e.label + (e.extra ? ` (${e.extra})` : "") },
  ];
  for (const [scale, px] of shownScales()) {
    list.push({ id: `x${scale}`, head: `${scaleName(scale)} (${px} px)`, value: (e) => estimate(rowOf(e, scale))?.[0] ?? null, scale });
  }
  const number = (id, head, up = false) => list.push({ id, head, up, value: (e) => e[id] ? e[id][0] : null, cell: (e) => e[id] ? e[id][1] : DASH });
  if (board().lr.length > 1) number("area", "Area");
  number("keeps", "Keeps 90 % at (px)", true);
  number("f1", "Macro-F1");
  number("balanced", "Bal. acc.");
  number("params", "Params", true);
  number("macs", "MACs", true);
  number("latency", "Latency", true);
  number("training", "Training", true);
  number("seeds", "Seeds");
  return list;
}

function compareBy(column, descending) {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    return (typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x - y) * sign || a.order - b.order;
  };
}

function showTable() {
  const list = columns();
  const sorted = list.find((c) => c.id === state.sort) || list[0];
  const spans = Object.fromEntries(list.filter((c) => c.scale !== undefined).map((c) => [c.scale, span(c.scale)]));
  const head = make("tr", {}, ...list.map((c) => make("th", { scope: "col", class: c.name ? "name" : null,
    "aria-sort": c === sorted ? (state.descending ? "descending" : "ascending") : "none" },
    make("button", { type: "button", "data-sort": c.id, onclick: () => sortBy(c) }, c.head))));
  const entries = [...board().entries].sort(compareBy(sorted, state.descending));
  const body = (apart) => make("tbody", { class: apart ? "apart" : null },
    ...entries.filter((e) => e.apart === apart).map((e) => make("tr", { "data-method": e.label }, ...list.map((c) => cell(e, c, spans)))));
  $("table").replaceChildren(make("thead", {}, head), body(false), body(true));
}

function sortBy(column) {
  state.descending = state.sort === column.id ? !state.descending : !column.up;
  state.sort = column.id;
  showTable();
  $("table").querySelector(`[data-sort="${column.id}"]`).focus();
}

function cell(entry, column, spans) {
  if (column.scale !== undefined) return make("td", {}, accuracy(entry, column.scale, spans[column.scale]));
  const [found, interval] = split(String(column.cell(entry)));
  const best = column.name || column.id === "area" ? entry.first : false;
  return make(column.name ? "th" : "td", { scope: column.name ? "row" : null, class: [column.name && "name", best && "best"].filter(Boolean).join(" ") || null },
    found, interval ? make("span", { class: "interval" }, interval) : null);
}

// "0.563 [0.553, 0.573]" as number and interval; a method's name is left whole.
function split(text) {
  const parts = /^([^[]+) (\[[^\]]+\])$/.exec(text);
  return parts && /^[\d.>≤ *]+$/.test(parts[1]) ? [parts[1], parts[2]] : [text, ""];
}

function accuracy(entry, scale, range) {
  const row = rowOf(entry, scale);
  const found = estimate(row);
  if (entry.holes[scale]) return make("span", { class: "hole" }, entry.holes[scale]);
  if (!found) return DASH;
  const best = (state.track === "all" ? entry.best : entry.bestClean).includes(scale);
  return make("button", { type: "button", class: best ? "best" : null, "data-scale": scale,
    "aria-label": `${entry.label}, ${scaleName(scale)}: ${percent(found)} ${bounds(found)}, open details`, onclick: () => openDetail(entry, scale) },
    percent(found) + (row.partial ? "*" : ""), bounds(found) ? make("span", { class: "interval" }, bounds(found)) : null, bar(found, range));
}

function span(scale) {
  const found = board().entries.map((e) => estimate(rowOf(e, scale))).filter(Boolean);
  return [Math.min(...found.map((f) => f[1] ?? f[0])), Math.max(...found.map((f) => f[2] ?? f[0]))];
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
