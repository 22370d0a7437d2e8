// Moving by mouse, and by finger after a long press; and the menu of an empty place: book here.
"use strict";

(function () {
  const LONG_PRESS_MS = 450;
  const STARTS_AT_PX = 6;
  const EDGE_PX = 40;
  let press = null;

  function begin(event) {
    const move = window.boardMove.start(press.block);
    if (!move) return;
    press.dragging = true;
    // Where on the block it was taken hold of, in quarter-hours.
    press.grip = window.boardGrid.quarterAt(press.x) - move.quarter;
    press.block.setPointerCapture(event.pointerId);
  }

  document.addEventListener("pointerdown", (event) => {
    closeSpot(event);
    const block = event.target.closest(".board-block[data-move]");
    if (!block || event.button !== 0 || window.boardMove.current()) return;
    press = { block, x: event.clientX, y: event.clientY, dragging: false, touch: event.pointerType !== "mouse" };
    if (press.touch) press.timer = setTimeout(() => press && begin(event), LONG_PRESS_MS);
  });

  document.addEventListener("pointermove", (event) => {
    if (!press) return;
    const away = Math.hypot(event.clientX - press.x, event.clientY - press.y);
    if (!press.dragging) {
      if (away < STARTS_AT_PX) return;
      if (press.touch) {
        drop(); // a finger that moves at once scrolls
        return;
      }
      begin(event);
    }
    if (press && press.dragging && window.boardMove.current()) {
      scrollAtEdges(event);
      window.boardMove.to(window.boardGrid.quarterAt(event.clientX) - press.grip, window.boardGrid.seatAt(event.clientY));
    }
  });

  function scrollAtEdges(event) {
    const frame = document.querySelector(".board-frame");
    const box = frame.getBoundingClientRect();
    if (event.clientY > box.bottom - EDGE_PX) frame.scrollTop += 12;
    if (event.clientY < box.top + EDGE_PX + 32) frame.scrollTop -= 12;
    if (event.clientX > box.right - EDGE_PX) frame.scrollLeft += 12;
  }

  function drop() {
    if (press) clearTimeout(press.timer);
    press = null;
  }

  document.addEventListener("pointerup", () => {
    const wasDragging = press && press.dragging;
    drop();
    if (wasDragging) {
      window.boardMove.propose();
      // The click that follows would open the visit.
      const swallow = (click) => {
        click.preventDefault();
        click.stopPropagation();
      };
      document.addEventListener("click", swallow, { capture: true, once: true });
      setTimeout(() => document.removeEventListener("click", swallow, true), 0);
    }
  });
  document.addEventListener("pointercancel", () => {
    const wasDragging = press && press.dragging;
    drop();
    if (wasDragging) window.boardMove.giveUp();
  });
  // While a finger drags, the page must not scroll under it; nor may the long press open the browser's menu.
  document.addEventListener("touchmove", (event) => press && press.dragging && event.preventDefault(), { passive: false });
  document.addEventListener("contextmenu", (event) => press && press.touch && event.preventDefault());

  // An empty place: a menu that leads to booking there.
  let spot = null;
  document.addEventListener("click", (event) => {
    const gap = event.target.closest(".board-gap.is-free");
    const book = document.querySelector("[data-board-book]");
    const seat = gap && window.boardGrid.seatOf(gap);
    if (!seat || !book || window.boardMove.current()) return;
    closeSpot();
    const quarter = window.boardGrid.quarterAt(event.clientX);
    const rows = window.boardGrid.grid().dataset.boardRows;
    spot = document.createElement("div");
    spot.className = "board-spot menu-sheet no-print";
    const link = document.createElement("a");
    link.className = "menu-item";
    link.href = `${book.getAttribute("href")}&quarter=${quarter}&${rows}=${encodeURIComponent(seat.id)}`;
    link.textContent = `Book here: ${seat.name}, ${window.boardGrid.wall(quarter)}`;
    spot.append(link);
    window.boardGrid.lay(spot, quarter, 0, seat);
    const past = spot.getBoundingClientRect().right - document.querySelector(".board-frame").getBoundingClientRect().right;
    if (past > 0) spot.style.left = `${parseFloat(spot.style.left) - past - 8}px`;
    window.board.busy = true;
    link.focus();
  });

  function closeSpot(event) {
    if (!spot || (event && spot.contains(event.target))) return;
    spot.remove();
    spot = null;
    window.board.busy = Boolean(window.boardMove.current());
  }
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeSpot());
})();
