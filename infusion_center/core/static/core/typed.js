// What was typed and not sent: read off the page when it locks, put back when its person returns.
(function () {
  "use strict";
  var FIELDS = "input:not([type=hidden]):not([type=password]):not([type=file]):not([type=submit]), textarea, select";

  function choice(field) {
    return field.type === "radio" || field.type === "checkbox";
  }

  // Only forms that record something: filters and searches hold nothing worth keeping.
  function formOf(field) {
    var form = field.form;
    var records = form && form.method === "post" && form.getAttribute("role") !== "search";
    return records ? form.getAttribute("action").replace(/#.*/, "") : null;
  }

  // One group for the radios or checkboxes of a name, else one for each field.
  function groups() {
    var found = new Map();
    document.querySelectorAll("main :is(" + FIELDS + ")").forEach(function (field) {
      var form = field.name && field.form && field.form.hasAttribute("action") ? formOf(field) : null;
      if (form === null) return;
      var key = form + " " + field.name;
      if (!found.has(key)) found.set(key, { form: form, name: field.name, fields: [] });
      found.get(key).fields.push(field);
    });
    return found;
  }

  function values(group, initial) {
    var held = [];
    group.fields.forEach(function (field) {
      if (choice(field)) {
        if (initial ? field.defaultChecked : field.checked) held.push(field.value);
      } else if (field.options) {
        Array.from(field.options).forEach(function (option) {
          if (initial ? option.defaultSelected : option.selected) held.push(option.value);
        });
      } else {
        held.push(initial ? field.defaultValue : field.value);
      }
    });
    return held;
  }

  function same(one, other) {
    return one.join("\n") === other.join("\n");
  }

  function collect() {
    var changed = [];
    groups().forEach(function (group) {
      var was = values(group, true);
      var now = values(group, false);
      // A list that nothing was chosen in shows its first entry.
      if (same(was, now) || (!was.length && group.fields[0].options)) return;
      changed.push({ form: group.form, name: group.name, was: was, values: now });
    });
    return changed;
  }

  function put(group, wanted) {
    group.fields.forEach(function (field) {
      if (choice(field)) field.checked = wanted.includes(field.value);
      else if (field.options) {
        Array.from(field.options).forEach(function (option) {
          option.selected = wanted.includes(option.value);
        });
      } else field.value = wanted[0] || "";
    });
    // Whoever listens to hands hears this too: what goes off by itself is sent, under this person.
    var told = group.fields.find(function (field) { return !choice(field) || field.checked; }) || group.fields[0];
    ["input", "change"].forEach(function (name) {
      told.dispatchEvent(new Event(name, { bubbles: true }));
    });
  }

  // Where somebody else answered meanwhile, hers stays out: the newer answer is not overwritten unseen.
  function restore(kept) {
    var here = groups();
    var outcome = { back: 0, overtaken: [], missing: [] };
    kept.fields.forEach(function (field) {
      var group = here.get(field.form + " " + field.name);
      if (group && same(values(group, false), field.values)) return; // it had still been saved
      if (!group) outcome.missing.push(field);
      else if (!same(values(group, true), field.was)) outcome.overtaken.push(field);
      else {
        put(group, field.values);
        outcome.back += 1;
      }
    });
    return outcome;
  }

  function say(text, link) {
    var note = document.createElement("div");
    note.className = "message severity-note";
    note.setAttribute("role", "status");
    note.dataset.keptMessage = "";
    var words = document.createElement("span");
    words.className = "message-text";
    words.textContent = text;
    if (link) {
      var anchor = document.createElement("a");
      anchor.href = link;
      anchor.textContent = "Show it";
      words.append(" ", anchor);
    }
    note.append(words);
    var main = document.getElementById("main");
    var banner = main.querySelector(".patient-banner");
    if (banner) banner.after(note);
    else main.prepend(note);
  }

  function tell(outcome, kept) {
    if (outcome.back) say("What you had typed before the lock is back. It is not saved yet unless the page says so.");
    if (outcome.overtaken.length) {
      say("Changed by somebody meanwhile, and left as it is now. You had typed: " + listed(outcome.overtaken));
    }
    if (!outcome.missing.length) return true;
    if (kept.address !== document.body.dataset.address) {
      say("You had typed something here before the lock.", kept.address);
      return false;
    }
    say("What you had typed before the lock no longer has a place here: " + listed(outcome.missing));
    return true;
  }

  function listed(fields) {
    return fields.map(function (field) { return field.name.replace(/_/g, " ") + ": " + field.values.join(", "); }).join("; ");
  }

  // Once it stands on the page again, the server lets go of it.
  function giveBack(data, send) {
    var path = document.body.dataset.address.split("?")[0];
    fetch(data.keptUrl + "?path=" + encodeURIComponent(path), { headers: { "X-Overlay": "1" } })
      .then(function (response) { return response.ok ? response.json() : null; })
      .then(function (kept) {
        if (kept && tell(restore(kept), kept)) send(data.keptDropUrl, { path: path });
      });
  }

  window.typed = { collect: collect, giveBack: giveBack };
})();
