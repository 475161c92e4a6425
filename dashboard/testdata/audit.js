// Lists what is wrong with a page for people who use a keyboard, a screen reader, a small screen or little light. The rules
// are those of axe-core with the same names, and two of our own.
(() => {
  const problems = [];
  const problem = (rule, element) => problems.push(`${rule}: ${element.outerHTML.slice(0, 120)}`);
  const all = (selector) => [...document.querySelectorAll(selector)];

  if (!document.documentElement.lang) problem("html-has-lang", document.documentElement);
  if (!document.title) problem("document-title", document.documentElement);
  if (all("h1").length !== 1) problem("page-has-heading-one", document.body);
  if (all("main").length !== 1) problem("landmark-one-main", document.body);
  const ids = all("[id]").map((e) => e.id);
  all("[id]").forEach((e) => { if (ids.filter((id) => id === e.id).length > 1) problem("duplicate-id", e); });
  all("a, button").forEach((e) => { if (!e.textContent.trim() && !e.ariaLabel) problem("link-name, button-name", e); });
  all("input:not([type=hidden]), select, textarea").forEach((e) => { if (!e.labels.length) problem("label", e); });
  all("svg").forEach((e) => { if (e.getAttribute("role") !== "img" || !e.ariaLabel) problem("svg-img-alt", e); });
  all("[aria-labelledby]:not([hidden])").forEach((e) => { if (!document.getElementById(e.getAttribute("aria-labelledby"))) problem("aria-valid-attr-value", e); });
  all("th").forEach((e) => { if (!e.scope) problem("scope-attr-valid", e); });
  all("[tabindex]").forEach((e) => { if (e.tabIndex > 0) problem("tabindex", e); });
  all("pre").forEach((e) => { if (e.tabIndex !== 0) problem("scrollable-region-focusable", e); });
  all("[aria-label], [aria-labelledby]").forEach((e) => {
    if (!e.getAttribute("role") && ["DIV", "P", "PRE", "SPAN"].includes(e.tagName)) problem("aria-allowed-attr", e);
  });
  if (document.querySelector("main[data-live]") && !document.querySelector("body > [role=status]")) problem("a status outside of what is replaced", document.body);
  let level = 0;
  all("h1, h2, h3").forEach((e) => {
    if (+e.tagName[1] > level + 1) problem("heading-order", e);
    level = +e.tagName[1];
  });

  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = numbers(color).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (numbers(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  all("body *").forEach((e) => {
    if (e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim()) && !e.closest("svg")) {
      const [light, dark] = [luminance(getComputedStyle(e).color), luminance(behind(e))].sort((a, b) => b - a);
      if ((light + 0.05) / (dark + 0.05) < 4.5) problem("color-contrast", e);
    }
  });
  all("button").forEach((e) => { if (e.getBoundingClientRect().height < 24) problem("target-size", e); });

  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) problem(`wider than the window, ${page.scrollWidth} > ${page.clientWidth}`, page);
  return problems;
})()
