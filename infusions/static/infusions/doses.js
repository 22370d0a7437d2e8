// Clocks that tick, the volume that runs, steppers. Without it the page says the same as of when it was loaded.
(function () {
  "use strict";

  var title = document.title;

  // The server's clock decides; the tablet's own may be wrong.
  function serverNow() {
    var source = document.querySelector("[data-now]");
    if (!source) return Date.now() / 1000;
    if (source.dataset.seenNow !== source.dataset.now) {
      source.dataset.seenNow = source.dataset.now;
      source.dataset.offset = String(Number(source.dataset.now) - Date.now() / 1000);
    }
    return Date.now() / 1000 + Number(source.dataset.offset);
  }

  function span(seconds) {
    var minutes = Math.floor(seconds / 60);
    if (minutes >= 60) return Math.floor(minutes / 60) + " h " + String(minutes % 60).padStart(2, "0") + " min";
    if (minutes >= 10) return minutes + " min";
    return minutes + ":" + String(Math.floor(seconds % 60)).padStart(2, "0");
  }

  function tickClocks(now) {
    var overdue = 0;
    document.querySelectorAll("[data-due]").forEach(function (clock) {
      var left = Number(clock.dataset.due) - now;
      var late = now > Number(clock.dataset.latest);
      var since = late ? span(-left) + " late" : "for " + Math.max(1, Math.floor(-left / 60)) + " min";
      clock.textContent = left >= 1 ? "in " + span(left) : left > -60 ? "now" : since;
      var holder = clock.closest("li, .dose-card, .strip-due");
      if (holder) {
        holder.classList.toggle("is-due", left < 1 && !late);
        holder.classList.toggle("is-overdue", late);
      }
      if (late) overdue += 1;
    });
    document.title = overdue ? "(" + overdue + ") " + title : title;
  }

  // Who became overdue since the last tick is told by words, and by a tone where somebody asked for it.
  var late = null;
  function tellNewlyLate() {
    var now = [];
    document.querySelectorAll(".dose-card.is-overdue, .other.is-overdue").forEach(function (card) {
      now.push(card.getAttribute("href"));
    });
    var added = late && now.filter(function (link) {
      return late.indexOf(link) < 0;
    });
    late = now;
    if (!added || !added.length) return;
    var card = document.querySelector('.is-overdue[href="' + added[0] + '"]');
    var what = card.querySelector(".due-what, .other-what");
    var alarm = document.getElementById("alarm");
    if (alarm) alarm.textContent = (card.dataset.who || "") + ": " + what.textContent.replace(/\s+/g, " ").trim();
    window.chairsideSound.beep();
  }

  function tickVolumes(now) {
    document.querySelectorAll("[data-given]").forEach(function (volume) {
      if (!volume.dataset.from) volume.dataset.from = String(now);
      var hours = (now - Number(volume.dataset.from)) / 3600;
      var given = Number(volume.dataset.given) + Number(volume.dataset.rate) * hours;
      volume.textContent = String(Math.floor(Math.min(given, Number(volume.dataset.limit))));
    });
  }

  function tick() {
    var now = serverNow();
    tickClocks(now);
    tickVolumes(now);
    tellNewlyLate();
  }

  // A minus and a plus around a number field.
  function addStepper(holder) {
    var field = holder.querySelector("input.form-control");
    if (!field || holder.dataset.ready) return;
    holder.dataset.ready = "yes";
    var place = field.closest(".with-unit") || field;
    var row = document.createElement("span");
    row.className = "stepper-row";
    place.parentNode.insertBefore(row, place);
    [["−", -1, "Slower"], ["+", 1, "Faster"]].forEach(function (side) {
      var button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-secondary";
      button.textContent = side[0];
      button.setAttribute("aria-label", side[2]);
      button.addEventListener("click", function () {
        var value = Number(field.value.replace(",", ".")) || 0;
        var most = Number(holder.dataset.most) || Infinity;
        var next = Math.min(most, Math.max(0, value + side[1] * Number(holder.dataset.stepper)));
        field.value = String(Math.round(next * 10) / 10);
      });
      row.appendChild(button);
    });
    row.insertBefore(place, row.lastChild);
  }

  document.addEventListener("click", function (event) {
    var preset = event.target.closest("[data-set]");
    if (preset) document.getElementById(preset.dataset.set).value = preset.dataset.value;
  });

  document.querySelectorAll("[data-stepper]").forEach(addStepper);
  document.addEventListener("htmx:afterSettle", tick);
  // What was said of the act before is over once the next vial is scanned.
  document.addEventListener("htmx:afterSwap", function (event) {
    var said = document.querySelector(".messages");
    if (said && event.detail.target && event.detail.target.id === "_prepared") said.remove();
  });
  tick();
  setInterval(tick, 1000);
})();
