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

const dashes = (line) => line.dash.map((d) => 2 * d).join(" ") || "none";

function points(line) {
  return shownScales().map(([scale, px]) => ({ scale, px, found: estimate(rowOf(line, scale)) }))
    .filter((p) => p.found).sort((a, b) => a.px - b.px);
}

function visible() {
  return board().lines.filter((line) => !line.oracle && !state.off.has(line.label))
    .map((line) => ({ line, points: points(line) })).filter((curve) => curve.points.length);
}

function frame(curves, ceiling) {
  const ends = (found) => [found[1] ?? found[0], found[2] ?? found[0]];
  const values = curves.flatMap((c) => c.points.flatMap((p) => ends(p.found)));
  if (ceiling) values.push(...ends(ceiling));
  let low = Math.min(...values), high = Math.max(...values);
  const pad = Math.max((high - low) * 0.06, 0.01);
  low = Math.max(0, low - pad);
  high = Math.min(1, high + pad);
  const step = [0.01, 0.02, 0.05, 0.1, 0.2].find((s) => (high - low) / s <= 7) || 0.2;
  const met = new Map(curves.flatMap((c) => c.points.map((p) => [p.px, p.scale])));
  const sizes = [...met].sort((a, b) => a[0] - b[0]);
  return { low, high, step, sizes };
}

function showChart() {
  const curves = visible();
  const ceiling = board().ceiling ? board().ceiling[state.track] : null;
  if (!curves.length) {
    const hint = "Nothing to draw: switch on a method or a scale.";
    $("chart").replaceChildren(make("p", { class: "hint" }, hint));
    return;
  }
  const { low, high, step, sizes } = frame(curves, ceiling);
  const width = Math.max(280, $("chart").clientWidth), height = width < 500 ? 260 : 380;
  const left = 44, right = 14, top = 14, bottom = 44;
  const first = Math.log2(sizes[0][0]), last = Math.log2(sizes[sizes.length - 1][0]);
  const margin = 18, room = width - left - right - 2 * margin;
  const share = (px) => (last === first ? 0.5 : (Math.log2(px) - first) / (last - first));
  const x = (px) => left + margin + share(px) * room;
  const y = (value) => top + (1 - (value - low) / (high - low)) * (height - top - bottom);
  const said = `Accuracy against size in pixels, ${curves.length} methods`;
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, height, tabindex: 0,
    role: "img", "aria-label": `${said}; arrow keys read the numbers` });
  const level = (value) => ({ x1: left, x2: width - right, y1: y(value), y2: y(value) });
  for (let tick = Math.ceil(low / step); tick * step <= high + 1e-9; tick++) {
    picture.append(draw("line", { class: "grid", ...level(tick * step) }),
      draw("text", { x: left - 6, y: y(tick * step) + 4, "text-anchor": "end" },
        `${Math.round(100 * tick * step)}`));
  }
  for (const [px, scale] of sizes) {
    picture.append(draw("text", { x: x(px), y: height - 26, "text-anchor": "middle" }, `${px} px`),
      draw("text", { x: x(px), y: height - 11, "text-anchor": "middle" }, scaleName(scale)));
  }
  picture.append(draw("text", { x: 4, y: 11 }, "%"));
  if (ceiling) {
    picture.append(draw("line", { class: "ceiling", ...level(ceiling[0]) }),
      draw("text", { x: left + 4, y: y(ceiling[0]) - 5 },
        `oracle (sees HR) ${percent(ceiling)}`));
  }
  for (const curve of curves) drawCurve(picture, curve, x, y);
  const guide = draw("line",
    { class: "guide", y1: top, y2: height - bottom, visibility: "hidden" });
  picture.append(guide);
  listen(picture, guide, curves, sizes, x, width);
  $("chart").replaceChildren(picture);
}

function drawCurve(picture, { line, points: found }, x, y) {
  const group = draw("g", { class: "mark", "data-method": line.label });
  const path = (part) => found.map((p) => `${x(p.px).toFixed(1)} ${y(p.found[part]).toFixed(1)}`);
  if (found.every((p) => p.found[1] !== null)) {
    group.append(draw("path", { d: `M${path(2).join("L")}L${path(1).reverse().join("L")}Z`,
      fill: line.colour, opacity: 0.13 }));
  }
  group.append(draw("path", { d: `M${path(0).join("L")}`, fill: "none", stroke: line.colour,
    "stroke-width": 2, "stroke-dasharray": dashes(line) }));
  for (const p of found) {
    const place = `${x(p.px).toFixed(1)} ${y(p.found[0]).toFixed(1)}`;
    group.append(draw("path", { d: SHAPES[line.marker] || SHAPES.o, fill: line.colour,
      transform: `translate(${place})` }));
  }
  picture.append(group);
}

function listen(picture, guide, curves, sizes, x, width) {
  let at = -1;
  const read = (k, left, top) => {
    at = k;
    const [px, scale] = sizes[k];
    guide.setAttribute("x1", x(px));
    guide.setAttribute("x2", x(px));
    guide.setAttribute("visibility", "visible");
    const met = curves
      .map((c) => ({ label: c.line.label, found: c.points.find((p) => p.px === px)?.found }))
      .filter((m) => m.found).sort((a, b) => b.found[0] - a.found[0]);
    showTip([[`${px} px (${scaleName(scale)})`, "accuracy in %"],
      ...met.map((m) => [m.label, `${percent(m.found)} ${bounds(m.found)}`])], left, top);
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
  tip.replaceChildren(...lines.slice(0, 24).map(([name, value]) =>
    make("div", {}, make("span", {}, name), make("span", {}, value))));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(left + 14, innerWidth - box.width - 6))}px`;
  tip.style.top = `${Math.max(4, Math.min(top + 14, innerHeight - box.height - 6))}px`;
}

function showLegend() {
  const curves = board().lines.filter((line) => !line.oracle && points(line).length);
  const toggle = (line) => () => {
    if (state.off.has(line.label)) state.off.delete(line.label);
    else state.off.add(line.label);
    showChart();
    showLegend();
    [...$("legend").children].find((b) => b.dataset.method === line.label)?.focus();
  };
  $("legend").replaceChildren(...curves.map((line) => make("button", { type: "button",
    "aria-pressed": String(!state.off.has(line.label)), "data-method": line.label,
    onclick: toggle(line) }, sample(line), line.label)));
}

function sample(line) {
  return draw("svg", { width: 30, height: 12, viewBox: "-15 -6 30 12", "aria-hidden": "true" },
    draw("line", { x1: -15, x2: 15, y1: 0, y2: 0, stroke: line.colour, "stroke-width": 2,
      "stroke-dasharray": dashes(line) }),
    draw("path", { d: SHAPES[line.marker] || SHAPES.o, fill: line.colour }));
}
