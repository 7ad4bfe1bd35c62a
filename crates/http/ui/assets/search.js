// The search with a script: keys, the event beside the list, a stretch of time drawn over the bars.
import { closeMenu, isTyping } from "./app.js";
import { complete } from "./complete.js";
import { fill } from "./event.js";
import { live } from "./live.js";

const query = /** @type {HTMLInputElement | null} */ (document.getElementById("q"));
const drawer = /** @type {HTMLElement | null} */ (document.getElementById("drawer"));
const page = /** @type {HTMLElement | null} */ (document.querySelector(".search"));

/** The row that keys are at. @type {HTMLTableRowElement | null} */
let at = null;
/** What is loaded last wins. */
let loading = 0;

const rows = () => /** @type {HTMLTableRowElement[]} */ ([...document.querySelectorAll("#list tr[data-position]")]);

/** @param {HTMLTableRowElement | null | undefined} row */
function goTo(row) {
  if (!row) return;
  at?.classList.remove("at");
  at = row;
  row.classList.add("at");
  /** @type {HTMLElement | null} */ (row.querySelector("a.open"))?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/** @param {number} step */
function move(step) {
  const all = rows();
  const here = at ? all.indexOf(at) : -1;
  const row = all[here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step];
  goTo(row);
  if (row && drawer && !drawer.hidden) open(row.querySelector("a.open"), true);
}

/**
 * @param {Element | null} link
 * @param {boolean} isNext an event is open already: back leads to the list, not through all of them
 */
function open(link, isNext = false) {
  if (!(link instanceof HTMLAnchorElement)) return;
  const id = decodeURIComponent(link.pathname.split("/").pop() ?? "");
  const place = `${location.pathname}${location.search}#${encodeURIComponent(id)}`;
  history[isNext ? "replaceState" : "pushState"]({ isDrawer: true }, "", place);
  show(link.pathname + link.search);
}

/** @param {string} place */
async function show(place) {
  if (!drawer) return;
  const mine = ++loading;
  const slow = setTimeout(() => mine === loading && drawer.replaceChildren(says("Reading and hashing …")), 200);
  drawer.hidden = false;
  document.body.classList.add("with-drawer");
  try {
    const answer = await fetch(`${place}&part=body`, { headers: { accept: "text/html" } });
    if (mine !== loading) return;
    if (answer.redirected) return location.assign(place);
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    drawer.innerHTML = await answer.text();
    const close = Object.assign(document.createElement("button"), { type: "button", className: "close", textContent: "✕" });
    close.setAttribute("aria-label", "Close the event");
    close.addEventListener("click", () => hide(true));
    drawer.prepend(close);
    drawer.scrollTop = 0;
    fill(drawer);
  } catch (error) {
    if (mine === loading) drawer.replaceChildren(says(`This event could not be loaded: ${error instanceof Error ? error.message : error}.`, place));
  } finally {
    clearTimeout(slow);
  }
}

/** @param {string} text @param {string} [place] */
function says(text, place) {
  const note = Object.assign(document.createElement("p"), { className: "notice", textContent: text });
  if (place) note.append(" ", Object.assign(document.createElement("a"), { href: place, textContent: "Open its page" }));
  return note;
}

/** @param {boolean} leaveTrace whether the address is to say so, too */
function hide(leaveTrace) {
  if (!drawer || drawer.hidden) return false;
  loading++;
  drawer.hidden = true;
  drawer.replaceChildren();
  document.body.classList.remove("with-drawer");
  // The step that opened it is taken back, so that back leads to the question before.
  if (leaveTrace && history.state?.isDrawer) history.back();
  else if (leaveTrace) history.replaceState(null, "", location.pathname + location.search);
  // Back to where one was in the list.
  /** @type {HTMLElement | null} */ (at?.querySelector("a.open"))?.focus({ preventScroll: true });
  return true;
}

function followHash() {
  const id = location.hash.slice(1);
  if (!id) return void hide(false);
  show(`/events/${id}?organisation=${encodeURIComponent(page?.dataset.organisation ?? "")}`);
}

document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest("#list a.open");
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || !drawer) return;
  event.preventDefault();
  goTo(link.closest("tr"));
  open(link, !drawer.hidden);
});
window.addEventListener("popstate", followHash);
if (location.hash) followHash();

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape") {
    if (isTyping(event.target)) /** @type {HTMLElement} */ (event.target).blur();
    else if (!closeMenu()) hide(true);
    return;
  }
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const press = (/** @type {string} */ id) => document.getElementById(id)?.click();
  switch (event.key) {
    case "/":
      event.preventDefault();
      query?.focus();
      query?.select();
      break;
    case "j": move(1); break;
    case "k": move(-1); break;
    case "t": press("live"); break;
    case "[": press("earlier"); break;
    case "]": press("later"); break;
  }
});

/** Draws a stretch of time over the bars, and asks for it. @param {HTMLElement} plot */
function brush(plot) {
  const picture = /** @type {SVGSVGElement} */ (plot.querySelector("svg"));
  const [from, to] = [Date.parse(plot.dataset.from ?? ""), Date.parse(plot.dataset.to ?? "")];
  const mark = Object.assign(document.createElement("div"), { className: "brush", hidden: true });
  plot.append(mark);
  let start = 0;
  let isDrawing = false;
  const share = (/** @type {PointerEvent} */ event) => {
    const box = picture.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    [start, isDrawing] = [share(event), true];
    event.preventDefault();
  });
  window.addEventListener("pointermove", (event) => {
    if (!isDrawing) return;
    const [left, right] = [start, share(event)].sort((a, b) => a - b);
    const box = picture.getBoundingClientRect();
    mark.hidden = (right - left) * box.width < 4;
    mark.style.left = `${picture.offsetLeft + left * box.width}px`;
    mark.style.width = `${(right - left) * box.width}px`;
  });
  window.addEventListener("pointerup", (event) => {
    if (!isDrawing) return;
    isDrawing = false;
    if (mark.hidden) return;
    const [left, right] = [start, share(event)].sort((a, b) => a - b);
    const moment = (/** @type {number} */ part) => new Date(from + (to - from) * part).toISOString().replace(/\.\d+Z$/, "Z");
    const address = new URL(location.href);
    address.hash = "";
    for (const name of ["cursor", "back", "count"]) address.searchParams.delete(name);
    address.searchParams.set("from", moment(left));
    address.searchParams.set("to", moment(right));
    location.assign(address);
  });
  // A stretch that was drawn is no press on a bar.
  picture.addEventListener("click", (event) => !mark.hidden && event.preventDefault());
  picture.addEventListener("dragstart", (event) => event.preventDefault());
}

const plot = /** @type {HTMLElement | null} */ (document.querySelector(".plot"));
if (plot) brush(plot);
if (query) complete(query);
if (page?.dataset.tail) live(page.dataset.tail);

document.querySelector(".exports")?.addEventListener("click", () => {
  const note = document.getElementById("exporting");
  if (!note) return;
  note.hidden = false;
  note.textContent = "It has begun. Your browser shows how far it is; a file that could not be finished is not kept.";
});
