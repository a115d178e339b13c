// The live board: which rows changed comes from the server, what they are now is asked for and put
// in the place where each stands. Nothing is moved under the reader's hand; what would sort
// elsewhere says so.
"use strict";

(() => {
  const changes = document.getElementById("changes");
  const list = document.getElementById("list");
  const live = document.getElementById("live");
  const status = document.getElementById("status");
  const again = document.getElementById("again");
  const FRESH_MS = 1600;

  const rows = () => Array.from(document.querySelectorAll("tr.row"));
  const rowOf = (patient) => rows().find((row) => row.dataset.patient === patient);
  const say = (text) => { status.textContent = text; };

  // ---- keyboard -------------------------------------------------------------------------------

  const typing = (target) => target.closest("input, select, textarea, [contenteditable]");

  function step(by) {
    const stops = rows().map((row) => row.querySelector("[data-row]"));
    if (!stops.length) return;
    const at = stops.findIndex((stop) => stop.closest("tr").contains(document.activeElement));
    const to = at < 0 ? (by > 0 ? 0 : stops.length - 1) : Math.min(Math.max(at + by, 0), stops.length - 1);
    stops[to].focus();
    stops[to].closest("tr").scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const find = document.getElementById("find");
    if (event.key === "Escape" && event.target === find) { find.blur(); return; }
    if (typing(event.target)) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "/") { find.focus(); find.select(); }
    else if (event.key === "s" && !again.hidden) again.click();
    else return;
    event.preventDefault();
  });

  // ---- changes --------------------------------------------------------------------------------

  if (!changes || !live) return;

  const REST_MS = 250, AGAIN_MS = 1500;
  const waiting = new Set();
  let asking = false;

  // One question at a time, and a rest after it. What could not be asked is asked again.
  async function ask() {
    if (asking) return;
    asking = true;
    const asked = Array.from(waiting);
    waiting.clear();
    let rest = REST_MS;
    try {
      await renew(rows().map((row) => row.dataset.patient).filter((one) => asked.includes(one)));
    } catch {
      asked.forEach((patient) => waiting.add(patient));
      rest = AGAIN_MS;
    }
    setTimeout(() => { asking = false; if (waiting.size) ask(); }, rest);
  }

  async function renew(shown) {
    const url = new URL(list.dataset.rows, location.href);
    for (const patient of shown) url.searchParams.append("of", patient);
    const before = new Map(shown.map((patient) => [patient, rowOf(patient).dataset.codes]));
    // Nobody has to sit here for this: it keeps no session alive.
    const answer = await fetch(url, { headers: { "X-Unattended": "1" } });
    if (answer.redirected || answer.status === 401) { location.reload(); return; }
    if (!answer.ok) throw new Error(`${answer.status}`);
    const text = await answer.text();
    await htmx.swap({ sourceElement: list, target: list, swap: "none", text });
    for (const patient of shown) settle(patient, before.get(patient));
  }

  function settle(patient, codes) {
    const row = rowOf(patient);
    if (!row) return;
    row.dataset.fresh = "";
    setTimeout(() => delete row.dataset.fresh, FRESH_MS);
    mark(row);
    const now = row.dataset.codes;
    if (now !== codes) say(announced(patient, codes, now));
  }

  function announced(patient, before, now) {
    const units = (text) => text.split(" ").filter(Boolean);
    const had = units(before), has = units(now);
    const won = has.filter((unit) => !had.includes(unit));
    return won.length && has.length >= had.length
      ? `${patient} has earned ${won.join(", ")}.`
      : `${patient} has lost ${had.filter((unit) => !has.includes(unit)).join(", ")}.`;
  }

  // A row that would now stand elsewhere stays where it is and says in which direction.
  function mark(row) {
    const order = row.dataset.order;
    const stays = (other) => other && !other.dataset.moves;
    let above = row.previousElementSibling, below = row.nextElementSibling;
    while (above && !stays(above)) above = above.previousElementSibling;
    while (below && !stays(below)) below = below.nextElementSibling;
    const up = above && order < above.dataset.order, down = below && order > below.dataset.order;
    const place = row.querySelector("[data-moved]");
    if (up || down) row.dataset.moves = up ? "up" : "down";
    else delete row.dataset.moves;
    const left = "left" in row.dataset;
    place.textContent = left ? "left this list" : up ? "↑ sorts higher" : down ? "↓ sorts lower" : "";
    const moved = rows().filter((other) => other.dataset.moves || "left" in other.dataset).length;
    again.hidden = moved === 0;
    again.textContent = `${moved} moved · sort again`;
  }

  changes.addEventListener("rows", (event) => {
    for (const patient of JSON.parse(event.detail.data)) waiting.add(patient);
    ask();
  });
  changes.addEventListener("everything", () => {
    for (const row of rows()) waiting.add(row.dataset.patient);
    ask();
  });
  changes.addEventListener("anew", () => location.reload());

  // Sorting again puts the whole list in order, at the reader's word, and keeps the row in hand.
  again.addEventListener("click", async (event) => {
    event.preventDefault();
    const held = document.activeElement?.closest("tr.row")?.dataset.patient;
    await htmx.ajax("GET", again.getAttribute("href"), {
      source: list, target: "#list", select: "#list", swap: "outerMorph",
    });
    again.hidden = true;
    if (held) rowOf(held)?.querySelector("[data-row]").focus();
    say("Sorted again.");
  });

  // ---- the stream -----------------------------------------------------------------------------

  function show(state, words) {
    live.dataset.state = state;
    live.textContent = words;
  }

  changes.addEventListener("htmx:sse:after:connection", () => {
    if (live.dataset.state === "lost") say("Live again.");
    show("on", "Live");
  });
  // Whoever was signed out meanwhile sees nothing of it any more.
  async function leaveIfSignedOut() {
    const answer = await fetch("/auth/me", { headers: { "X-Unattended": "1" } }).catch(() => null);
    if (answer?.status === 401) location.reload();
  }

  changes.addEventListener("htmx:sse:error", () => {
    leaveIfSignedOut();
    if (live.dataset.state === "lost") return;
    show("lost", "Connection lost, trying again");
    say("The connection is lost; trying again.");
  });
})();
