// The board's keyboard, its moving "now" line, and focus kept when it brings itself up to date.
"use strict";

const QUARTER_MS = 900 * 1000;

function moveNowLine() {
  const svg = document.querySelector(".board-now");
  if (!svg) return;
  const first = Number(svg.dataset.axisFirst) * QUARTER_MS;
  const stop = Number(svg.dataset.axisStop) * QUARTER_MS;
  const share = ((Date.now() - first) / (stop - first)) * 100;
  const line = svg.querySelector("line");
  svg.toggleAttribute("hidden", share < 0 || share > 100);
  line.setAttribute("x1", `${share}%`);
  line.setAttribute("x2", `${share}%`);
}

function blocks() {
  return [...document.querySelectorAll(".board-grid .board-block")];
}

// The nearest block in the direction of an arrow key, by where blocks lie on the screen.
function neighbour(block, key) {
  const from = block.getBoundingClientRect();
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  let best = null;
  for (const other of blocks()) {
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
  if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.shiftKey) {
    const link = document.querySelector(`[data-board-key="${event.key}"]`);
    if (link) link.click();
    return;
  }
  const block = event.target.closest(".board-block");
  if (!block) return;
  if (event.key === "m" || event.key === "M") {
    window.location.assign(block.dataset.move);
  } else if (event.key.startsWith("Arrow")) {
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

// htmx replaces the whole board: put focus and scroll back where they were.
let kept = null;
document.addEventListener("htmx:beforeSwap", () => {
  const focused = document.activeElement && document.activeElement.closest("#_board a");
  const frame = document.querySelector(".board-frame");
  kept = { href: focused && focused.getAttribute("href"), left: frame ? frame.scrollLeft : 0 };
});
document.addEventListener("htmx:afterSwap", () => {
  if (!kept) return;
  const frame = document.querySelector(".board-frame");
  if (frame) frame.scrollLeft = kept.left;
  if (kept.href) {
    const again = [...document.querySelectorAll("#_board a")].find((link) => link.getAttribute("href") === kept.href);
    if (again) again.focus({ preventScroll: true });
  }
  moveNowLine();
});

moveNowLine();
setInterval(moveNowLine, 30000);
