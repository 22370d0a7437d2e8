// What every page gains from JavaScript; each page works without it.
(function () {
  "use strict";

  function typing(target) {
    return target.closest("input, textarea, select, [contenteditable]") !== null;
  }

  // "/" goes to the search field, Escape closes open menus.
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
      var search = document.getElementById("search");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    }
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open]").forEach(function (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
    }
  });

  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
    var close = event.target.closest("[data-close]");
    if (close) close.closest(close.dataset.close).remove();
    var print = event.target.closest("[data-print]");
    if (print) window.print();
    var theme = event.target.closest("[data-theme]");
    if (theme) {
      window.theme.choose(theme.dataset.theme);
      showTheme();
    }
  });

  function showTheme() {
    document.querySelectorAll("[data-theme]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.dataset.theme === window.theme.chosen()));
    });
  }

  // A filter that changes submits its form at once.
  document.addEventListener("change", function (event) {
    var form = event.target.closest("form[data-submit-on-change]");
    if (form) form.requestSubmit();
  });

  // A second press of the same button sends nothing; coming back to the page wakes it again.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (form.hasAttribute("hx-post") || form.hasAttribute("data-resubmit")) return;
    form.dataset.sent = "yes";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
    });
    document.querySelectorAll("[aria-busy]").forEach(function (busy) {
      busy.removeAttribute("aria-busy");
    });
  });

  document.querySelectorAll("[data-needs-js]").forEach(function (element) {
    element.hidden = false;
  });
  showTheme();
  // On a phone the rail scrolls sideways: show where the person is.
  var rail = document.querySelector(".rail");
  var place = rail && rail.querySelector("[aria-current]");
  if (place && rail.scrollWidth > rail.clientWidth) rail.scrollLeft = place.offsetLeft - rail.clientWidth / 2;
  var summary = document.querySelector(".error-summary");
  if (summary) summary.focus();
})();

// The patient's banner rests below the strip, however high the chips of other patients make it.
(function () {
  "use strict";
  var strip = document.querySelector(".strip");
  if (!strip || !window.ResizeObserver) return;
  new ResizeObserver(function () {
    document.documentElement.style.setProperty("--strip-height", strip.offsetHeight + "px");
  }).observe(strip);
})();
