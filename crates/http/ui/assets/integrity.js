// Integrity: follows a verification. Without this the page loads itself again until it is over.
import { ready } from "./app.js";

/** Between two looks. */
const PAUSE_MS = 1000;

const box = /** @type {HTMLElement | null} */ (document.getElementById("checking"));

async function look() {
  const running = /** @type {HTMLElement | null} */ (box?.querySelector("[data-running]"));
  if (!box || !running) return;
  try {
    const answer = await fetch(`${box.dataset.place}${encodeURIComponent(running.dataset.running ?? "")}`);
    // Signed out meanwhile: the door says so.
    if (answer.redirected) return location.reload();
    if (answer.ok) {
      box.innerHTML = await answer.text();
      ready(box);
      // What was recorded of it is on the page as well.
      if (!box.querySelector("[data-running]")) return location.reload();
    }
  } catch {
    // The server is away for a moment; the next look may find it.
  }
  setTimeout(look, PAUSE_MS);
}

setTimeout(look, PAUSE_MS);
