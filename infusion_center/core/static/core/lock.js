// At a shared tablet: locks the page where it stands, tells the server, and opens it again by PIN with everything in place.
(function () {
  "use strict";
  var body = document.body;
  var data = body.dataset;
  if (!data.lockSeconds) return;
  var LIMIT = Number(data.lockSeconds) * 1000;
  var WARN = 20 * 1000; // the last seconds are counted on the button
  var REPORT = 15 * 1000; // how often hands are reported, and how soon a lost request is tried again
  var lastHand = Date.now();
  var reportDue = false;
  var locked = false;
  var leaving = false;
  var dialog = null;
  var before = null; // title and focus of the page under the lock

  function shared(value) {
    // Tabs of one tablet lock and open together. Private windows have no such memory: each then stands for itself.
    try {
      if (value !== undefined) localStorage.setItem("tablet-lock", value);
      return localStorage.getItem("tablet-lock");
    } catch {
      return null;
    }
  }

  function token() {
    return JSON.parse(body.getAttribute("hx-headers"))["x-csrftoken"];
  }

  function send(url, values) {
    return fetch(url, {
      method: "POST",
      body: new URLSearchParams(values),
      headers: { "X-CSRFToken": token(), "X-Overlay": "1", "X-Person": data.person },
      redirect: "manual",
    });
  }

  // Nothing of this page stays on the screen, nor behind the back button.
  function leave(url) {
    leaving = true;
    body.hidden = true;
    location.replace(url);
  }
  window.addEventListener("beforeunload", function (event) {
    if (leaving) event.stopImmediatePropagation();
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) location.reload();
  });

  // ---- locking

  function lock(why) {
    if (locked || leaving) return;
    locked = true;
    shared("locked");
    before = { title: document.title, focus: document.activeElement };
    dialog = document.createElement("dialog");
    dialog.className = "lock-overlay tablet";
    dialog.setAttribute("aria-label", "Locked");
    dialog.addEventListener("cancel", function (event) {
      event.preventDefault();
    });
    body.append(dialog);
    document.documentElement.classList.add("is-locked");
    dialog.showModal();
    keepTitle();
    say("Locked. Reaching the center…");
    tell(why, JSON.stringify(window.typed.collect()));
  }

  // Pages count what is due in their title; under the lock it says only that.
  function keepTitle() {
    if (locked && document.title !== "Locked") document.title = "Locked";
  }
  new MutationObserver(keepTitle).observe(document.querySelector("title"), { childList: true });

  function tell(why, typed) {
    var values = { address: data.address, typed: typed };
    if (why === "idle") values.idle = "1";
    send(data.lockNowUrl, values)
      .then(function (response) {
        if (!response.ok) return leave(data.lockUrl);
        return response.text().then(show);
      })
      .catch(function () {
        say("Locked. No connection: what you typed is kept on this page, unlocking needs the network.");
        window.setTimeout(tell, REPORT / 3, why, typed);
      });
  }

  function say(text) {
    var line = document.createElement("p");
    line.className = "lock-wait";
    line.setAttribute("role", "status");
    line.textContent = text;
    dialog.replaceChildren(line);
  }

  function show(html) {
    dialog.innerHTML = html;
    window.pad.ready(dialog);
  }

  // ---- opening

  document.addEventListener("submit", function (event) {
    if (event.target.matches("[data-lock-now]")) {
      event.preventDefault();
      lock("tap");
    } else if (dialog && dialog.contains(event.target)) {
      if (event.submitter && event.submitter.hasAttribute("data-by-password")) {
        leaving = true;
        return;
      }
      event.preventDefault();
      unlock(event.target);
    } else if (idleFor() > LIMIT) {
      event.preventDefault();
      lock("idle");
    }
  }, true);

  function unlock(form) {
    var values = Object.fromEntries(new FormData(form));
    values.address = data.address;
    values["next"] = "";
    form.setAttribute("aria-busy", "true");
    fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(values),
      headers: { "X-Overlay": "1" },
      redirect: "manual",
    })
      .then(function (response) {
        if (response.status === 422) return response.text().then(show);
        if (!response.ok) return leave(data.lockUrl);
        return response.json().then(function (answer) {
          if (answer.same) open();
          else {
            shared("changed");
            leave(answer.next);
          }
        });
      })
      .catch(function () {
        form.removeAttribute("aria-busy");
        form.querySelector("[data-pin]").value = "";
        form.querySelector(".lock-said").textContent = "No connection. Try again.";
      });
  }

  function open() {
    locked = false;
    lastHand = Date.now();
    shared("open");
    dialog.close();
    dialog.remove();
    dialog = null;
    document.documentElement.classList.remove("is-locked");
    document.title = before.title;
    if (before.focus && before.focus !== body && !before.focus.closest("[data-lock-now]")) before.focus.focus();
    document.dispatchEvent(new CustomEvent("tablet:unlocked"));
  }

  window.addEventListener("storage", function (event) {
    if (event.key !== "tablet-lock") return;
    if (event.newValue === "locked") lock("tap");
    else if (event.newValue === "changed") leave(data.address);
    else if (locked) open();
  });

  // ---- hands and time

  function idleFor() {
    return Date.now() - lastHand;
  }

  function hand() {
    if (locked) return;
    if (idleFor() > LIMIT) return lock("idle"); // the tablet slept: this touch wakes it, no more
    lastHand = Date.now();
    reportDue = true;
  }
  ["pointerdown", "keydown", "wheel", "touchmove"].forEach(function (name) {
    document.addEventListener(name, hand, { capture: true, passive: true });
  });

  function tick() {
    if (locked) return;
    var left = LIMIT - idleFor();
    if (left <= 0) return lock("idle");
    document.querySelectorAll("[data-lock-left]").forEach(function (word) {
      word.textContent = left < WARN ? "Locks in " + Math.ceil(left / 1000) + " s" : "Lock";
    });
  }
  window.setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);

  window.setInterval(function () {
    if (locked || !reportDue) return;
    reportDue = false;
    send(data.hereUrl, {}).then(answered, function () {
      reportDue = true;
    });
  }, REPORT);

  function answered(response) {
    if (response.status === 423) lock("idle");
    if (response.headers.get("X-Person-Changed")) leave(data.address);
  }

  // ---- htmx

  document.addEventListener("htmx:configRequest", function (event) {
    event.detail.headers["X-Person"] = data.person;
  });
  // Nobody sees the news now; the next round after the PIN brings it.
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (locked && event.detail.requestConfig.verb === "get") event.preventDefault();
  });
  document.addEventListener("htmx:responseError", function (event) {
    var xhr = event.detail.xhr;
    if (xhr.status === 423) lock("idle");
    if (xhr.getResponseHeader("X-Person-Changed")) leave(data.address);
  });

  if ("kept" in data) window.typed.giveBack(data, send);
})();
