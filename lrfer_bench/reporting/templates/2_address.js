// The state of the view stands in the address, so that a link shows what its sender saw. Only what
// differs from the first view is written.
function writeAddress() {
  const words = new URLSearchParams();
  const all = whole().sizes.map(([scale]) => scale);
  if (state.board) words.set("board", whole().slug);
  if (state.track !== "all") words.set("track", state.track);
  if (all.some((scale) => !state.scales.has(scale))) {
    words.set("scales", all.filter((scale) => state.scales.has(scale)).join(","));
  }
  for (const label of state.off) words.append("off", label);
  if (!isSortedAsFirst()) {
    words.set("sort", state.sort);
    if (state.descending) words.set("order", "descending");
  }
  if (state.cost !== "macs") words.set("cost", state.cost);
  if (state.at && state.at !== middle()) words.set("at", state.at);
  if (asked(state.px) !== null) words.set("px", state.px);
  if (asked(state.ms) !== null) words.set("ms", state.ms);
  const wanted = String(words) ? `#${words}` : location.pathname.split("/").pop();
  const now = location.hash || location.pathname.split("/").pop();
  if (wanted !== now) history.replaceState(null, "", wanted);
}

// An address may be anybody's, so a word that means nothing here is passed over.
function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  const at = DATA.boards.findIndex((b) => b.slug === words.get("board"));
  state.track = "all";
  choose(Math.max(0, at));
  sortAsFirst();
  if (words.get("track") === "clean" && whole().clean) state.track = "clean";
  if (words.has("scales")) {
    const asked = new Set(words.get("scales").split(",").map(Number));
    state.scales = new Set(whole().sizes.map(([s]) => s).filter((s) => asked.has(s)));
  }
  const labels = new Set(whole().lines.map((line) => line.label));
  state.off = new Set(words.getAll("off").filter((label) => labels.has(label)));
  if (whole().columns.some((column) => column.name === words.get("sort"))) {
    state.sort = words.get("sort");
    state.descending = words.get("order") === "descending";
  }
  const sorted = whole().columns.find((column) => column.name === state.sort);
  if (sorted && sorted.scale !== null && !state.scales.has(sorted.scale)) sortByRank();
  state.cost = "macs";
  if (Object.hasOwn(COSTS, words.get("cost") ?? "")) state.cost = words.get("cost");
  if (whole().over.includes(Number(words.get("at")))) state.at = Number(words.get("at"));
  const number = (word) => (asked(words.get(word)) === null ? "" : words.get(word));
  state.px = number("px");
  state.ms = number("ms");
}
