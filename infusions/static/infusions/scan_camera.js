// The camera as a scanner, where the browser can read codes from a picture.
(function () {
  "use strict";

  var form = document.querySelector("[data-scan]");
  var devices = navigator.mediaDevices;
  if (!form || !("BarcodeDetector" in window) || !devices || !devices.getUserMedia) return;
  var button = form.querySelector("[data-scan-camera]");
  var dialog = form.querySelector("[data-scan-dialog]");
  var video = dialog.querySelector("video");
  var formats = ["data_matrix", "code_128", "qr_code"];
  var stream = null;
  button.hidden = false;

  function stop() {
    if (stream) {
      stream.getTracks().forEach(function (track) {
        track.stop();
      });
    }
    stream = null;
    video.srcObject = null;
  }

  function look(detector) {
    if (!stream) return;
    detector
      .detect(video)
      .catch(function () {
        return [];
      })
      .then(function (codes) {
        if (!stream) return;
        if (!codes.length) return setTimeout(look, 150, detector);
        dialog.close();
        form.dispatchEvent(new CustomEvent("scanned", { detail: codes[0].rawValue.replace(/\u001d/g, "\u241d") }));
      });
  }

  function start() {
    dialog.showModal();
    devices
      .getUserMedia({ video: { facingMode: "environment" } })
      .then(function (opened) {
        stream = opened;
        if (!dialog.open) return stop();
        video.srcObject = opened;
        return video.play().then(function () {
          look(new window.BarcodeDetector({ formats: formats }));
        });
      })
      .catch(function () {
        dialog.close();
        button.disabled = true;
        button.lastChild.textContent = "No camera";
      });
  }

  button.addEventListener("click", start);
  dialog.querySelector("[data-scan-stop]").addEventListener("click", function () {
    dialog.close();
  });
  dialog.addEventListener("close", stop);
})();
