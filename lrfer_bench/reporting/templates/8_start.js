// The page begins.
function view() {
  readAddress();
  showFilters();
  show();
}

if (DATA.boards.length) {
  setUpTheme();
  setUpFilters();
  setUpPanels();
  setUpNeed();
  view();
  addEventListener("hashchange", view);
  addEventListener("resize", () => { showChart(); showCost(); showMore(); });
  $("table").parentElement.addEventListener("scroll", showMore);
}
showMissing();
showCards();
showLinks();
