// Forms that need a passkey: hands allauth's script the form's fields, and says when the device did not give one.
document.addEventListener("DOMContentLoaded", function () {
  "use strict";
  var ids = 0;

  function named(element) {
    element.id = element.id || "passkey-" + ++ids;
    return element.id;
  }

  // allauth reads the options as text of an element; in ours they are an attribute, as no script may have a body.
  function options(form) {
    var holder = form.querySelector("[data-passkey-options]");
    if (holder) holder.textContent = holder.dataset.passkeyOptions;
    return holder ? named(holder) : undefined;
  }

  document.querySelectorAll("form[data-passkey]").forEach(function (form) {
    if (!window.PublicKeyCredential || !window.allauth) return;
    form.hidden = false;
    var button = form.querySelector("button");
    var passwordless = form.querySelector("[name=passwordless]");
    var given = { credential: named(form.querySelector("[name=credential]")), data: options(form) };
    given[{ login: "login", authenticate: "authenticate", add: "add" }[form.dataset.passkey]] = named(button);
    if (passwordless) given.passwordless = named(passwordless);
    button.type = "button";
    window.allauth.webauthn.forms[form.dataset.passkey + "Form"]({ ids: given });
    document.addEventListener("allauth.error", function (event) {
      event.preventDefault();
      var said = form.querySelector("[data-passkey-error]");
      said.textContent = "The device gave no passkey. Try again, or use another way.";
      said.hidden = false;
    });
  });
});
