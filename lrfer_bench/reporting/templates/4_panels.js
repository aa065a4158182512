// What accuracy costs, recall of each class over size, and calibration.
const COSTS = { macs: "multiply-adds", parameters: "parameters", latency: "latency" };
const LINE = 13;
const SMALL = { left: 34, right: 10, top: 24, bottom: 26 };

const middle = () => whole().over[Math.floor((whole().over.length - 1) / 2 + 0.5)];
const atScale = () => (board().over.includes(state.at) ? state.at : middle());

function showPanels() {
  showCost();
  showRecall();
  showCalibration();
}

function setUpPanels() {
  $("f-cost").onchange = (event) => { state.cost = event.target.value; showCost(); writeAddress(); };
  $("f-at").onchange = (event) => { state.at = Number(event.target.value); showCost(); writeAddress(); };
}

function showCost() {
  const scale = atScale();
  fill($("f-cost"), Object.entries(COSTS), state.cost);
  fill($("f-at"), board().over.map((s) => [String(s), sizeName(s)]), String(scale));
  const found = shownLines().filter((line) => !line.apart).map((line) => ({ line, row: rowOf(line, scale) }))
    .filter(({ line, row }, k, all) => row?.accuracy && row[state.cost] > 0
      && !all.some((other) => other.line.label === line.copies[scale]));
  const front = state.cost !== "latency" || board().timed;
  $("cost-note").textContent = front
    ? "The grey steps join methods that no other beats in both." : "Latencies taken beside other "
      + "work or on different hardware: read them as an order of magnitude; there is no front.";
  if (!found.length) {
    $("cost-note").textContent = "";
    $("cost").replaceChildren(make("p", { class: "hint" }, "Nothing to draw."));
    return;
  }
  $("cost").replaceChildren(costPicture(found, front, scale));
}

function costPicture(found, front, scale) {
  const width = Math.max(280, $("cost").clientWidth), height = width < WIDE ? 280 : 340;
  const left = 40, right = width < WIDE ? 20 : 110, top = 22, bottom = 40;
  const costs = found.map(({ row }) => Math.log10(row[state.cost]));
  const [first, last] = [Math.min(...costs) - 0.08, Math.max(...costs) + 0.08];
  const ends = found.flatMap(({ row: { accuracy: a } }) => [a[LOW] ?? a[VALUE], a[HIGH] ?? a[VALUE]]);
  const [low, high] = [Math.max(0, Math.min(...ends) - 0.01), Math.min(1, Math.max(...ends) + 0.01)];
  const x = (cost) => left + ((Math.log10(cost) - first) / (last - first)) * (width - left - right);
  const y = (value) => top + (1 - (value - low) / (high - low)) * (height - top - bottom);
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img",
    "aria-label": `Accuracy at ${sizeName(scale)} against ${COSTS[state.cost]}` });
  const step = [0.01, 0.02, 0.05, 0.1, 0.2].find((s) => (high - low) / s <= 6) || 0.2;
  for (let tick = Math.ceil(low / step); tick * step <= high; tick++) {
    picture.append(draw("line", { class: "grid", x1: left, x2: width - right, y1: y(tick * step),
      y2: y(tick * step) }), draw("text", { x: left - 6, y: y(tick * step) + 4,
      "text-anchor": "end" }, `${Math.round(100 * tick * step)}`));
  }
  picture.append(draw("text", { x: 2, y: 11 }, `accuracy in % at ${sizeName(scale)}`),
    draw("text", { x: left, y: height - 6 }, `${COSTS[state.cost]} for one face`));
  for (const { row } of extremes(found)) {
    picture.append(draw("text", { x: x(row[state.cost]), y: height - 22, "text-anchor": "middle" },
      row.said[state.cost]));
  }
  if (front) picture.append(frontOf(found, x, y));
  for (const one of found) drawCost(picture, one, x, y);
  if (width >= WIDE) drawCostNames(picture, found, x, y, width);
  return picture;
}

function extremes(found) {
  const sorted = [...found].sort((a, b) => a.row[state.cost] - b.row[state.cost]);
  const ends = [sorted[0], sorted[sorted.length - 1]];
  return ends[0].row[state.cost] === ends[1].row[state.cost] ? ends.slice(1) : ends;
}

function frontOf(found, x, y) {
  const sorted = [...found].sort((a, b) => a.row[state.cost] - b.row[state.cost]
    || b.row.accuracy[VALUE] - a.row.accuracy[VALUE]);
  const best = [];
  for (const { row } of sorted) {
    if (!best.length || row.accuracy[VALUE] > best[best.length - 1].accuracy[VALUE]) best.push(row);
  }
  const steps = best.map((row, k) => (k ? `H${x(row[state.cost]).toFixed(1)}V` : `M${x(row[state.cost]).toFixed(1)} `)
    + y(row.accuracy[VALUE]).toFixed(1));
  return draw("path", { class: "front", d: steps.join("") });
}

// Names beside the marks, each moved down until it covers no other one.
function drawCostNames(picture, found, x, y, width) {
  const placed = [];
  const sorted = [...found].sort((a, b) => b.row.accuracy[VALUE] - a.row.accuracy[VALUE]);
  for (const { line, row } of sorted) {
    const at = x(row[state.cost]) + 10;
    const name = fitted(line.label, Math.min(NAMES, width - at)), wide = widthOf(name) + 8;
    let place = y(row.accuracy[VALUE]) + 4;
    // less than a line's height: rounded, a place plus it may be nearer than it, and no end come
    const covers = (other) => Math.abs(other.place - place) < LINE - 0.01
      && at < other.at + other.wide && other.at < at + wide;
    for (let hit = placed.find(covers); hit; hit = placed.find(covers)) place = hit.place + LINE;
    placed.push({ at, wide, place });
    picture.append(draw("text", { x: at, y: place, class: "level" }, name));
  }
}

function drawCost(picture, { line, row }, x, y) {
  const [at, a] = [x(row[state.cost]).toFixed(1), row.accuracy];
  const group = draw("g", { class: "mark", "data-method": line.label },
    draw("title", {}, `${line.label}: ${said(a)}, ${row.said[state.cost]}`));
  if (a[LOW] !== null) {
    group.append(draw("line", { class: "bar", x1: at, x2: at, y1: y(a[LOW]), y2: y(a[HIGH]),
      stroke: colourOf(line), "stroke-width": 2 }));
  }
  group.append(draw("path", { d: SHAPES[line.marker] || SHAPES.o, fill: colourOf(line),
    transform: `translate(${at} ${y(a[VALUE]).toFixed(1)}) scale(1.3)` }));
  picture.append(group);
}

// A small picture on 0..1 by 0..1. curves: [line, [[x, y], ...]]; ticks: [x, text]
function panel(title, curves, ticks, diagonal = false) {
  const [width, height] = [230, 170];
  const x = (v) => SMALL.left + v * (width - SMALL.left - SMALL.right);
  const y = (v) => height - SMALL.bottom - v * (height - SMALL.top - SMALL.bottom);
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, class: "panel", role: "img",
    "aria-label": title }, draw("text", { class: "title", x: SMALL.left, y: 14 }, title));
  for (const tick of [0, 0.5, 1]) {
    picture.append(draw("line", { class: "grid", x1: x(0), x2: x(1), y1: y(tick), y2: y(tick) }),
      draw("text", { x: SMALL.left - 5, y: y(tick) + 4, "text-anchor": "end" }, `${100 * tick}`));
  }
  for (const [at, text] of ticks) {
    picture.append(draw("text", { x: x(at), y: height - 9, "text-anchor": "middle" }, text));
  }
  if (diagonal) {
    picture.append(draw("line", { class: "front", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }));
  }
  for (const [line, found] of curves) {
    const places = found.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`);
    const group = draw("g", { class: "mark", "data-method": line.label },
      draw("title", {}, line.label),
      draw("path", { d: `M${places.join("L")}`, fill: "none", stroke: colourOf(line),
        "stroke-width": 1.6, "stroke-dasharray": dashes(line) }));
    for (const place of places) {
      group.append(draw("path", { d: SHAPES[line.marker] || SHAPES.o, fill: colourOf(line),
        transform: `translate(${place}) scale(.7)` }));
    }
    picture.append(group);
  }
  return picture;
}

function showRecall() {
  const curves = visible();
  const sizes = [...new Set(curves.flatMap((c) => c.points.map((p) => p.px)))].sort((a, b) => a - b);
  const [first, last] = [Math.log2(sizes[0]), Math.log2(sizes[sizes.length - 1])];
  const at = (px) => (first === last ? 0.5 : 0.06 + 0.88 * (Math.log2(px) - first) / (last - first));
  const ticks = sizes.map((px) => [at(px), `${px} px`]);
  $("recall").replaceChildren(...board().classes.map((name, k) => panel(name, curves
    .map(({ line, points: found }) => [line, found.map((p) => [at(p.px), rowOf(line, p.scale).recall[k]])
      .filter(([, value]) => value !== null)]).filter(([, found]) => found.length), ticks)));
}

function showCalibration() {
  const ticks = [[0, "0"], [0.5, "50"], [1, "100"]];
  const panels = shownScales().map(([scale, px]) => [px, scale, visible()
    .map(({ line }) => [line, rowOf(line, scale)?.calibration ?? []]).filter(([, f]) => f.length)])
    .filter(([, , curves]) => curves.length);
  $("calibration").replaceChildren(...panels.map(([px, scale, curves]) =>
    panel(`${scaleName(scale)} (${px} px)`, curves, ticks, true)));
}
