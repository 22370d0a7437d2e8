// A sheet that takes longer than one request: the page presses "Go on" by itself.
document.querySelector("[data-goes-on]")?.requestSubmit();
