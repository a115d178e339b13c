// The slider through recorded time: tells where it stands, and keeps the address right.
"use strict";

const slider = document.getElementById("slider");
if (slider) {
  const stop = slider.elements.stop;
  const moments = slider.dataset.moments.split("|");

  const tell = () => {
    const at = moments[stop.value];
    const now = Number(stop.value) === moments.length - 1;
    stop.setAttribute("aria-valuetext", now ? `now, ${at}` : at);
    stop.title = at;
  };

  const moveTo = (number) => {
    stop.value = number;
    tell();
    stop.dispatchEvent(new Event("input", { bubbles: true }));
  };

  tell();
  stop.addEventListener("input", tell);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-stop]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    moveTo(link.dataset.stop);
  });

  document.addEventListener("htmx:after:swap", () => {
    const then = document.getElementById("then");
    if (then) history.replaceState(null, "", then.dataset.address);
  });
}
