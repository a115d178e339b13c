// What every page does with a script: choosers go at once, colours change in place.
"use strict";

const root = document.documentElement;

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-goes-at-once]");
  if (form) form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-look-to]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const look = link.dataset.lookTo;
  root.dataset.look = look;
  document.cookie = `look=${look}; path=/; max-age=31536000; samesite=lax`;
  for (const other of document.querySelectorAll("a[data-look-to]")) {
    if (other === link) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
});

root.dataset.script = "on";
