// In a page with the widget: feeds it payloads through every field that reaches it, and looks after
// each step whether text became more than text. Plays the service itself, by a fetch of its own.

const KINDS = new Set(("animate applet audio base body embed foreignobject frame frameset head html "
  + "iframe image img input link marquee math meta noscript object picture script select set slot "
  + "source style svg template title track use video xmp").split(" "));
const LOADING = new Set("action background data formaction href ping poster src xlink:href".split(" "));

const seen = { found: [], shown: {}, steps: 0 };
const host = () => document.querySelector("dateline-chat");
const parts = (name) => [...host().shadowRoot.querySelectorAll(`[part~="${name}"]`)];
const plain = (text) => text.replace(/\s+/g, "");

// What is done so far has taken effect. (Not setTimeout, which browsers hold up.)
const channel = new MessageChannel();
const settled = () => new Promise((resolve) => {
  channel.port1.onmessage = resolve;
  channel.port2.postMessage(null);
});

async function until(what, holds) {
  const begun = performance.now();
  while (!holds()) {
    if (performance.now() - begun > 20_000) throw new Error(`waited in vain: ${what}`);
    await settled();
  }
}

// A payload is shown where its text stands in the elements, letter by letter, so many times.
function shown(field, payload, elements, times = 1) {
  const text = plain(elements.map((one) => one.textContent).join(""));
  seen.shown[field] ??= 0;
  seen.shown[field] += text.split(plain(payload)).length > times;
}

function look(where, root = host().shadowRoot) {
  seen.steps += 1;
  const told = (what, node) => seen.found.push(`${where}: ${what}: ${node.outerHTML.slice(0, 200)}`);
  for (const node of root.querySelectorAll("*")) {
    const kind = node.localName.toLowerCase();
    if (KINDS.has(kind) && !(kind === "input" && node.type === "radio")) told(kind, node);
    if (kind.includes("-")) told("an element of a kind that pages define", node);
    for (const name of node.getAttributeNames()) { // a form's `attributes` may be a field of it
      const value = node.getAttribute(name);
      if (/^on|^style$|^srcdoc$|^srcset$|^is$/.test(name)) told(name, node);
      if (!LOADING.has(name)) continue;
      const link = kind === "a" && name === "href" && !node.closest('[part~="sentence"]');
      if (!link || !/^https?:$/.test(new URL(value, document.baseURI).protocol)) told(name, node);
    }
  }
}

// --- The service --------------------------------------------------------------------------------

let reply; // to the next question
let article; // whichever is asked for

window.fetch = async (address, { signal }) => {
  const path = new URL(address, location.href).pathname;
  if (path === "/v1/ask") return typeof reply === "function" ? reply(signal) : reply;
  return path.startsWith("/v1/articles/") ? json(article) : json({}, 503);
};

const json = (document, status = 200) =>
  new Response(JSON.stringify(document), { status, headers: { "Content-Type": "application/json" } });

// The stream stays open until its last event ends it, or the reader of the page.
const stream = (events) => (signal) => {
  const text = events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join("");
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      signal.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
};

const points = (text) => Array.from(text).length;
const before = (payload) => `${payload}\n\nBefore ${payload} and `;

function source(payload) {
  const names = ["article_id", "chunk_id", "title", "outlet", "author", "published_at", "url"];
  return Object.fromEntries(names.map((name) => [name, payload]));
}

function citation(payload, index) {
  const start = points(before(payload));
  const place = { quote: payload, start, end: start + points(payload) };
  return { number: index + 1, ...source(payload), ...place, prefix: payload, suffix: payload };
}

const passage = (payload, index) =>
  ({ rank: index + 1, ...source(payload), text: payload, start: 0, end: 1, copies: [] });

const articleOf = (payload) => ({
  ...source(payload), id: payload, language: payload, updated_at: payload,
  text: `${before(payload)}${payload} after.\n\n${payload}`,
});

function answer(payloads, given = {}) {
  const [first] = payloads;
  const sentences = payloads.map((text, index) => ({
    text, start: 0, end: points(text), citations: [index + 1], support: index % 2 ? "exact" : "supported",
  }));
  return {
    id: first, question: first, status: "answered", text: payloads.join(" "), withheld: 2,
    sentences, citations: payloads.map(citation), nearest: [], standalone_question: first,
    conflicts: [{ kind: "disagree", sides: payloads.map((_, index) => [index + 1]) }],
    understood: { as_of: first, outlets: payloads }, fallback: "llm_unavailable", model: first, ...given,
  };
}

const silence = (payloads) => answer(payloads, {
  status: "abstained", sentences: [], citations: [], conflicts: [], nearest: payloads.map(passage),
});

function events(given) {
  const { id, question, sentences, citations } = given;
  const told = sentences.map((sentence, index) =>
    ["sentence", { index, ...sentence, new_citations: [citations[index]] }]);
  return [["start", { id, question }], ["passages", { passages: [] }], ...told, ["done", given]];
}

// All words and numbers of a document are the payload.
function spoilt(value, payload) {
  if (Array.isArray(value)) return value.map((one) => spoilt(one, payload));
  if (value === null || typeof value !== "object") return payload;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, spoilt(one, payload)]));
}

// --- Steps --------------------------------------------------------------------------------------

async function ask(question, response) {
  reply = response;
  let ended = false;
  for (const name of ["answer", "error"]) {
    host().addEventListener(`dateline:${name}`, () => { ended = true; }, { once: true });
  }
  host().ask(question);
  await until(`the answer to ${question}`, () => ended);
  await settled();
}

async function answered(payloads) {
  await ask("?", stream(events(answer(payloads))));
  look("answer");
  payloads.forEach((payload, index) => {
    if (index % 2) shown("exact sentence", payload, [parts("sentence")[index]]);
    shown("conflict", payload, parts("conflicts"));
    shown("sources", payload, parts("sources"));
  });
}

async function card(payload, index) {
  const button = parts("citation")[index];
  button.dispatchEvent(new FocusEvent("focus"));
  look("card");
  shown("card: quote, title, outlet, date", payload, parts("card"), 4);
  button.dispatchEvent(new FocusEvent("blur"));
}

async function reader(payload, index) {
  article = articleOf(payload);
  parts("citation")[index].click();
  await until(`the mark of ${payload}`, () => parts("mark").length);
  look("reader");
  shown("reader: title", payload, [parts("reader")[0].querySelector("h3")]);
  shown("reader: article", payload, parts("article"), 4);
  shown("reader: mark", payload, parts("mark"));
  parts("reader")[0].querySelector("button").click();
}

async function copied() {
  let items;
  navigator.clipboard.write = async (given) => { items = given; };
  parts("copy")[0].click();
  await until("the copy", () => items);
  const html = await (await items[0].getType("text/html")).text();
  look("copy", new DOMParser().parseFromString(html, "text/html").body);
}

function printed() {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  frame.contentWindow.print = () => undefined;
  window.open = () => frame.contentWindow;
  parts("print")[0].click();
  look("print", frame.contentDocument.body);
  frame.remove();
}

async function abstained(payloads) {
  await ask("?", stream(events(silence(payloads))));
  look("nearest");
  for (const payload of payloads) shown("nearest: text, title, outlet", payload, parts("nearest"), 3);
}

async function thinking(payloads) {
  reply = stream([["passages", { passages: payloads.map(passage) }]]);
  host().ask("?");
  const told = () => plain(host().shadowRoot.querySelector(".thinking")?.textContent ?? "");
  await until(`the outlets ${payloads}`, () => payloads.every((one) => told().includes(plain(one))));
  look("thinking");
  parts("stop")[0].click();
  await until("the stop", () => parts("stop")[0].hidden);
}

async function failed(payload) {
  const problem = { type: payload, title: payload, detail: payload, status: 500, request_id: payload };
  await ask(payload, json(problem, 500));
  look("problem");
  shown("question", payload, parts("question"));
  shown("problem: detail, request", payload, parts("notice"), 2);
}

async function misshapen(payload) {
  const told = events(answer([payload, payload])).map(([name, data]) => [name, spoilt(data, payload)]);
  await ask("?", stream(told));
  look("misshapen answer");
  await ask("?", stream([["error", { problem: spoilt({ title: 1, status: 1, request_id: 1 }, payload) }]]));
  look("misshapen problem");
}

async function fresh() {
  parts("fresh")[0].click();
  await settled();
}

// As many at once as an answer has room for, and one by one what shows one. Out of sight it is many
// times as fast: nothing is laid out.
async function feed(payloads, inSight) {
  host().style.display = inSight ? "" : "none";
  for (let first = 0; first < payloads.length; first += 10) {
    const some = payloads.slice(first, first + 10);
    await answered(some);
    for (const [index, payload] of some.entries()) {
      await card(payload, index);
      await reader(payload, index);
    }
    await copied();
    printed();
    await fresh();
    await abstained(some);
    await fresh();
    for (let at = 0; at < some.length; at += 3) await thinking(some.slice(at, at + 3));
    await fresh();
    for (const payload of some) await failed(payload);
    await fresh();
    for (const payload of some) await misshapen(payload);
    await fresh();
  }
  return seen;
}

// Answers as the widget stores them, for a conversation that is there when the page is loaded.
async function remember(payloads) {
  await ask("?", stream(events(silence(["?"]))));
  const answers = [];
  for (let first = 0; first < payloads.length; first += 10) {
    answers.push(answer(payloads.slice(first, first + 10)));
  }
  const [name] = Object.keys(localStorage);
  localStorage[name] = JSON.stringify({ ...JSON.parse(localStorage[name]), answers });
}

function remembered(payloads) {
  look("history");
  for (const payload of payloads) shown("history", payload, parts("sources"));
  return seen;
}

async function suggested(payloads) {
  host().setAttribute("suggestions", payloads.join("|"));
  await until("suggestions", () => parts("suggestion").length);
  look("suggestions");
  const whole = payloads.filter((payload) => !payload.includes("|"));
  for (const payload of whole) shown("suggestion", payload, parts("suggestion"));
  return { ...seen, whole: whole.length };
}

// The widget speaks a language of nothing but payloads.
async function spoken(names, forms, payloads) {
  for (let first = 0; first < payloads.length; first += names.length) {
    const said = (index) => payloads[(first + index) % payloads.length];
    const strings = names.map((name, index) => [name, forms.includes(name) ? { other: said(index) } : said(index)]);
    customElements.get("dateline-chat").addStrings(`de-x-a${first}`, Object.fromEntries(strings));
    host().setAttribute("lang", `de-x-a${first}`);
    await until("the language", () => parts("panel")[0].lang === `de-x-a${first}`);
    look("strings");
    await answered(["?", "!"]);
    await card("?", 0);
    await reader("?", 0);
    await abstained(["?"]);
    await failed("?");
    parts("down")[0].click();
    look("strings of feedback");
    for (let index = 0; index < names.length; index += 1) {
      shown("string", said(index), [host().shadowRoot]);
    }
    await fresh();
  }
  return seen;
}

// What would be seen if the widget took text for markup.
async function planted(payloads) {
  Element.prototype.append = function (...given) {
    for (const one of given) {
      if (typeof one === "string") this.insertAdjacentHTML("beforeend", one);
      else this.appendChild(one);
    }
  };
  await answered(payloads);
  return seen;
}

window.intruders = { feed, planted, remember, remembered, suggested, spoken };
