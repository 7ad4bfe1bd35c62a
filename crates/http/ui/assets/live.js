// Events as they come. The server renders the rows and sends few; here they are put in at the top.
import { ready } from "./app.js";

/** Rows that are kept; older ones are on the pages of the list. */
const ROWS = 300;
/** How often somebody who listens is told, at most. */
const TOLD_MS = 3000;

/** @param {string} place */
export function live(place) {
  const button = document.getElementById("live");
  const says = document.getElementById("tailing");
  if (!button || !says) return;
  /** @type {EventSource | null} */
  let source = null;
  /** Waiting while the reader looks at something further down. @type {HTMLTableRowElement[]} */
  let held = [];
  let [shown, passed, told] = [0, 0, -Infinity];
  button.hidden = false;

  function body() {
    const table = document.getElementById("list");
    if (!table) return null;
    // Where nothing was found there is something now.
    table.hidden = false;
    document.getElementById("nothing")?.remove();
    let body = document.getElementById("fresh");
    if (!body) {
      body = document.createElement("tbody");
      body.id = "fresh";
      table.querySelector("thead")?.after(body);
    }
    return body;
  }

  const isAway = () => window.scrollY > 240 || !document.getElementById("drawer")?.hidden;

  function tell() {
    const now = performance.now();
    if (now - told < TOLD_MS) return;
    told = now;
    const parts = [source ? (held.length ? "Live, held while you look" : "Live") : "Stopped"];
    if (shown) parts.push(`${shown} new`);
    if (passed) parts.push(`${passed} more than fit`);
    if (says) says.textContent = parts.join(" · ");
  }

  function put() {
    const target = held.length ? body() : null;
    if (!target) return;
    const fresh = held.slice(0, ROWS);
    shown += held.length;
    held = [];
    for (const row of fresh) row.classList.add("new");
    target.prepend(...fresh);
    while (target.children.length > ROWS) target.lastElementChild?.remove();
    ready(target);
  }

  /** @param {MessageEvent<string>} event */
  function take(event) {
    const end = event.data.indexOf("\n");
    passed += Number(event.data.slice(0, end)) || 0;
    const template = document.createElement("template");
    template.innerHTML = `<table><tbody>${event.data.slice(end + 1)}</tbody></table>`;
    held = [...template.content.querySelectorAll("tr"), ...held];
    passed += Math.max(0, held.length - ROWS);
    held.length = Math.min(held.length, ROWS);
    if (!isAway()) requestAnimationFrame(put);
    tell();
  }

  function stop(/** @type {string} */ why) {
    source?.close();
    source = null;
    button?.setAttribute("aria-pressed", "false");
    if (says) says.textContent = why;
  }

  function start() {
    [shown, passed, told] = [0, 0, -Infinity];
    source = new EventSource(place);
    source.addEventListener("rows", take);
    source.addEventListener("over", () => stop("Your session is over: sign in again."));
    source.addEventListener("open", tell);
    source.addEventListener("error", () => {
      if (source?.readyState === EventSource.CLOSED) stop("The server does not send events now.");
      else if (says) says.textContent = "Cut off; trying again …";
    });
    button?.setAttribute("aria-pressed", "true");
    if (says) says.textContent = "Connecting …";
  }

  button.addEventListener("click", () => (source ? (put(), stop(`Stopped · ${shown} new`)) : start()));
  window.addEventListener("scroll", () => held.length && !isAway() && put(), { passive: true });
  setInterval(() => {
    if (held.length && !isAway()) put();
    if (source) tell();
  }, 1000);
}
