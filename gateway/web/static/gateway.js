// Comforts only: every page works without this script.
"use strict";

for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
  // An address without empty filters is one that people can read and share.
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (field.value === "") field.disabled = true;
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A form sent twice by an impatient double click is sent once.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}

document.addEventListener("keydown", (event) => {
  const search = document.querySelector('input[type="search"]');
  if (event.key !== "/" || !search || event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  search.focus();
});

// A page taken from the browser's memory must not keep its fields disabled or its forms marked as sent.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
