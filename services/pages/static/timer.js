// The timer's bar: counts on from what the server said, and looks again when somebody comes back
// to this tab or does something in another one. Without a script it shows the time at loading.
"use strict";

(() => {
  const place = document.getElementById("timer-place");
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("timer") : null;
  let taken = performance.now();

  const bar = () => document.getElementById("timer");

  function tick() {
    const clock = place.querySelector("[data-running]");
    if (!clock) return;
    const seconds = Number(clock.dataset.running) + Math.floor((performance.now() - taken) / 1000);
    clock.textContent = `${Math.floor(seconds / 60).toLocaleString("en-US")}:${String(seconds % 60).padStart(2, "0")}`;
  }

  async function renew() {
    const asked = performance.now();
    // Nobody has to sit here for this: it keeps no session alive.
    const answer = await fetch("/timer", { headers: { "X-Unattended": "1" } }).catch(() => null);
    if (!answer || !answer.ok || answer.redirected) return;
    const made = document.createElement("template");
    made.innerHTML = await answer.text();
    const fresh = made.content.querySelector("#timer");
    if (!fresh) return;
    taken = asked;
    if (fresh.dataset.mark === bar().dataset.mark) {
      const now = fresh.querySelector("[data-running]"), old = bar().querySelector("[data-running]");
      if (now && old) old.dataset.running = now.dataset.running;
    } else {
      for (const back of fresh.querySelectorAll('input[name="back"]')) back.value = location.pathname + location.search;
      bar().replaceWith(fresh);
    }
    tick();
  }

  tabs?.addEventListener("message", (said) => { if (said.data !== bar().dataset.mark) renew(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) renew(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) renew(); });
  tabs?.postMessage(bar().dataset.mark);
  setInterval(tick, 1000);
})();
