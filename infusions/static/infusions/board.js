// The board's keyboard, its moving "now" line, and focus, scroll and open parts kept when it brings itself up to date.
"use strict";

const QUARTER_MS = 900 * 1000;
const board = {
  // While a visit is being moved or a menu is open, the page must not change under the hand.
  busy: false,
  say(words) {
    document.getElementById("board-live").textContent = words;
  },
  refresh() {
    const root = document.getElementById("_board");
    if (root && window.htmx) window.htmx.trigger(root, "board:refresh");
  },
};
window.board = board;

function moveNowLine() {
  const svg = document.querySelector(".board-now");
  if (!svg) return;
  const first = Number(svg.dataset.first) * QUARTER_MS;
  const stop = Number(svg.dataset.stop) * QUARTER_MS;
  const share = ((Date.now() - first) / (stop - first)) * 100;
  const line = svg.querySelector("line");
  svg.toggleAttribute("hidden", share < 0 || share > 100);
  line.setAttribute("x1", `${share}%`);
  line.setAttribute("x2", `${share}%`);
}

// The nearest block in the direction of an arrow key, by where blocks lie on the screen.
function neighbour(block, key) {
  const from = block.getBoundingClientRect();
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  let best = null;
  for (const other of document.querySelectorAll(".board-grid .board-block")) {
    const to = other.getBoundingClientRect();
    const across = to.top - from.top;
    const along = to.left - from.left;
    if (other === block || (sideways ? across !== 0 || along * sign <= 0 : across * sign <= 0)) continue;
    const distance = sideways ? Math.abs(along) : Math.abs(across) * 1000 + Math.abs(along);
    if (!best || distance < best.distance) best = { other, distance };
  }
  return best && best.other;
}

document.documentElement.classList.add("js");

document.addEventListener("keydown", (event) => {
  if (board.busy || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, dialog")) return;
  if (event.key === "?") {
    const help = document.querySelector(".board-legend");
    help.open = !help.open;
    if (help.open) help.querySelector("summary").focus();
    return;
  }
  const link = document.querySelector(`[data-board-key="${CSS.escape(event.key)}"]`);
  if (link && event.shiftKey === event.key.startsWith("Arrow")) {
    link.click();
    return;
  }
  const block = event.target.closest(".board-block");
  if (block && !event.shiftKey && event.key.startsWith("Arrow")) {
    const next = neighbour(block, event.key);
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }
});

document.addEventListener("change", (event) => {
  if (event.target.id === "board-day" && event.target.value) event.target.form.submit();
});

// What the mouse is told is what a screen reader says.
document.addEventListener("pointerover", (event) => {
  const block = event.target.closest(".board-block");
  if (block && !block.title) block.title = block.getAttribute("aria-label");
});

// Nobody looks at a hidden page; when it is looked at again it is brought up to date at once.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "_board" && (document.hidden || board.busy)) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) board.refresh();
});

// htmx replaces the whole board: put focus, scroll and counts back where they were.
let kept = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "_board") return;
  if (board.busy) {
    event.detail.shouldSwap = false;
    return;
  }
  const focused = document.activeElement && document.activeElement.closest("#_board a, #_board button, #_board .board-frame");
  const frame = document.querySelector(".board-frame, .table-frame");
  kept = {
    key: focused && [focused.tagName, focused.id, focused.getAttribute("href") || focused.getAttribute("formaction")].join(),
    frame: focused === frame,
    left: frame ? frame.scrollLeft : 0,
    top: frame ? frame.scrollTop : 0,
    counts: countsNow(),
  };
});

function countsNow() {
  const counts = document.querySelector("[data-board-counts]");
  return counts ? counts.textContent.replace(/\s+/g, " ").trim() : "";
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (!kept || !document.getElementById("_board")) return;
  const frame = document.querySelector(".board-frame, .table-frame");
  if (frame) {
    frame.scrollLeft = kept.left;
    frame.scrollTop = kept.top;
  }
  if (kept.key) {
    const again = kept.frame
      ? frame
      : [...document.querySelectorAll("#_board a, #_board button")].find(
          (one) => [one.tagName, one.id, one.getAttribute("href") || one.getAttribute("formaction")].join() === kept.key,
        );
    if (again) again.focus({ preventScroll: true });
  }
  if (countsNow() !== kept.counts) board.say(`Board updated: ${countsNow()}`);
  kept = null;
  moveNowLine();
  document.dispatchEvent(new CustomEvent("board:shown"));
});

// A phone is too narrow for a day by the hour: it opens with the list, and may still choose another view.
if (window.matchMedia("(max-width: 767px)").matches && !new URLSearchParams(location.search).has("view")) {
  const address = new URL(location.href);
  address.searchParams.set("view", "list");
  location.replace(address);
}

// Coming back from a move: the block that was moved has the focus.
const moved = new URLSearchParams(location.search).get("moved");
if (moved) {
  const block = document.getElementById(`visit-${moved}`);
  if (block) {
    block.focus();
    block.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

moveNowLine();
setInterval(moveNowLine, 30000);
