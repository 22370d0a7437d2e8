// Two short tones when somebody becomes overdue: off until asked for, remembered on this device, silent before a tap.
(function () {
  "use strict";

  var KEY = "chairside-sound";
  var audio = null;

  function wanted() {
    try {
      return localStorage.getItem(KEY) === "on";
    } catch (error) {
      return false;
    }
  }

  // Browsers let a page sound only after it was touched.
  function wake() {
    var Context = window.AudioContext || window.webkitAudioContext;
    if (!Context || !wanted()) return;
    audio = audio || new Context();
    if (audio.state === "suspended") audio.resume();
  }

  function tone(pitch, after) {
    var source = audio.createOscillator();
    var volume = audio.createGain();
    source.frequency.value = pitch;
    volume.gain.setValueAtTime(0.25, audio.currentTime + after);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + after + 0.35);
    source.connect(volume).connect(audio.destination);
    source.start(audio.currentTime + after);
    source.stop(audio.currentTime + after + 0.4);
  }

  function beep() {
    if (!wanted() || !audio || audio.state !== "running") return;
    tone(880, 0);
    tone(660, 0.4);
    document.documentElement.dataset.beeps = String(Number(document.documentElement.dataset.beeps || 0) + 1);
  }

  function show() {
    document.querySelectorAll("[data-sound]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(wanted()));
    });
  }

  document.addEventListener("pointerdown", wake);
  document.addEventListener("click", function (event) {
    if (!event.target.closest("[data-sound]")) return;
    try {
      localStorage.setItem(KEY, wanted() ? "off" : "on");
    } catch (error) {
      return;
    }
    wake();
    show();
    if (wanted()) setTimeout(beep, 150);
  });

  window.chairsideSound = { beep: beep };
  show();
})();
