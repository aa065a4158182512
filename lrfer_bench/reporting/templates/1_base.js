"use strict";
// All texts reach the page as textContent: nothing of a record or a plugin is parsed as markup.
const DATA = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const DASH = "–";
const NAME = "method"; // the column that names the lines

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value);
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const state = {
  board: 0, track: "all", scales: new Set(), off: new Set(), sort: "rank", descending: false,
};
const board = () => DATA.boards[state.board];
const estimate = (row, track = state.track) => (row ? row[track] : null);
const scaleName = (scale) => (scale === 1 ? "HR" : `x${scale}`);
const rowOf = (line, scale) => DATA.rows[line.rows[scale]] ?? null;
const shownScales = () => board().sizes.filter(([scale]) => state.scales.has(scale));

function percent(found) {
  if (!found) return DASH;
  return (100 * found[0]).toFixed(found[3]);
}

function bounds(found) {
  if (!found || found[1] === null) return "";
  return `[${(100 * found[1]).toFixed(found[3])}, ${(100 * found[2]).toFixed(found[3])}]`;
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) =>
    make("option", { value, selected: value === chosen ? "" : null }, text)));
  select.value = chosen;
  select.disabled = options.length < 2;
}

// The three selects narrow each other from left to right; each always leads to a board that exists.
function setUpFilters() {
  const unique = (values) => [...new Map(values.map((v) => [v[0], v])).values()];
  const protocol = (b) => `${b.protocol} → ${b.test}`;
  function refresh() {
    const now = board();
    const same = DATA.boards.filter((b) => b.dataset === now.dataset);
    const alike = same.filter((b) => protocol(b) === protocol(now));
    const said = (b) => (b.protocol === b.test ? b.test
      : `trained on ${b.protocol}, tested on ${b.test}`);
    fill($("f-dataset"), unique(DATA.boards.map((b) => [b.dataset, b.dataset])), now.dataset);
    fill($("f-protocol"), unique(same.map((b) => [protocol(b), said(b)])), protocol(now));
    fill($("f-preset"), unique(alike.map((b) => [b.preset, b.preset])), now.preset);
    const tracks = [["all", "all test images"]];
    if (now.leaks) tracks.push(["clean", "without leaked rows"]);
    else state.track = "all";
    fill($("f-track"), tracks, state.track);
    state.scales = new Set(now.sizes.map(([scale]) => scale));
    $("f-scales").replaceChildren(...now.sizes.map(([scale, px]) => make("label", {},
      make("input", { type: "checkbox", checked: "", value: scale, onchange: (event) => {
        if (event.target.checked) state.scales.add(scale);
        else state.scales.delete(scale);
        show();
      } }), ` ${scaleName(scale)} (${px} px)`)));
  }
  function pick(match) {
    const now = board();
    const score = (b) => (b.dataset === now.dataset) * 4
      + (protocol(b) === protocol(now)) * 2 + (b.preset === now.preset);
    const found = DATA.boards.map((b, k) => [match(b) ? score(b) : -1, k])
      .sort((x, y) => y[0] - x[0] || x[1] - y[1]);
    state.board = found[0][1];
    refresh();
    show();
  }
  $("f-dataset").onchange = (event) => pick((b) => b.dataset === event.target.value);
  const here = (b) => b.dataset === board().dataset;
  $("f-protocol").onchange = (event) =>
    pick((b) => here(b) && protocol(b) === event.target.value);
  $("f-preset").onchange = (event) =>
    pick((b) => here(b) && protocol(b) === protocol(board()) && b.preset === event.target.value);
  $("f-track").onchange = (event) => { state.track = event.target.value; show(); };
  $("filters").onsubmit = (event) => event.preventDefault();
  refresh();
}

function setUpTheme() {
  const root = document.documentElement;
  root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  $("theme").onclick = () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  };
}

function show() {
  document.querySelectorAll(".badge").forEach((badge) => { badge.hidden = !board().synthetic; });
  $("board-notes").textContent = board().notes.join(" ");
  showChart();
  showLegend();
  showTable();
}
