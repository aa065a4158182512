"use strict";
// All texts reach the page as textContent: nothing of a record or a plugin is parsed as markup.
// All numbers come as texts: the report rounds them, in one place for every format.
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
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// An estimate is [value, low, high, text, interval as text].
const [VALUE, LOW, HIGH, TEXT, INTERVAL] = [0, 1, 2, 3, 4];
const state = {
  board: 0, track: "all", scales: new Set(), off: new Set(), sort: "rank", descending: false,
  cost: "macs", at: 0, px: "", ms: "",
};
const whole = () => DATA.boards[state.board];
const board = () => (state.track === "clean" && whole().clean) || whole();
const rowOf = (line, scale) => DATA.rows[line.rows[scale]] ?? null;
const accuracyOf = (line, scale) => rowOf(line, scale)?.accuracy ?? null;
const scaleName = (scale) => (scale === 1 ? "HR" : `x${scale}`);
const sizeOf = (scale) => board().sizes.find(([s]) => s === scale)[1];
// "6 px", and with its scale where another scale is of that size too.
const sizeName = (scale) => {
  const [px, alike] = [sizeOf(scale), board().sizes.filter(([, size]) => size === sizeOf(scale))];
  return alike.length > 1 ? `${px} px (${scaleName(scale)})` : `${px} px`;
};
const shownScales = () => board().sizes.filter(([scale]) => state.scales.has(scale));
const shownLines = () => board().lines.filter((line) => !state.off.has(line.label));
const said = (found) => (found ? `${found[TEXT]} ${found[INTERVAL]}`.trim() : DASH);
const dark = () => document.documentElement.dataset.theme === "dark";
const colourOf = (line) => (dark() ? line.dark : line.colour);

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) =>
    make("option", { value, selected: value === chosen ? "" : null }, text)));
  select.value = chosen;
  select.closest("label").hidden = options.length < 2; // nothing to choose
}

const protocolOf = (b) => `${b.protocol} → ${b.test}`;

// The three selects narrow each other from left to right; each always leads to a board that exists.
function showFilters() {
  const unique = (values) => [...new Map(values.map((v) => [v[0], v])).values()];
  const now = whole();
  const same = DATA.boards.filter((b) => b.dataset === now.dataset);
  const alike = same.filter((b) => protocolOf(b) === protocolOf(now));
  const name = (b) => (b.protocol === b.test ? b.test
    : `trained on ${b.protocol}, tested on ${b.test}`);
  fill($("f-dataset"), unique(DATA.boards.map((b) => [b.dataset, b.dataset])), now.dataset);
  fill($("f-protocol"), unique(same.map((b) => [protocolOf(b), name(b)])), protocolOf(now));
  fill($("f-preset"), unique(alike.map((b) => [b.preset, b.preset])), now.preset);
  const tracks = [["all", "all test images"]];
  if (now.clean) tracks.push(["clean", "without leaked rows"]);
  fill($("f-track"), tracks, state.track);
  $("f-scales").replaceChildren(...now.sizes.map(([scale, px]) => make("label", {},
    make("input", { type: "checkbox", checked: state.scales.has(scale) ? "" : null, value: scale,
      onchange: (event) => tick(scale, event.target.checked) }), ` ${scaleName(scale)} (${px} px)`)));
  $("scales").hidden = now.sizes.length < 2;
}

function tick(scale, on) {
  if (on) state.scales.add(scale);
  else state.scales.delete(scale);
  if (!on && state.sort === `accuracy:${scale}`) sortByRank(); // that column is gone
  show();
}

function sortByRank() {
  state.sort = "rank";
  state.descending = false;
}

// The report's own sort (--sort-by), which the first view of each board has.
function sortAsFirst() {
  state.sort = whole().sort;
  state.descending = whole().descending;
}

const isSortedAsFirst = () => state.sort === whole().sort && state.descending === whole().descending;

function choose(k) {
  const untouched = isSortedAsFirst();
  state.board = k;
  if (!whole().clean) state.track = "all";
  state.scales = new Set(whole().sizes.map(([scale]) => scale));
  state.at = 0;
  if (untouched || !whole().columns.some((column) => column.name === state.sort)) sortAsFirst();
}

function setUpFilters() {
  function pick(match) {
    const now = whole();
    const score = (b) => (b.dataset === now.dataset) * 4
      + (protocolOf(b) === protocolOf(now)) * 2 + (b.preset === now.preset);
    const found = DATA.boards.map((b, k) => [match(b) ? score(b) : -1, k])
      .sort((x, y) => y[0] - x[0] || x[1] - y[1]);
    choose(found[0][1]);
    showFilters();
    show();
  }
  $("f-dataset").onchange = (event) => pick((b) => b.dataset === event.target.value);
  const here = (b) => b.dataset === whole().dataset;
  $("f-protocol").onchange = (event) =>
    pick((b) => here(b) && protocolOf(b) === event.target.value);
  $("f-preset").onchange = (event) =>
    pick((b) => here(b) && protocolOf(b) === protocolOf(whole()) && b.preset === event.target.value);
  $("f-track").onchange = (event) => { state.track = event.target.value; show(); };
  $("filters").onsubmit = (event) => event.preventDefault();
}

function setUpTheme() {
  const root = document.documentElement;
  root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  $("theme").onclick = () => {
    root.dataset.theme = dark() ? "light" : "dark";
    show();
  };
}

// The result in words, made by the report from the numbers.
function showAnswer() {
  $("headline").textContent = board().headline;
  $("answers").replaceChildren(...board().answers.map((a) => make("li", {},
    make("b", { class: "px" }, sizeName(a.scale)), " ", make("b", {}, a.best), ` ${a.accuracy} % `,
    make("span", { class: "interval" }, a.interval), " ",
    make("span", { class: a.sure ? "sure" : "unsure" }, a.said), a.lead ? `; ${a.lead}` : "")));
}

function show() {
  document.querySelectorAll(".badge").forEach((badge) => { badge.hidden = !board().synthetic; });
  $("board-notes").textContent = board().notes.join(" ");
  showAnswer();
  showChart();
  showLegend();
  showTable();
  showColumns();
  showNeed();
  showPanels();
  writeAddress();
}
