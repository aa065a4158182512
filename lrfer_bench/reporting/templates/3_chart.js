// Accuracy against log2 of the size, with bands. The pointer and the arrow keys read the numbers.
const SHAPES = {
  o: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
  s: "M-3.6-3.6h7.2v7.2h-7.2z",
  "^": "M0-4.6L4.4 3.4H-4.4z",
  D: "M0-5L5 0L0 5L-5 0z",
  v: "M0 4.6L4.4-3.4H-4.4z",
  P: "M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
  X: "M-4.5-2.5L-2.5-4.5L0-2L2.5-4.5L4.5-2.5L2 0L4.5 2.5L2.5 4.5L0 2L-2.5 4.5L-4.5 2.5L-2 0z",
  "<": "M-4.6 0L3.4-4.4V4.4z",
  ">": "M4.6 0L-3.4-4.4V4.4z",
  "*": "M0-5L1.3-1.5H5L2 .8L3 4.5L0 2.3L-3 4.5L-2 .8L-5-1.5H-1.3z",
};
const WIDE = 620; // pixels from which there is room for names at the ends of lines
const NAMES = 150, APART = 14, MOST_NAMES = 22, MOST_READ = 23;
const PEN = document.createElement("canvas").getContext("2d"); // measures letters, draws nothing

const dashes = (line) => line.dash.map((d) => 2 * d).join(" ") || "none";

const widthOf = (text) => {
  PEN.font = `12px ${getComputedStyle(document.body).fontFamily}`; // as .chart text
  return PEN.measureText(text).width;
};

// A text, cut so that it has room: letters differ in width, so their number would not tell.
function fitted(text, room) {
  let shown = text;
  for (let end = text.length - 1; end > 0 && widthOf(shown) > room; end--) {
    shown = `${text.slice(0, end)}…`;
  }
  return shown;
}

function points(line) {
  return shownScales().map(([scale, px]) => ({ scale, px, found: accuracyOf(line, scale) }))
    .filter((p) => p.found).sort((a, b) => a.px - b.px || b.scale - a.scale);
}

function visible() {
  return shownLines().filter((line) => !line.oracle)
    .map((line) => ({ line, points: points(line) })).filter((curve) => curve.points.length);
}

// [size in pixels, its scales], small sizes first: two scales may be of one size.
function sizesOf(curves) {
  const found = new Map();
  for (const { scale, px } of curves.flatMap((c) => c.points)) {
    found.set(px, (found.get(px) ?? new Set()).add(scale));
  }
  return [...found].map(([px, scales]) => [px, [...scales].sort((a, b) => a - b)])
    .sort((a, b) => a[0] - b[0]);
}

function frame(curves, levels) {
  const ends = (found) => [found[LOW] ?? found[VALUE], found[HIGH] ?? found[VALUE]];
  const values = curves.flatMap((c) => c.points.flatMap((p) => ends(p.found)));
  values.push(...levels);
  let low = Math.min(...values), high = Math.max(...values);
  const pad = Math.max((high - low) * 0.06, 0.01);
  low = Math.max(0, low - pad);
  high = Math.min(1, high + pad);
  const step = [0.01, 0.02, 0.05, 0.1, 0.2].find((s) => (high - low) / s <= 7) || 0.2;
  return { low, high, step, sizes: sizesOf(curves) };
}

function showChart() {
  const curves = visible();
  const { ceiling, chance } = board();
  if (!curves.length) {
    const any = board().lines.some((line) => !line.oracle && Object.keys(line.rows).length);
    const hint = any ? "Nothing to draw: switch on a method or a scale."
      : "Nothing to draw: no method is finished here.";
    $("chart").replaceChildren(make("p", { class: "hint" }, hint));
    return;
  }
  const levels = [...chance.map(([value]) => value), ...(ceiling ? [ceiling[VALUE]] : [])];
  const { low, high, step, sizes } = frame(curves, levels);
  const width = Math.max(280, $("chart").clientWidth), height = width < WIDE ? 300 : 420;
  // of too many the methods alone, not their models at sizes that they were not trained for
  const own = new Set(curves.filter((c) => !c.line.off_scale).map((c) => c.line.method));
  const names = curves.length <= MOST_NAMES ? curves
    : curves.filter((c) => !c.line.off_scale || !own.has(c.line.method));
  const named = width >= WIDE && names.length <= MOST_NAMES;
  const left = 40, right = named ? NAMES : 14, top = 16, bottom = 44;
  const first = Math.log2(sizes[0][0]), last = Math.log2(sizes[sizes.length - 1][0]);
  const margin = 18, room = width - left - right - 2 * margin;
  const share = (px) => (last === first ? 0.5 : (Math.log2(px) - first) / (last - first));
  const x = (px) => left + margin + share(px) * room;
  const y = (value) => top + (1 - (value - low) / (high - low)) * (height - top - bottom);
  const words = `Accuracy against size in pixels, ${curves.length} methods`;
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, height, tabindex: 0,
    role: "img", "aria-label": `${words}; arrow keys read the numbers` });
  const level = (value) => ({ x1: left, x2: width - right, y1: y(value), y2: y(value) });
  for (let tick = Math.ceil(low / step); tick * step <= high + 1e-9; tick++) {
    picture.append(draw("line", { class: "grid", ...level(tick * step) }),
      draw("text", { x: left - 6, y: y(tick * step) + 4, "text-anchor": "end" },
        `${Math.round(100 * tick * step)}`));
  }
  for (const [px, scales] of sizes) {
    picture.append(draw("text", { x: x(px), y: height - 26, "text-anchor": "middle" }, `${px} px`),
      draw("text", { x: x(px), y: height - 11, "text-anchor": "middle" },
        scales.map(scaleName).join(", ")));
  }
  picture.append(draw("text", { x: 2, y: 11 }, "accuracy in %"));
  for (const curve of curves) drawCurve(picture, curve, x, y);
  drawChance(picture, chance, level, y);
  if (ceiling) {
    picture.append(draw("line", { class: "ceiling", ...level(ceiling[VALUE]) }),
      draw("text", { x: left + 4, y: y(ceiling[VALUE]) - 5, class: "level" },
        `oracle (sees HR) ${ceiling[TEXT]}`));
  }
  if (named) drawNames(picture, names, x, y, [width - right + 12, width], [top, height - bottom]);
  const guide = draw("line",
    { class: "guide", y1: top, y2: height - bottom, visibility: "hidden" });
  picture.append(guide);
  listen(picture, guide, curves, sizes, x, width);
  $("chart").replaceChildren(picture);
}

// What guessing reaches; one text where both guessers are level.
function drawChance(picture, chance, level, y) {
  const close = chance.length === 2 && Math.abs(y(chance[0][VALUE]) - y(chance[1][VALUE])) < APART;
  chance.forEach(([value, text], k) => {
    picture.append(draw("line", { class: "chance", ...level(value) }));
    if (close && k) return;
    const place = { x: level(value).x2 - 4, y: y(value) - 4, "text-anchor": "end" };
    picture.append(draw("text", { ...place, class: "level" },
      close ? `${text}, ${chance[1][1]}` : text));
  });
}

function drawCurve(picture, { line, points: found }, x, y) {
  const colour = colourOf(line);
  const group = draw("g", { class: "mark", "data-method": line.label });
  const path = (part) => found.map((p) => `${x(p.px).toFixed(1)} ${y(p.found[part]).toFixed(1)}`);
  if (found.every((p) => p.found[LOW] !== null)) {
    group.append(found.length > 1
      ? draw("path", { class: "band", d: `M${path(HIGH).join("L")}L${path(LOW).reverse().join("L")}Z`,
        fill: colour, opacity: 0.13 })
      : draw("path", { class: "bar", d: `M${path(LOW)[0]}L${path(HIGH)[0]}`, stroke: colour,
        "stroke-width": 2 })); // a band of one size has no width
  }
  group.append(draw("path", { d: `M${path(VALUE).join("L")}`, fill: "none", stroke: colour,
    "stroke-width": 2, "stroke-dasharray": dashes(line) }));
  for (const p of found) {
    const place = `${x(p.px).toFixed(1)} ${y(p.found[VALUE]).toFixed(1)}`;
    group.append(draw("path", { d: SHAPES[line.marker] || SHAPES.o, fill: colour,
      transform: `translate(${place})` }));
  }
  picture.append(group);
}

// Names at the ends of lines, pushed apart so that each can be read.
function drawNames(picture, curves, x, y, [at, edge], [top, bottom]) {
  const ends = curves.map(({ line, points: found }) => {
    const end = found[found.length - 1];
    return { line, from: [x(end.px), y(end.found[VALUE])], y: y(end.found[VALUE]) };
  }).sort((a, b) => a.y - b.y);
  for (let k = 1; k < ends.length; k++) ends[k].y = Math.max(ends[k].y, ends[k - 1].y + APART);
  const over = ends[ends.length - 1].y - bottom;
  if (over > 0) {
    ends[ends.length - 1].y = bottom;
    for (let k = ends.length - 2; k >= 0; k--) {
      ends[k].y = Math.min(ends[k].y, ends[k + 1].y - APART);
    }
  }
  for (const { line, from, y: place } of ends) {
    picture.append(
      draw("path", { class: "leader", fill: "none", stroke: colourOf(line),
        d: `M${from[0] + 7} ${from[1].toFixed(1)}L${at - 5} ${place.toFixed(1)}` }),
      draw("text", { class: "end", x: at, y: (place + 4).toFixed(1), "data-method": line.label },
        draw("title", {}, line.label), fitted(line.label, edge - at)));
  }
}

// [method, accuracy] of each curve at a scale, the best first; at the end how many more there are.
function readAt(curves, scale, most) {
  const met = curves
    .map((c) => ({ label: c.line.label, found: c.points.find((p) => p.scale === scale)?.found }))
    .filter((m) => m.found).sort((a, b) => b.found[VALUE] - a.found[VALUE])
    .map((m) => [m.label, said(m.found)]);
  if (met.length <= most) return met;
  return [...met.slice(0, most - 1), [`and ${met.length - most + 1} more, in the table`]];
}

function listen(picture, guide, curves, sizes, x, width) {
  let at = -1;
  const read = (k, left, top) => {
    at = k;
    const [px, scales] = sizes[k];
    guide.setAttribute("x1", x(px));
    guide.setAttribute("x2", x(px));
    guide.setAttribute("visibility", "visible");
    const most = Math.floor(MOST_READ / scales.length);
    showTip(scales.flatMap((scale) => [[`${px} px (${scaleName(scale)})`, "accuracy in %"],
      ...readAt(curves, scale, most)]), left, top);
  };
  const hide = () => { guide.setAttribute("visibility", "hidden"); $("tip").hidden = true; };
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const here = ((event.clientX - box.left) / box.width) * width;
    const far = (j) => Math.abs(x(sizes[j][0]) - here);
    const k = sizes.reduce((best, _, j) => (far(j) < far(best) ? j : best), 0);
    read(k, event.clientX, event.clientY);
  });
  picture.addEventListener("pointerleave", hide);
  picture.addEventListener("blur", hide);
  picture.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!move) return;
    event.preventDefault();
    const k = at < 0 ? 0 : Math.min(sizes.length - 1, Math.max(0, at + move));
    const box = picture.getBoundingClientRect();
    read(k, box.left + (x(sizes[k][0]) / width) * box.width, box.top + 20);
  });
}

function showTip(lines, left, top) {
  const tip = $("tip");
  tip.replaceChildren(...lines.map(([name, value]) =>
    make("div", {}, make("span", {}, name), value ? make("span", {}, value) : null)));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(left + 14, innerWidth - box.width - 6))}px`;
  tip.style.top = `${Math.max(4, Math.min(top + 14, innerHeight - box.height - 6))}px`;
}

// One switch a method, for all pictures and for the table.
function showLegend() {
  const lines = board().lines.filter((line) => !line.oracle && points(line).length);
  const toggle = (line) => () => {
    if (state.off.has(line.label)) state.off.delete(line.label);
    else state.off.add(line.label);
    show();
    [...$("legend").children].find((b) => b.dataset.method === line.label)?.focus();
  };
  $("legend").replaceChildren(...lines.map((line) => make("button", { type: "button",
    "aria-pressed": String(!state.off.has(line.label)), "data-method": line.label,
    onclick: toggle(line) }, sample(line), line.label)));
}

function sample(line) {
  return draw("svg", { width: 30, height: 12, viewBox: "-15 -6 30 12", "aria-hidden": "true" },
    draw("line", { x1: -15, x2: 15, y1: 0, y2: 0, stroke: colourOf(line), "stroke-width": 2,
      "stroke-dasharray": dashes(line) }),
    draw("path", { d: SHAPES[line.marker] || SHAPES.o, fill: colourOf(line) }));
}
