// As much of a document as the page's script needs, for node. The script and the server are the real ones.
// Arguments: the page's file, its address. Standard input: JSON list of steps, each ["type", words], ["filter", text],
// ["key", name], ["click", id of a list, number] or ["drop", file name, base64]. Prints what the page shows at the start and after each step.
"use strict";
const fs = require("fs");
const [file, base] = process.argv.slice(2);
const html = fs.readFileSync(file, "utf8");

class Node_ {
  constructor(tag, text = "") {
    Object.assign(this, { tagName: tag.toUpperCase(), children: [], dataset: {}, style: {}, hidden: false,
      className: "", value: "", checked: true, attributes: {}, listeners: {}, parent: null, text,
      classList: { toggle() {} } });
  }
  get textContent() { return this.text + this.children.map((child) => child.textContent).join(""); }
  set textContent(text) { this.text = text; this.children = []; }
  append(...nodes) { for (const node of nodes) { node.parent = this; this.children.push(node); } }
  replaceChildren(...nodes) { this.children = []; this.text = ""; this.append(...nodes); }
  setAttribute(name, value) { this.attributes[name] = value; }
  removeAttribute(name) { delete this[name]; }
  addEventListener(kind, work) { (this.listeners[kind] ||= []).push(work); }
  async fire(kind, event = {}) {
    event.preventDefault ||= () => {};
    for (const work of this.listeners[kind] || []) await work(event);
  }
  focus() { document.activeElement = this; }
  select() {}
  closest(what) {
    for (let node = this; node; node = node.parent) {
      if (what === ".card" ? node.className === "card" : node.tagName === what.toUpperCase()) return node;
    }
    return null;
  }
  querySelectorAll() {
    return this.children.flatMap((child) => (child.className === "card" ? [child] : child.querySelectorAll()));
  }
}

const byId = {};
for (const [, tag, id] of html.matchAll(/<(\w+)[^>]*?\sid="([\w-]+)"/gs)) byId[id] = new Node_(tag);
const body = new Node_("body");
const page = { body, activeElement: body, listeners: {}, createElement: (tag) => new Node_(tag),
  createTextNode: (text) => new Node_("#text", text), getElementById: (id) => byId[id] };
page.addEventListener = Node_.prototype.addEventListener.bind(page);
globalThis.document = page;
globalThis.location = new URL(base);
globalThis.FileReader = class extends Node_ {
  constructor() { super("reader"); }
  readAsDataURL(file) {
    pending += 1;
    file.arrayBuffer().then(() => { this.result = "data:" + file.type; return this.fire("load"); }).finally(() => { pending -= 1; });
  }
};
let shown = "";
globalThis.history = { replaceState: (state, title, address) => { shown = address; } };
const real = { fetch: globalThis.fetch, setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
let pending = 0;
const waiting = new Set();
globalThis.fetch = async (address, more) => {
  pending += 1;
  try {
    const answer = await real.fetch(new URL(address, base), more);
    return new Response(await answer.arrayBuffer(), answer);
  } finally {
    pending -= 1;
  }
};
globalThis.setTimeout = (work, delay, ...more) => {
  if (more.length || delay >= 500) return real.setTimeout(work, delay, ...more);  // of node's own HTTP client
  const timer = real.setTimeout(() => { waiting.delete(timer); work(); }, delay);
  waiting.add(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => { waiting.delete(timer); real.clearTimeout(timer); };

// Until every question is answered, the pause after typing is over, and what follows from both has run.
async function settle() {
  for (let quiet = 0; quiet < 3; quiet = pending || waiting.size ? 0 : quiet + 1) {
    await new Promise((done) => real.setTimeout(done, 5));
  }
}
const cards = (id) => byId[id].querySelectorAll();
const told = () => ({
  address: shown, found: byId.found.textContent, trouble: byId.trouble.hidden ? "" : byId.trouble.textContent,
  hits: cards("hits").map((card) => card.dataset.id), first: cards("hits")[0] && cards("hits")[0].textContent,
  item: byId.item.hidden ? "" : byId["item-title"].textContent, why: byId["item-why"].textContent, similar: cards("similar").map((card) => card.dataset.id),
  because: byId["because-title"].textContent, looked: byId.looked.children.map((chip) => chip.textContent),
  picture: byId["picture-box"].hidden ? null : byId["picture-seen"].src || "",
  about: byId.about.textContent, focus: document.activeElement.dataset.id ||
    Object.keys(byId).find((id) => byId[id] === document.activeElement) || document.activeElement.tagName,
});

async function main() {
  (0, eval)(html.match(/<script>(.*)<\/script>/s)[1]);
  await settle();
  const seen = [told()];
  for (const [kind, what, number] of JSON.parse(fs.readFileSync(0, "utf8"))) {
    const field = kind === "filter" ? byId.filters : byId.words;
    if (kind === "type" || kind === "filter") {
      field.focus();
      field.value = what;
      await field.fire("input");
    } else if (kind === "click") {
      await (number === undefined ? byId[what] : byId[what].children[number]).fire("click");
    } else if (kind === "drop") {
      const file = new File([Buffer.from(number, "base64")], what, { type: what.endsWith("png") ? "image/png" : "text/plain" });
      for (const work of page.listeners.drop) work({ dataTransfer: { types: ["Files"], files: [file] }, preventDefault() {} });
    } else {
      const at = document.activeElement;
      for (const work of page.listeners.keydown) work({ key: what, preventDefault() {} });
      if (what === "Enter" && at.className === "card") await at.fire("click");
    }
    await settle();
    seen.push(told());
  }
  console.log(JSON.stringify(seen));
  process.exit(0);
}
main();
