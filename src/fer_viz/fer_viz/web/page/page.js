"use strict";

const [picture, faces, speed, note] =
  ["picture", "faces", "speed", "note"].map((id) => document.getElementById(id));
/* Arrival of the pictures of the last seconds, ms. */
const SPAN_MS = 3000;
let arrived = [];
let events = null;

/* Writes only what differs, so that a screen reader does not repeat itself. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(state) {
  const now = performance.now();
  arrived = arrived.filter((at) => now - at < SPAN_MS).concat(now);
  const rate = (arrived.length - 1) / Math.max((now - arrived[0]) / 1000, 0.001);
  picture.src = `data:image/jpeg;base64,${state.picture}`;
  picture.hidden = false;
  picture.classList.remove("old");
  const named = state.faces.map(({ id, label, confidence }) =>
    label ? `face ${id}: ${label} ${Math.round(100 * confidence)} %` : `face ${id}`);
  write(faces, named.join(", ") || "no face");
  write(speed, `${rate.toFixed(0)} pictures/s`);
  write(note, state.hint);
}

function lost() {
  arrived = [];
  picture.classList.add("old");
  write(note, events.readyState === EventSource.CLOSED
    ? "refused: too many pages are open"
    : "no connection to the viz node: is the graph up?");
}

/* A page that nobody sees costs the graph nothing. */
function follow() {
  if (events) events.close();
  events = null;
  if (document.hidden) return;
  events = new EventSource("events");
  events.onopen = () => write(note, "");
  events.onmessage = (event) => show(JSON.parse(event.data));
  events.onerror = lost;
}

document.addEventListener("visibilitychange", follow);
follow();
