// Where things lie on the board's grid: quarter-hours across, chairs or nurses down; and the ghost of a visit on the move.
"use strict";

window.boardGrid = (function () {
  const QUARTER = 900;

  function grid() {
    return document.querySelector(".board-grid[data-board-rows]");
  }

  // Each chair or nurse once, with the rows that are hers.
  function seats() {
    const found = new Map();
    for (const row of grid().querySelectorAll("tr[data-seat]")) {
      if (!found.has(row.dataset.seat)) found.set(row.dataset.seat, { id: row.dataset.seat, name: row.dataset.name, rows: [] });
      found.get(row.dataset.seat).rows.push(row);
    }
    return [...found.values()];
  }

  function seatOf(element) {
    const row = element.closest("tr[data-seat]");
    return row ? seats().find((seat) => seat.id === row.dataset.seat) : null;
  }

  // Left edge and width of a quarter-hour, on the screen.
  function scale() {
    const table = grid();
    const box = table.getBoundingClientRect();
    const left = table.querySelector(".board-hour").getBoundingClientRect().left;
    const name = table.querySelector(".board-corner").getBoundingClientRect();
    const first = Number(table.dataset.first);
    const stop = Number(table.dataset.stop);
    return { first, stop, left, quarter: (box.right - left) / (stop - first), names: name.right };
  }

  function quarterAt(x) {
    const { first, stop, left, quarter } = scale();
    return Math.min(Math.max(first + Math.floor((x - left) / quarter), first), stop - 1);
  }

  function seatAt(y) {
    let nearest = null;
    for (const seat of seats()) {
      const top = seat.rows[0].getBoundingClientRect().top;
      const bottom = seat.rows[seat.rows.length - 1].getBoundingClientRect().bottom;
      const away = y < top ? top - y : y > bottom ? y - bottom : 0;
      if (!nearest || away < nearest.away) nearest = { seat, away };
    }
    return nearest && nearest.seat;
  }

  // As the site's clock shows the quarter-hour, whatever the browser's own zone.
  function wall(quarter) {
    const { zone, clock } = grid().dataset;
    const shape = { hour: "2-digit", minute: "2-digit", timeZone: zone, hourCycle: clock === "12" ? "h12" : "h23" };
    const text = new Intl.DateTimeFormat("en-US", shape).format(new Date(quarter * QUARTER * 1000));
    return clock === "12" ? text.replace(/^0/, "") : text;
  }

  // An element laid over the grid, from a quarter-hour on, so many long, at a chair or nurse.
  function lay(element, quarter, span, seat) {
    const canvas = document.querySelector(".board-canvas");
    if (element.parentElement !== canvas) canvas.append(element);
    const origin = canvas.getBoundingClientRect();
    const { first, left, quarter: width } = scale();
    const top = seat.rows[0].getBoundingClientRect();
    const bottom = seat.rows[seat.rows.length - 1].getBoundingClientRect();
    element.style.left = `${left - origin.left + (quarter - first) * width}px`;
    element.style.top = `${top.top - origin.top + 3}px`;
    if (span) {
      element.style.width = `${Math.max(span * width, 24)}px`;
      element.style.height = `${Math.min(bottom.bottom - top.top, 50) - 6}px`;
    }
  }

  function bringIntoView(element) {
    const frame = document.querySelector(".board-frame");
    const view = frame.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    const head = frame.querySelector("thead").getBoundingClientRect().height;
    if (box.top < view.top + head) frame.scrollTop -= view.top + head - box.top + 8;
    if (box.bottom > view.bottom) frame.scrollTop += box.bottom - view.bottom + 8;
    if (box.left < scale().names) frame.scrollLeft -= scale().names - box.left + 8;
    if (box.right > view.right && box.width < view.width) frame.scrollLeft += box.right - view.right + 8;
    const now = element.getBoundingClientRect();
    if (now.top < 60 || now.bottom > window.innerHeight - 60) element.scrollIntoView({ block: "center" });
  }

  return { grid, seats, seatOf, quarterAt, seatAt, wall, lay, bringIntoView };
})();
