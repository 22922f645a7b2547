// What of the page a screen reader or weak eyes could not use; run in the page, it returns sentences.
const faults = [];
const visible = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
const scope = document.querySelector("dialog[open]") ?? document;

// Every control has a name.
for (const control of scope.querySelectorAll("a[href], button, input, select, textarea, video, meter, progress")) {
  if (!visible(control) || control.ariaHidden === "true") continue;
  const name = control.ariaLabel || [...(control.labels ?? [])].map((label) => label.textContent).join(" ") ||
    control.textContent;
  if (!name.trim()) faults.push(`without a name: ${control.outerHTML.slice(0, 120)}`);
}
for (const image of scope.querySelectorAll("img")) {
  if (!image.hasAttribute("alt")) faults.push(`without an alternative: ${image.src}`);
}

// No heading leaves a level out.
let level = 0;
for (const heading of [...document.querySelectorAll("h1, h2, h3, h4")].filter(visible)) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) faults.push(`h${next} after h${level}: ${heading.textContent}`);
  level = next;
}

// Every text stands out from what is behind it, as WCAG 2.2 (1.4.3) measures it.
const channels = (color) => color.match(/[\d.]+/g).map(Number);
const luminance = (color) => {
  const [r, g, b] = channels(color).map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    if ((channels(color)[3] ?? 1) > 0) return color;
  }
  return "rgb(255, 255, 255)";
};
const texts = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const node = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !node || !visible(node) || node.closest("script, noscript, datalist, video")) continue;
  const [light, dark] = [luminance(getComputedStyle(node).color), luminance(behind(node))].sort((a, b) => b - a);
  const contrast = (light + 0.05) / (dark + 0.05);
  if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(2)}: ${texts.currentNode.data.trim().slice(0, 60)}`);
}

if (!document.documentElement.lang) faults.push("no language");
if (document.documentElement.scrollWidth > innerWidth) faults.push(`wider than the window of ${innerWidth}`);
const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) faults.push(`twice: #${id}`);
return faults;
