// A scanner types a code and presses Enter. Each code is sent by itself, in turn, while the next may be scanned already.
// Without this the field and its button work as a plain form.
(function () {
  "use strict";

  var form = document.querySelector("[data-scan]");
  if (!form) return;
  var field = form.querySelector("[name=code]");
  var waiting = form.querySelector("[data-scan-waiting]");
  var typing = form.querySelector("[data-scan-type]");
  var queue = [];
  var busy = false;
  var lastKey = 0;

  // Gloved hands on glass: the keyboard of the tablet stays away until it is asked for.
  if (window.matchMedia("(pointer: coarse)").matches) {
    field.inputMode = "none";
    typing.hidden = false;
    typing.addEventListener("click", function () {
      var wanted = field.inputMode === "none";
      field.inputMode = wanted ? "text" : "none";
      typing.setAttribute("aria-pressed", String(wanted));
      field.blur();
      field.focus();
    });
  }

  function insert(text) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  }

  // Many scanners send the separator as Ctrl and ], some as a tab; both would be lost. People do not type that fast.
  field.addEventListener("keydown", function (event) {
    var isScanner = event.timeStamp - lastKey < 60;
    lastKey = event.timeStamp;
    var separator = (event.ctrlKey && event.key === "]") || event.key === "\u001d";
    if (!separator && !(event.key === "Tab" && isScanner && field.value)) return;
    event.preventDefault();
    insert("\u241d");
  });

  // A scan while nothing has the focus belongs here.
  document.addEventListener("keydown", function (event) {
    var nowhere = document.activeElement === document.body || document.activeElement.id === "main";
    if (nowhere && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) focus();
  });

  function focus() {
    field.focus({ preventScroll: true });
  }

  // Refusals must be heard by somebody who looks at the vial.
  function sound() {
    var Context = window.AudioContext;
    if (!Context || !navigator.userActivation || !navigator.userActivation.hasBeenActive) return;
    var audio = new Context();
    var tone = audio.createOscillator();
    tone.type = "square";
    tone.frequency.value = 220;
    tone.connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.4);
    tone.onended = function () {
      audio.close();
    };
  }

  function tell(text, failed) {
    waiting.textContent = text;
    waiting.classList.toggle("is-failed", Boolean(failed));
    if (failed) sound();
  }

  function settle(code) {
    busy = false;
    if (document.querySelector("[data-refused]")) sound();
    var open = document.querySelector(".scan-outcome.is-open");
    if (open) open.focus();
    else focus();
    if (queue.length) return send();
    if (code) tell("");
  }

  function send() {
    var code = queue.shift();
    var failed = false;
    busy = true;
    tell("Adding…" + (queue.length ? " " + queue.length + " more waiting" : ""));
    function notSaved() {
      failed = true;
    }
    ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach(function (name) {
      document.body.addEventListener(name, notSaved, { once: true });
    });
    // Not the form as source: its field is empty again by now, and would be found wanting.
    window.htmx
      .ajax("POST", form.action, { source: waiting, target: form.dataset.swaps, swap: "outerHTML", values: { code: code } })
      .catch(notSaved)
      .then(function () {
        ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach(function (name) {
          document.body.removeEventListener(name, notSaved);
        });
        if (!failed) return settle(code);
        queue = [];
        settle("");
        tell("Not saved: the vial was not added. Check the connection and scan it again.", true);
      });
  }

  function take() {
    var code = field.value.trim();
    field.value = "";
    if (!code) return;
    queue.push(code);
    if (!busy) send();
  }

  form.addEventListener("submit", function (event) {
    if (!form.dataset.swaps || !window.htmx) return;
    event.preventDefault();
    take();
  });

  form.addEventListener("scanned", function (event) {
    field.value = event.detail;
    form.requestSubmit();
  });

  // Signed out, or locked, meanwhile: what comes back is another page, not what was asked for.
  document.body.addEventListener("htmx:beforeSwap", function (event) {
    var target = event.detail.target;
    if (!form.dataset.swaps || !target || "#" + target.id !== form.dataset.swaps) return;
    if (event.detail.xhr.status === 200 && event.detail.xhr.responseText.includes('id="' + target.id + '"')) return;
    event.detail.shouldSwap = false;
    if (event.detail.xhr.status === 200) location.reload();
  });

  var nothingElse = document.activeElement === document.body && !location.hash;
  if ("wantsFocus" in form.dataset && nothingElse && !document.querySelector(".error-summary")) focus();
  if (document.querySelector("[data-refused]")) sound();
})();
