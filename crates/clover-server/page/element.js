// Elements of the page, and how numbers are written in them. Whatever comes from outside (names, captions,
// faults) becomes a text node, never markup.

export const $ = (id) => document.getElementById(id);

/** An element with properties and children. A text child is a text node, whatever it says. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Milliseconds as 1:05.3. */
export function clock(ms) {
  const tenths = Math.round(ms / 100);
  const [minutes, rest] = [Math.floor(tenths / 600), tenths % 600];
  return `${minutes}:${String(Math.floor(rest / 10)).padStart(2, "0")}${rest % 10 ? `.${rest % 10}` : ""}`;
}

export const percent = (share) => `${(100 * share).toFixed(share > 0.995 && share < 1 ? 2 : 1)}\u00a0%`;
export const megabytes = (bytes) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
