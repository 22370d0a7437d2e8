// Signs of the chosen reaction, and clocks that count since its onset. Without it the signs stand in a list.
(function () {
  "use strict";

  document.querySelectorAll("[data-signs-of]").forEach(function (holder) {
    var shown = document.getElementById(holder.dataset.signsOf);
    var list = holder.querySelector("[data-without-js]");
    if (list) list.hidden = true;
    function show() {
      var chosen = holder.querySelector("[data-signs] input:checked");
      shown.hidden = !chosen;
      if (!chosen) return;
      chosen.closest("[role=group]").appendChild(shown);
      shown.textContent = "Look for: " + chosen.closest("[data-signs]").dataset.signs;
    }
    holder.addEventListener("change", show);
    show();
  });

  function two(number) {
    return String(number).padStart(2, "0");
  }

  // The server's clock decides: the page says when it was made.
  var source = document.querySelector("[data-now]");
  var offset = source ? Number(source.dataset.now) - Date.now() / 1000 : 0;

  function tick() {
    var now = Date.now() / 1000 + offset;
    document.querySelectorAll("[data-since]").forEach(function (clock) {
      var seconds = Math.max(0, Math.floor(now - Number(clock.dataset.since)));
      var hours = Math.floor(seconds / 3600);
      var minutes = Math.floor(seconds / 60) % 60;
      clock.textContent = (hours ? hours + ":" + two(minutes) : minutes) + ":" + two(seconds % 60);
    });
  }

  if (document.querySelector("[data-since]")) {
    tick();
    setInterval(tick, 1000);
  }
})();
