// What is selected, counted and summed as it is selected; a box to select a whole table.
"use strict";

for (const form of document.querySelectorAll("form[data-selects]")) {
  const boxes = [...form.querySelectorAll('input[name="select"]')];
  const told = form.querySelector("[data-selected]");

  const tell = () => {
    const chosen = boxes.filter((box) => box.checked);
    const known = chosen.map((box) => box.dataset.dollars).filter((text) => text !== "");
    const cents = known.reduce((sum, text) => sum + Math.round(Number(text) * 100), 0);
    const dollars = (cents / 100).toLocaleString("en-US", { style: "currency", currency: "USD" });
    const unknown = chosen.length - known.length;
    told.textContent = chosen.length
      ? `${chosen.length} selected, ${dollars}${unknown ? `, ${unknown} without a known amount` : ""}`
      : "Nothing selected";
    for (const all of form.querySelectorAll("[data-all] input")) {
      const own = [...all.closest("table").querySelectorAll('input[name="select"]')];
      const some = own.filter((box) => box.checked).length;
      all.checked = some > 0 && some === own.length;
      all.indeterminate = some > 0 && some < own.length;
    }
  };

  for (const head of form.querySelectorAll("[data-all]")) {
    const all = document.createElement("input");
    all.type = "checkbox";
    all.setAttribute("aria-label", "Select all of this table");
    all.addEventListener("change", () => {
      for (const box of head.closest("table").querySelectorAll('input[name="select"]')) box.checked = all.checked;
      tell();
    });
    head.replaceChildren(all);
  }
  form.addEventListener("change", tell);
  tell();
}
