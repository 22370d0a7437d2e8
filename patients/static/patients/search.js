// The patient search with the keyboard: Enter opens the first hit, arrows walk the hits, the count is spoken.
(function () {
  "use strict";

  var field = document.getElementById("patient-search");
  var status = document.getElementById("result-status");
  if (!field) return;
  var fresh = true;
  var wanted = false;

  function links() {
    return Array.prototype.slice.call(document.querySelectorAll("#_patient_results .row-link"));
  }

  function openFirst() {
    var hits = links();
    if (hits.length && field.value.trim()) window.location.assign(hits[0].href);
  }

  field.addEventListener("input", function () {
    fresh = false;
    wanted = false;
  });

  field.addEventListener("keydown", function (event) {
    if (event.key === "Enter") {
      // What is on the page may belong to an earlier word: wait for the answer, then open its first hit.
      event.preventDefault();
      if (fresh) openFirst();
      else wanted = true;
    }
    if (event.key === "ArrowDown" && links().length) {
      event.preventDefault();
      links()[0].focus();
    }
  });

  document.addEventListener("keydown", function (event) {
    var hits = links();
    var at = hits.indexOf(document.activeElement);
    if (at < 0) return;
    if (event.key === "ArrowDown" && at + 1 < hits.length) {
      event.preventDefault();
      hits[at + 1].focus();
    }
    if (event.key === "ArrowUp") {
      event.preventDefault();
      (at ? hits[at - 1] : field).focus();
    }
  });

  document.addEventListener("htmx:afterSettle", function () {
    var results = document.getElementById("_patient_results");
    fresh = results.dataset.text === field.value.slice(0, 100);
    if (status) status.textContent = results.dataset.count || "";
    if (fresh && wanted) openFirst();
  });
})();
