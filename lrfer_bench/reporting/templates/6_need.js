// "My face is N pixels high, and I have M milliseconds."
const asked = (text) => (Number(text) > 0 ? Number(text) : null);

// Rows that can be compared and were tested at a scale: also where nothing was trained for it.
const testedAt = (scale) => board().lines.filter((l) => !l.apart && accuracyOf(l, scale));

// The scale nearest in size that comparable rows were tested at, HR too; null where there is none.
// Of scales equally near it is one that something was trained for.
function nearest(px) {
  const far = (scale) => Math.abs(Math.log2(sizeOf(scale) / px));
  const untrained = (scale) => !board().over.includes(scale);
  const known = board().sizes.map(([scale]) => scale).filter((scale) => testedAt(scale).length);
  return known.sort((a, b) => far(a) - far(b) || untrained(a) - untrained(b))[0] ?? null;
}

// Whether a line can be had in the time given; without a time, or comparable times, all can. The
// time counts at the size asked for, else at all that the line has: where it has no number, it is
// not slow.
function fits(line) {
  const [px, ms] = [asked(state.px), asked(state.ms)];
  if (ms === null || !board().timed || line.apart) return true;
  const scales = px === null ? Object.keys(line.rows) : [nearest(px)];
  return scales.every((scale) => (rowOf(line, scale)?.latency ?? 0) <= ms);
}

function showNeed() {
  $("need-px").value = state.px;
  $("need-ms").value = state.ms;
  $("need-answer").textContent = answerTo(asked(state.px));
}

function answerTo(px) {
  if (!board().sizes.some(([scale]) => testedAt(scale).length)) {
    return "No method that can be compared is finished here.";
  }
  if (px === null) return `Give the height of your faces in pixels.${aboutTime(null)}`;
  const scale = nearest(px), name = sizeName(scale);
  const near = sizeOf(scale) === px ? `At ${name}`
    : `At ${name}, the nearest size that these methods were tested at`;
  const within = asked(state.ms) !== null && board().timed ? ` and within ${state.ms} ms` : "";
  const found = bestFirst(testedAt(scale).filter(fits), scale);
  const told = found.length ? choices(found, scale) : "no method of this table.";
  return `${near}${within}: ${told}${between(scale)}${aboutTime(scale)}`;
}

// As the result in words has them: a higher mean does not help a row that another one beats on the
// seeds of both, and of equals the first is the one that the others were tested against.
function bestFirst(lines, scale) {
  const labels = new Set(lines.map((line) => line.label));
  const key = (line) => [Number(labels.has(line.beaten[scale])), -accuracyOf(line, scale)[VALUE],
    Number(line.label !== board().against[scale])];
  return lines.map((line) => [key(line), line])
    .sort(([a], [b]) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]).map(([, line]) => line);
}

// What became of the time: which rows it leaves out of the table, or why it counts for nothing.
function aboutTime(scale) {
  if (!state.ms) return "";
  if (asked(state.ms) === null) return " Give a time of more than 0 ms.";
  if (!board().timed) {
    return " The time is not used: the latencies here were not taken alike, with nothing else "
      + "running.";
  }
  const shown = shownLines().filter((line) => !line.apart);
  const slow = shown.filter((line) => !fits(line)).length;
  const untested = scale === null ? 0 : shown.filter((line) => !accuracyOf(line, scale)).length;
  const left = `${slow} slower ${slow > 1 ? "rows are" : "row is"} left out below`;
  const where = scale === null ? ", judged by their slowest size" : "";
  const without = untested > 1 ? `${untested} rows below were` : `${untested} row below was`;
  return (slow ? ` ${left}${where}.` : "")
    + (untested ? ` ${without} not tested at this size.` : "");
}

// At a size that nothing was trained for, few methods may have been tested.
function between(scale) {
  if (board().over.includes(scale)) return "";
  const all = new Set(board().lines.filter((line) => !line.apart).map((line) => line.method));
  const here = new Set(testedAt(scale).map((line) => line.method));
  const count = `${here.size} of ${all.size}`;
  if (scale > 1) return ` No method was trained for this size; ${count} were tested at it.`;
  return here.size < all.size ? ` ${count} methods were tested at this size.` : "";
}

// "Level" is said of what was tested against the best one only: two others were never compared.
function choices(found, scale) {
  const [best, ...others] = found;
  const price = (line) => {
    const { said: texts } = rowOf(line, scale);
    return `${texts.macs} MACs${board().timed ? `, ${texts.latency}` : ""}`;
  };
  const tested = board().tested && best.label === board().against[scale];
  const cheap = others.filter((line) => tested && line.best.includes(scale))
    .filter((line) => rowOf(line, scale).macs < rowOf(best, scale).macs)
    .sort((a, b) => rowOf(a, scale).macs - rowOf(b, scale).macs)[0];
  return `${best.label} has ${said(accuracyOf(best, scale))} % (${price(best)}).`
    + (cheap ? ` Level with it and cheaper: ${cheap.label}, ${said(accuracyOf(cheap, scale))} % `
      + `(${price(cheap)}).` : "");
}

function setUpNeed() {
  const change = () => {
    state.px = $("need-px").value;
    state.ms = $("need-ms").value;
    showNeed();
    showTable();
    writeAddress();
  };
  $("need-px").oninput = change;
  $("need-ms").oninput = change;
  $("need").onsubmit = (event) => event.preventDefault();
}
