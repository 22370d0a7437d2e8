// At a desk: tells the server that hands are there, and leaves the page when nobody was for as long as the server allows.
(function () {
  "use strict";
  var data = document.body.dataset;
  var LIMIT = Number(data.idleSeconds) * 1000;
  var REPORT = 60 * 1000; // how often hands are reported; the server allows as much more
  if (!LIMIT) return;
  var lastHand = Date.now();
  var lastReport = Date.now();
  var typed = false;

  function token() {
    return JSON.parse(document.body.getAttribute("hx-headers"))["x-csrftoken"];
  }

  function hand() {
    lastHand = Date.now();
    if (lastHand - lastReport < REPORT) return;
    lastReport = lastHand;
    fetch(data.hereUrl, { method: "POST", headers: { "X-CSRFToken": token() } })
      .then(function (answer) {
        if (answer.status === 401 && !typed) location.reload(); // too late: sign in, and come back here
      })
      .catch(function () {});
  }

  // Loading the page anew ends the session, unless another tab was in use. What was typed would be lost: it stays, and
  // is carried past the question for the password when it is sent.
  function look() {
    if (Date.now() - lastHand > LIMIT + 2 * REPORT && !typed) location.reload();
  }

  ["keydown", "pointerdown", "wheel", "touchstart"].forEach(function (name) {
    document.addEventListener(name, hand, { passive: true });
  });
  document.addEventListener("input", function (event) {
    typed = typed || Boolean(event.target.form && event.target.form.method === "post");
  });
  setInterval(look, REPORT / 2);
})();
