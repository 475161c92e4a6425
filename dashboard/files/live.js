// Keeps the page as it is now. The server sends what is in <main> each time it has changed; only sections that have changed
// are replaced, so that focus and selection stay where they are. Without this script, the page loads itself again.
"use strict";

const main = document.querySelector("main[data-live]");
const lost = document.getElementById("lost");
const source = new EventSource("/live?of=" + encodeURIComponent(main.dataset.live));

source.onmessage = (event) => {
  lost.hidden = true;
  const next = new DOMParser().parseFromString(event.data, "text/html");
  for (const section of next.querySelectorAll("section[id]")) {
    const now = document.getElementById(section.id);
    if (!now) {
      main.append(section);
    } else if (now.outerHTML !== section.outerHTML) {
      replace(now, section);
    }
  }
};

source.onerror = () => { lost.hidden = false; };

// replace replaces a section. A log that was at its end stays there, and a focused link or button keeps the focus.
function replace(now, next) {
  const log = now.querySelector("pre");
  const atEnd = log && log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  const top = log ? log.scrollTop : 0;
  const focusable = (section) => [...section.querySelectorAll("a, button, pre")];
  const focused = focusable(now).indexOf(document.activeElement);
  now.replaceWith(next);
  const after = next.querySelector("pre");
  if (after) {
    after.scrollTop = atEnd ? after.scrollHeight : top;
  }
  focusable(next)[focused]?.focus({ preventScroll: true });
}
