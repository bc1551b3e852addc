// Returns what is wrong with this page, a sentence each. Run by the browser's driver, never by a page.
const faults = [];
const all = (css) => [...document.querySelectorAll(css)];
const named = (element) => `<${element.tagName.toLowerCase()}> “${element.textContent.trim().slice(0, 30)}”`;
const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;

// It fits. The inner width of a phone's window grows with a page that is too wide; the client width does not.
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) faults.push(`wide: ${root.scrollWidth} in ${root.clientWidth}`);

// Languages and title.
if (!(root.lang || "").startsWith("zh")) faults.push("no language");
if (!document.title.trim()) faults.push("no title");
const latin = /[A-Za-z]{3,}[^\u4e00-\u9fff]*[A-Za-z]{3,}\s+[A-Za-z]{2,}/;
for (const element of all("h1, h2, h3, p, dt, button, label, legend, caption, th, li > a")) {
  const own = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join(" ");
  if (!element.closest("[lang=en]") && latin.test(own)) faults.push(`English without a language: ${named(element)}`);
}

// Headings: one first, and no step left out.
const headings = all("h1, h2, h3, h4").filter(shown);
if (headings.filter((heading) => heading.tagName === "H1").length !== 1) faults.push("not one first heading");
let level = 0;
for (const heading of headings) {
  const next = Number(heading.tagName[1]);
  // A summary of faults stands above the page's heading on purpose.
  if (next > level + 1 && !heading.closest(".summary")) faults.push(`heading leaves a step out: ${named(heading)}`);
  if (!heading.closest(".summary")) level = next;
}

// Names of what can be used.
for (const field of all("input:not([type=hidden]), select, textarea")) {
  if (!field.labels.length && !field.getAttribute("aria-label")) faults.push(`no label: ${field.outerHTML.slice(0, 60)}`);
  for (const id of (field.getAttribute("aria-describedby") || "").split(" ").filter(Boolean)) {
    if (!document.getElementById(id)) faults.push(`describes nothing: ${id}`);
  }
}
for (const link of all("a[href], button")) {
  if (!link.textContent.trim() && !link.getAttribute("aria-label")) faults.push(`empty link: ${link.outerHTML.slice(0, 60)}`);
  const target = link.getAttribute("href") || "";
  if (target.length > 1 && target.startsWith("#") && !document.getElementById(target.slice(1))) {
    faults.push(`leads to nothing: ${target}`);
  }
}
const ids = all("[id]").map((element) => element.id);
for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`id twice: ${id}`);
for (const table of all("table")) {
  if (!table.caption) faults.push("a table without a caption");
}

// Room for a finger: links inside sentences apart.
for (const target of all("button, .button, input:not([type=hidden]), select, nav a").filter(shown)) {
  const box = target.getBoundingClientRect();
  if (box.height < 24) faults.push(`too small: ${named(target)} ${Math.round(box.height)}`);
}

// Contrast of text with what is behind it: 4.5 to 1, 3 to 1 where it is large.
const channels = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
const luminance = ([red, green, blue]) =>
  [red, green, blue]
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = channels(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
};
const seen = new Set();
for (const element of all("body *").filter(shown)) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own) continue;
  const style = getComputedStyle(element);
  const [light, dark] = [luminance(channels(style.color)), luminance(behind(element))].sort((a, b) => b - a);
  const ratio = (light + 0.05) / (dark + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const said = `contrast ${ratio.toFixed(1)}: ${style.color} ${named(element)}`;
  if (ratio < (large ? 3 : 4.5) && !seen.has(style.color)) {
    seen.add(style.color);
    faults.push(said);
  }
  if (size < 13) faults.push(`small type: ${size} ${named(element)}`);
}
return faults;
