// The pre-infusion check with JavaScript: each answer goes off by itself, says so, and is sent again until it arrives.
(function () {
  "use strict";
  var form = document.querySelector("[data-checklist]");
  if (!form) return;
  var sent = new WeakMap(); // question -> what its fields held when it was last sent
  var failed = new Map(); // code -> what was pressed, to press it again
  var inHand = ""; // code of the question last touched
  var RETRY_SECONDS = 8;

  function questionOf(element) {
    return element && element.closest ? element.closest("[data-item]") : null;
  }

  function held(question) {
    var values = [];
    question.querySelectorAll("input:not([type=hidden]), textarea").forEach(function (field) {
      if (field.type === "radio" || field.type === "checkbox") {
        if (field.checked) values.push(field.value);
      } else {
        values.push(field.value);
      }
    });
    return values.join("|");
  }

  function say(question, text, state) {
    var status = question.querySelector("[data-status]");
    status.textContent = text;
    status.dataset.state = state;
    // What the answer means is known only once it is kept.
    question.classList.toggle("is-pending", state !== "idle");
    if (state === "failed") {
      var again = document.createElement("button");
      again.type = "button";
      again.className = "btn btn-secondary btn-sm";
      again.textContent = "Try again";
      again.dataset.retry = "";
      status.append(" ", again);
    }
    showOverall();
  }

  // What was typed and came back as not readable.
  function refused() {
    return Array.from(form.querySelectorAll("input.is-invalid:not([type=radio]):not([type=checkbox])")).filter(function (field) {
      return field.value.trim();
    }).length;
  }

  function showOverall() {
    var saved = document.querySelector("[data-saved]");
    if (!saved) return;
    var open = failed.size + refused();
    if (open) {
      saved.textContent = open + " not saved";
      saved.dataset.state = "failed";
    } else if (saved.dataset.state === "failed") {
      saved.textContent = "All saved";
      saved.dataset.state = "saved";
    }
  }

  function send(question) {
    var pressed = failed.get(question.dataset.item);
    if (pressed && pressed.matches("[data-confirm]") && pressed.isConnected && held(question) === "") pressed.click();
    else question.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function retryAll() {
    failed.forEach(function (_, code) {
      var question = document.getElementById("item-" + code);
      if (question) send(question);
    });
  }

  // "None of these" and a sign exclude each other.
  form.addEventListener("change", function (event) {
    var field = event.target;
    if (field.type !== "checkbox" || !field.checked) return;
    questionOf(field).querySelectorAll("input[type=checkbox]").forEach(function (other) {
      if (other !== field && (other.value === "none" || field.value === "none")) other.checked = false;
    });
  }, true);

  // An emptied question is no answer: nothing is sent, what was kept stays.
  document.body.addEventListener("htmx:confirm", function (event) {
    var question = questionOf(event.detail.elt);
    if (question && held(question) === "" && !event.detail.elt.matches("[data-confirm]")) {
      event.preventDefault();
      say(question, "Not answered: what was saved before stays.", "idle");
    }
  });

  document.body.addEventListener("htmx:beforeRequest", function (event) {
    var question = questionOf(event.detail.elt);
    if (!question) return;
    sent.set(question, held(question));
    say(question, "Saving…", "saving");
  });

  // The person answered on while this was under way: keep what is on the page, its own request follows.
  document.body.addEventListener("htmx:beforeSwap", function (event) {
    var question = questionOf(event.detail.requestConfig && event.detail.requestConfig.elt);
    if (!question || event.detail.xhr.status !== 200) return;
    failed.delete(question.dataset.item);
    if (sent.get(question) !== held(question)) event.detail.shouldSwap = false;
    showOverall();
  });

  // News from colleagues never lands on a question that is being answered here. It is asked for again: what the page
  // has seen (which comes last in a reply) moves on only when all of it was shown.
  var heldBack = false;
  document.body.addEventListener("htmx:oobBeforeSwap", function (event) {
    if (event.detail.target.id === "seen" && heldBack) {
      event.detail.shouldSwap = heldBack = false;
      return;
    }
    var question = questionOf(event.detail.target);
    if (!question) return;
    var typing = question.contains(document.activeElement) && document.activeElement.matches("input[type=text], textarea");
    // Its own reply is on the way: redrawn now, it would come back to a question that is no longer on the page.
    var waiting = question.matches(".htmx-request") || question.querySelector(".htmx-request");
    if (typing || waiting || question.dataset.dirty || failed.has(question.dataset.item)) {
      event.detail.shouldSwap = false;
      heldBack = true;
    }
  });

  // What was typed and taken back again is not being answered any more.
  form.addEventListener("focusout", function (event) {
    var question = questionOf(event.target);
    var was = question && question.querySelector("input[name^='was-']");
    if (was && was.value === held(question)) delete question.dataset.dirty;
  });

  form.addEventListener("input", function (event) {
    var question = questionOf(event.target);
    if (!question) return;
    question.dataset.dirty = "yes";
    showDependent(question);
  });

  // A question that follows from an answer appears as it is given, before it is kept.
  function showDependent(question) {
    var values = held(question).split("|");
    form.querySelectorAll('[data-asked-if="' + question.dataset.item + '"]').forEach(function (dependent) {
      var wanted = dependent.dataset.askedValue;
      dependent.hidden = wanted ? !values.includes(wanted) : !values.join("");
    });
  }

  function lost(event) {
    var question = questionOf(event.detail.elt);
    if (!question) return;
    failed.set(question.dataset.item, event.detail.elt);
    say(question, "Not saved.", "failed");
  }
  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach(function (name) {
    document.body.addEventListener(name, lost);
  });

  document.body.addEventListener("htmx:afterSettle", function () {
    var saved = document.querySelector("[data-saved]");
    if (saved && !failed.size && !saved.textContent && document.querySelector("[data-item] [data-status]:not(:empty)")) {
      saved.textContent = "All saved";
      saved.dataset.state = "saved";
    }
    showOverall();
  });

  document.addEventListener("click", function (event) {
    var again = event.target.closest("[data-retry]");
    if (again) send(questionOf(again));
    var next = event.target.closest("[data-next]");
    if (next) goTo(following() || document.querySelector(next.getAttribute("href")), event);
  });

  // The first question without an answer below the one in hand; after the last one it begins again from the top.
  function following() {
    var open = Array.from(form.querySelectorAll(".is-unanswered[data-required]:not([hidden])"));
    var here = inHand && document.getElementById("item-" + inHand);
    var below = open.find(function (question) {
      return here && question !== here && here.compareDocumentPosition(question) & Node.DOCUMENT_POSITION_FOLLOWING;
    });
    return below || open[0];
  }

  form.addEventListener("focusin", function (event) {
    var question = questionOf(event.target);
    if (question) inHand = question.dataset.item;
  });

  // Put the eye and the keyboard on the question, not the address.
  function goTo(target, event) {
    if (!target) return;
    event.preventDefault();
    target.scrollIntoView({ block: "start", behavior: "instant" });
    var field = target.querySelector("input:not([type=hidden]), textarea, .btn-primary");
    if (field) field.focus({ preventScroll: true });
  }

  // Enter in a field goes to the next question instead of sending the page.
  form.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || !event.target.matches("input:not([type=checkbox]):not([type=radio])")) return;
    event.preventDefault();
    var fields = Array.from(form.querySelectorAll("[data-item]:not([hidden]) input:not([type=hidden])"));
    var following = fields[fields.indexOf(event.target) + 1];
    if (following) following.focus();
    else event.target.blur();
  });

  function showConnection() {
    document.querySelector("[data-offline]").hidden = navigator.onLine;
    if (navigator.onLine) retryAll();
  }
  window.addEventListener("online", showConnection);
  window.addEventListener("offline", showConnection);
  showConnection();
  window.setInterval(retryAll, RETRY_SECONDS * 1000);
  document.addEventListener("tablet:unlocked", retryAll);

  // A sent page carries every answer with it.
  form.addEventListener("submit", function () {
    failed.clear();
  });

  // Leaving with something unsent asks first.
  window.addEventListener("beforeunload", function (event) {
    if (failed.size) event.preventDefault();
  });
})();
