// The PIN pad, on the lock page and in the overlay: digits by finger, the sixth one sends.
(function () {
  "use strict";
  var DIGITS = 6;

  function ready(root) {
    root.querySelectorAll("[data-needs-js]").forEach(function (element) {
      element.hidden = false;
    });
    var field = root.querySelector("[data-pin]");
    if (!field) return;
    field.inputMode = "none"; // the pad is the keyboard; a real one works all the same
    field.focus();
  }

  function changed(field) {
    field.value = field.value.replace(/\D/g, "").slice(0, DIGITS);
    if (field.value.length === DIGITS) field.form.requestSubmit();
  }

  document.addEventListener("click", function (event) {
    var key = event.target.closest("[data-digit]");
    if (!key) return;
    var field = key.closest("form").querySelector("[data-pin]");
    var digit = key.dataset.digit;
    if (field.value.length >= DIGITS && digit.length === 1) return; // under way already
    field.value = digit === "clear" ? "" : digit === "back" ? field.value.slice(0, -1) : field.value + digit;
    changed(field);
  });

  document.addEventListener("input", function (event) {
    if (event.target.matches("[data-pin]")) changed(event.target);
  });

  // Another person, another PIN.
  document.addEventListener("change", function (event) {
    if (!event.target.matches("[data-lock-form] [name=person]")) return;
    var field = event.target.form.querySelector("[data-pin]");
    field.value = "";
    field.focus();
  });

  window.pad = { ready: ready };
  document.querySelectorAll("[data-lock-form]").forEach(ready);
})();
