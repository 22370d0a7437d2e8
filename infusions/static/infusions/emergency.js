// The emergency card over any page of the tablet, and its clock for the next epinephrine; both need no network.
(function () {
  "use strict";

  var REPEAT_MINUTES = 5;
  var dialog = document.getElementById("emergency-card");

  if (dialog && dialog.showModal) {
    document.addEventListener("click", function (event) {
      var link = event.target.closest("a.is-emergency");
      if (!link || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (!dialog.open) dialog.showModal();
      dialog.scrollTop = 0;
    });
    dialog.querySelector("[data-close-card]").addEventListener("click", function () {
      dialog.close();
    });
  }

  // Kept for this tab only and by a random id, so that it outlives a page and never shows at another patient.
  var clock = document.querySelector("[data-epinephrine]");
  if (clock) {
    var key = "epinephrine-" + clock.dataset.epinephrine;
    var shown = clock.querySelector("[data-epinephrine-clock]");
    var two = function (number) {
      return String(number).padStart(2, "0");
    };
    var wall = function (moment) {
      return two(moment.getHours()) + ":" + two(moment.getMinutes());
    };
    var tick = function () {
      var given = Number(sessionStorage.getItem(key));
      shown.hidden = !given;
      if (!given) return;
      var seconds = Math.floor((Date.now() - given) / 1000);
      var again = new Date(given + REPEAT_MINUTES * 60000);
      var due = seconds >= REPEAT_MINUTES * 60;
      shown.classList.toggle("is-overdue", due);
      shown.textContent = "Given " + wall(new Date(given)) + ", " + Math.floor(seconds / 60) + ":" + two(seconds % 60) +
        " ago. " + (due ? "Repeat now if needed." : "Repeat from " + wall(again) + " if needed.");
    };
    clock.querySelector("button").addEventListener("click", function () {
      sessionStorage.setItem(key, String(Date.now()));
      tick();
    });
    tick();
    setInterval(tick, 1000);
  }

  // The worker shows the card when the tablet has lost the network and goes to another page.
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/emergency-worker.js").catch(function () {});
})();
