// Keeps the page as it is now. The server sends what is in <main> each time it has changed; only sections that have changed
// are replaced, and a log that has grown only gets its new lines, so that focus and selection stay where they are. Without this
// script, the page loads itself again.
"use strict";

const main = document.querySelector("main[data-live]");
const lost = document.getElementById("lost");
const said = document.getElementById("said");
let source;

// A page that nobody sees needs no connection, of which browsers have six to a server.
function follow() {
  source?.close();
  if (document.hidden) return;
  source = new EventSource(main.dataset.live);
  source.onmessage = (event) => { lost.hidden = true; show(event.data); };
  source.onerror = () => { lost.hidden = false; };
}

function show(html) {
  const next = new DOMParser().parseFromString(html, "text/html");
  for (const section of next.querySelectorAll("section[id]")) {
    const now = document.getElementById(section.id);
    if (!now) {
      main.append(section);
    } else if (now.outerHTML !== section.outerHTML) {
      replace(now, section);
    }
  }
  const sentence = next.querySelector("[data-say]")?.dataset.say ?? "";
  if (said.textContent !== sentence) said.textContent = sentence;
}

// replace replaces a section, or adds to its log. What had the focus keeps it, if it is still there.
function replace(now, next) {
  const [log, longer] = [now.querySelector("pre"), next.querySelector("pre")];
  const atEnd = log && log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  const top = log?.scrollTop ?? 0;
  if (log && longer && now.id === "log" && longer.textContent.startsWith(log.textContent)) {
    log.append(longer.textContent.slice(log.textContent.length));
  } else {
    const focused = now.contains(document.activeElement) ? purpose(document.activeElement) : null;
    now.replaceWith(next);
    if (longer) longer.scrollTop = top;
    if (focused) [...next.querySelectorAll("a, button, pre")].find((e) => purpose(e) === focused)?.focus({ preventScroll: true });
  }
  if (atEnd) toEnd(document.querySelector(`#${next.id} pre`));
}

// purpose tells links and buttons apart by what they do.
function purpose(element) {
  return element.form?.action ?? element.href ?? element.tagName;
}

function toEnd(log) {
  if (log) log.scrollTop = log.scrollHeight;
}

document.addEventListener("visibilitychange", follow);
toEnd(document.querySelector("#log pre"));
follow();
