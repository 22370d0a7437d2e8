// Moving a visit: a ghost shows where it would go, the server says whether it fits and what it means. By keyboard: M,
// arrows, Enter, Escape. board_drag.js moves the same ghost by mouse and finger.
"use strict";

window.boardMove = (function () {
  const SETTLE_MS = 220;
  let move = null;

  function dialog() {
    return document.getElementById("board-dialog");
  }

  function start(block) {
    const seat = window.boardGrid.seatOf(block) || window.boardGrid.seats()[0];
    if (!seat) return null;
    finish();
    const ghost = document.createElement("div");
    ghost.className = "board-ghost";
    ghost.setAttribute("aria-hidden", "true");
    const name = block.querySelector(".board-patient").textContent;
    const quarter = Number(block.dataset.start);
    move = { block, ghost, name, seat, quarter, span: Number(block.dataset.span), html: "", bar: makeBar(name) };
    block.classList.add("is-moving");
    window.board.busy = true;
    show("");
    window.board.say(`Moving ${name}. Arrow keys choose the place, Enter shows what it means, Escape gives up.`);
    return move;
  }

  function makeBar(name) {
    const bar = document.createElement("div");
    bar.className = "board-moving-bar no-print";
    bar.innerHTML =
      '<p></p><button type="button" class="btn btn-primary btn-sm" data-move-show>What it means</button>' +
      '<button type="button" class="btn btn-quiet btn-sm" data-move-stop>Give up</button>';
    bar.querySelector("p").textContent = `Moving ${name}`;
    bar.querySelector("[data-move-show]").addEventListener("click", propose);
    bar.querySelector("[data-move-stop]").addEventListener("click", giveUp);
    document.querySelector(".board-main").append(bar);
    return bar;
  }

  function place() {
    const { seat, quarter, span } = move;
    return `${seat.name}, ${window.boardGrid.wall(quarter)} to ${window.boardGrid.wall(quarter + span)}`;
  }

  function show(words) {
    window.boardGrid.lay(move.ghost, move.quarter, move.span, move.seat);
    move.ghost.textContent = place();
    move.bar.querySelector("p").textContent = `${move.name}: ${place()}${words ? `, ${words}` : ""}`;
  }

  function to(quarter, seat) {
    if (!move || (quarter === move.quarter && seat === move.seat)) return;
    const { first, stop } = window.boardGrid.grid().dataset;
    move.quarter = Math.min(Math.max(quarter, Number(first)), Number(stop) - 1);
    move.seat = seat;
    move.html = "";
    move.ghost.classList.remove("is-refused");
    show("");
    window.boardGrid.bringIntoView(move.ghost);
    clearTimeout(move.timer);
    move.timer = setTimeout(() => ask(true).catch(() => {}), SETTLE_MS);
  }

  function address(quarter, seat) {
    const rows = window.boardGrid.grid().dataset.boardRows;
    const view = rows === "nurse" ? "nurses" : "chairs";
    return `${move.block.dataset.move}?quarter=${quarter}&${rows}=${encodeURIComponent(seat.id)}&view=${view}`;
  }

  async function fetchPreview(url) {
    const response = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    return response.text();
  }

  // Asks the server about the place where the ghost stands now; an answer about an earlier place is thrown away.
  async function ask(brief) {
    const asked = move;
    const { quarter, seat } = asked;
    if (asked.html) return asked.html;
    const html = await fetchPreview(`${address(quarter, seat)}${brief ? "&brief=1" : ""}`);
    if (move !== asked || asked.quarter !== quarter || asked.seat !== seat) return "";
    const found = parse(html);
    // A brief refusal lacks what would fit instead: it is asked again when the person wants to know.
    asked.html = found.dataset.fits === "yes" || !brief ? html : "";
    asked.ghost.classList.toggle("is-refused", found.dataset.fits !== "yes");
    show(found.dataset.words);
    window.board.say(`${place()}, ${found.dataset.words}`);
    return html;
  }

  function parse(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content.querySelector("#_move_preview");
  }

  async function propose() {
    if (!move) return;
    clearTimeout(move.timer);
    try {
      const html = await ask(false);
      if (html) openDialog(html);
    } catch {
      window.location.assign(address(move.quarter, move.seat));
    }
  }

  function openDialog(html) {
    const box = dialog();
    box.replaceChildren(parse(html));
    box.setAttribute("aria-labelledby", "move-title");
    if (!box.open) box.showModal();
    const first = box.querySelector("input:not([type=hidden]), .btn-primary, .btn");
    if (first) first.focus();
  }

  function finish() {
    if (!move) return null;
    const { block, ghost, bar, timer } = move;
    clearTimeout(timer);
    ghost.remove();
    bar.remove();
    block.classList.remove("is-moving");
    move = null;
    window.board.busy = false;
    return block;
  }

  // Back to where it was, the focus on the visit again.
  function giveUp() {
    const box = dialog();
    if (box.open) box.close();
    const block = finish();
    if (!block) return;
    block.focus();
    window.board.say("Nothing was moved.");
    window.board.refresh();
  }

  function step(quarters, seats) {
    const all = window.boardGrid.seats();
    const at = all.findIndex((seat) => seat.id === move.seat.id);
    const seat = all[Math.min(Math.max(at + seats, 0), all.length - 1)];
    to(move.quarter + quarters, seats ? seat : move.seat);
  }

  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || dialog().open) return;
      if (!move) {
        const block = event.target.closest(".board-block[data-move]");
        if (block && event.key.toLowerCase() === "m") {
          event.preventDefault();
          start(block);
        }
        return;
      }
      const onBar = event.target.closest(".board-moving-bar button");
      if (event.key in STEPS) step(STEPS[event.key][0] * (event.shiftKey ? 4 : 1), STEPS[event.key][1]);
      else if (event.key === "Enter" && !onBar) propose();
      else if (event.key === "Escape") giveUp();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );

  document.addEventListener("click", (event) => {
    if (!dialog().contains(event.target)) return;
    const link = event.target.closest("a");
    if (!link) return;
    if (link.matches("[data-board-close]")) {
      event.preventDefault();
      giveUp();
    } else if (link.matches("[data-board-preview]") && move) {
      event.preventDefault();
      const url = move.block.dataset.move + link.getAttribute("href");
      fetchPreview(url).then(openDialog, () => window.location.assign(url));
    }
  });
  dialog().addEventListener("cancel", (event) => {
    event.preventDefault();
    giveUp();
  });

  return { start, to, propose, giveUp, current: () => move };
})();
