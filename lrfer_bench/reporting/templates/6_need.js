// "My face is N pixels high, and I have M milliseconds."
const asked = (text) => (Number(text) > 0 ? Number(text) : null);

// Rows that can be compared and were tested at a scale: also where nothing was trained for it.
const testedAt = (scale) => board().lines.filter((l) => !l.apart && accuracyOf(l, scale));

function nearest(px) {
  const far = (scale) => Math.abs(Math.log2(sizeOf(scale) / px));
  const small = board().sizes.map(([scale]) => scale).filter((s) => s > 1 && testedAt(s).length);
  return (small.length ? small : board().over)
    .reduce((best, scale) => (far(scale) < far(best) ? scale : best));
}

// Whether a line can be had in the time given; without a time, or comparable times, all can.
function fits(line) {
  const [px, ms] = [asked(state.px), asked(state.ms)];
  if (ms === null || !board().timed || line.apart) return true;
  const scales = px === null ? board().over : [nearest(px)];
  return scales.every((scale) => (rowOf(line, scale)?.latency ?? Infinity) <= ms);
}

function showNeed() {
  const [px, ms] = [asked(state.px), asked(state.ms)];
  $("need-px").value = state.px;
  $("need-ms").value = state.ms;
  if (px === null) {
    $("need-answer").textContent = "Give the height of your faces in pixels.";
    return;
  }
  const scale = nearest(px), size = sizeOf(scale);
  const found = testedAt(scale).filter(fits)
    .sort((a, b) => accuracyOf(b, scale)[VALUE] - accuracyOf(a, scale)[VALUE]);
  const near = size === px ? `At ${size} px` : `At ${size} px, the nearest size tested`;
  const slow = shownLines().filter((line) => !fits(line)).length;
  const left = slow ? ` ${slow} slower ${slow > 1 ? "rows are" : "row is"} left out below.` : "";
  const within = ms !== null && board().timed ? ` and within ${state.ms} ms` : "";
  const untimed = ms !== null && !board().timed ? " The time is not used: the latencies here were "
    + "not taken alike, with nothing else running." : "";
  $("need-answer").textContent = (found.length ? `${near}${within}: ${choices(found, scale)}`
    : `${near}${within}: no method of this table.`) + between(scale) + untimed + left;
}

// At a size that nothing was trained for, few methods may have been tested.
function between(scale) {
  if (board().over.includes(scale)) return "";
  const all = new Set(board().lines.filter((line) => !line.apart).map((line) => line.method));
  const here = new Set(testedAt(scale).map((line) => line.method));
  return ` No method was trained for this size; ${here.size} of ${all.size} were tested at it.`;
}

function choices(found, scale) {
  const [best, ...others] = found;
  const price = (line) => {
    const { said: texts } = rowOf(line, scale);
    return `${texts.macs} MACs${board().timed ? `, ${texts.latency}` : ""}`;
  };
  const level = others.filter((line) => line.best.includes(scale) && best.best.includes(scale));
  const cheap = level.filter((line) => rowOf(line, scale).macs < rowOf(best, scale).macs)
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
