// Draws every specification of the page into its place. Expressions are interpreted, not compiled, so that the page
// needs no permission to evaluate code; nothing is loaded.
(function () {
  "use strict";
  document.querySelectorAll("script[data-chart]").forEach(function (holder) {
    var place = document.getElementById(holder.dataset.chart);
    var options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };
    vegaEmbed(place, JSON.parse(holder.textContent), options).catch(function () {
      place.textContent = place.dataset.failed;
      place.classList.add("failed");
    });
  });
})();
