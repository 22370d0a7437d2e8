// Sets the theme before the first paint: the person's choice on this device, else what the system prefers.
(function () {
  "use strict";
  var system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem("theme") || "auto";
    } catch {
      return "auto";
    }
  }

  function apply() {
    var theme = chosen();
    document.documentElement.dataset.bsTheme = theme === "auto" ? (system.matches ? "dark" : "light") : theme;
    document.documentElement.dataset.js = "on";
  }

  system.addEventListener("change", apply);
  window.theme = {
    chosen: chosen,
    choose: function (theme) {
      try {
        localStorage.setItem("theme", theme);
      } catch {
        // Private windows keep no choice: the system's preference holds.
      }
      apply();
    },
  };
  apply();
})();
