// In a page with the widget: feeds it payloads through every field that reaches it, and looks after
// each step whether text became more than text. Plays the service itself, by a fetch of its own.

const TICK = () => new Promise((resolve) => setTimeout(resolve));
const KINDS = new Set(("animate applet audio base body embed foreignobject frame frameset head html "
  + "iframe image img input link marquee math meta noscript object picture script select set slot "
  + "source style svg template title track use video xmp").split(" "));
const LOADING = new Set("action background data formaction href ping poster src xlink:href".split(" "));

const seen = { found: [], shown: {}, steps: 0 };
const host = () => document.querySelector("dateline-chat");
const parts = (name) => [...host().shadowRoot.querySelectorAll(`[part~="${name}"]`)];
const plain = (text) => text.replace(/\s+/g, " ").trim();

// A payload is shown where its text stands, letter by letter, in one of the elements.
function shown(field, payload, elements) {
  seen.shown[field] ??= 0;
  if (elements.some((one) => one && plain(one.textContent).includes(plain(payload)))) seen.shown[field] += 1;
}

function look(where, root = host().shadowRoot) {
  seen.steps += 1;
  const told = (what, node) => seen.found.push(`${where}: ${what}: ${node.outerHTML.slice(0, 200)}`);
  for (const node of root.querySelectorAll("*")) {
    const kind = node.localName.toLowerCase();
    if (KINDS.has(kind) && !(kind === "input" && node.closest("fieldset"))) told(kind, node);
    if (kind.includes("-")) told("an element of a kind that pages define", node);
    for (const { name, value } of node.attributes) {
      if (/^on|^style$|^srcdoc$|^srcset$|^is$/.test(name)) told(name, node);
      if (!LOADING.has(name)) continue;
      const link = kind === "a" && name === "href" && !node.closest('[part~="sentence"]');
      if (!link || !/^https?:$/.test(new URL(value, document.baseURI).protocol)) told(name, node);
    }
  }
}

// --- The service --------------------------------------------------------------------------------

const json = (document, status = 200) =>
  new Response(JSON.stringify(document), { status, headers: { "Content-Type": "application/json" } });
const stream = (events) =>
  new Response(events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join(""),
    { headers: { "Content-Type": "text/event-stream" } });

const points = (text) => Array.from(text).length;

function source(payload) {
  const names = ["chunk_id", "title", "outlet", "author", "published_at", "url"];
  return { article_id: payload, ...Object.fromEntries(names.map((name) => [name, payload])) };
}

function cited(payload, number) {
  const before = points(`${payload}\n\nBefore `);
  const place = { quote: payload, start: before, end: before + points(payload) };
  return { number, ...source(payload), ...place, prefix: payload, suffix: payload };
}

const articleOf = (payload) => ({
  id: payload, language: payload, updated_at: payload, ...source(payload),
  text: `${payload}\n\nBefore ${payload} after.\n\n${payload}`,
});

function answerOf(payload, status) {
  const citations = [cited(payload, 1), cited(payload, 2)];
  const sentences = citations.map(({ number }) => ({
    text: payload, start: 0, end: points(payload), citations: [number],
    support: number === 1 ? "supported" : "exact",
  }));
  const answered = status === "answered";
  const nearest = { rank: 1, ...source(payload), text: payload, start: 0, end: 1, copies: [] };
  return {
    id: payload, question: payload, status, text: payload, withheld: 2, standalone_question: payload,
    sentences: answered ? sentences : [], citations: answered ? citations : [],
    nearest: answered ? [] : [nearest],
    conflicts: answered ? [{ kind: "disagree", sides: [[1], [2]] }] : [],
    understood: { as_of: payload, outlets: [payload] }, fallback: "llm_unavailable", model: payload,
  };
}

function eventsOf(answer) {
  const payload = answer.question;
  const passage = { rank: 1, ...source(payload), text: payload, start: 0, end: 1, copies: [] };
  const sentences = answer.sentences.map((sentence, index) =>
    ["sentence", { index, ...sentence, new_citations: [answer.citations[index]] }]);
  return [["start", { id: payload, question: payload }], ["passages", { passages: [passage] }],
    ...sentences, ["done", answer]];
}

// Every number and every word of a document is the payload.
function spoilt(value, payload) {
  if (Array.isArray(value)) return value.map((one) => spoilt(one, payload));
  if (value === null || typeof value !== "object") return payload;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, spoilt(one, payload)]));
}

let reply; // to the next question
let article; // whatever article is asked for

window.fetch = async (address) => {
  const path = new URL(address, location.href).pathname;
  if (path === "/v1/ask") return reply;
  return path.startsWith("/v1/articles/") ? json(article) : json({}, 503);
};

// --- Steps --------------------------------------------------------------------------------------

function answering(payload, given) {
  reply = given;
  const ended = new Promise((resolve) => {
    for (const name of ["answer", "error"]) {
      host().addEventListener(`dateline:${name}`, resolve, { once: true });
    }
  });
  host().ask(payload);
  return ended.then(TICK);
}

const citations = () => parts("citation");
const back = () => parts("reader")[0].querySelector("button").click();

async function answered(payload) {
  await answering(payload, stream(eventsOf(answerOf(payload, "answered"))));
  look("answer");
  shown("question", payload, parts("question"));
  shown("sentence, verbatim", payload, parts("sentence").slice(-1));
  citations()[0].focus();
  look("card");
  for (const field of ["quote", "title", "outlet", "date"]) shown(`${field} in the card`, payload, parts("card"));
  article = articleOf(payload);
  citations()[0].click();
  for (let wait = 0; wait < 50 && !parts("mark").length; wait += 1) await TICK();
  look("reader");
  shown("quotation, marked", payload, parts("mark"));
  shown("title of the article", payload, [parts("reader")[0].querySelector("h3")]);
  shown("text of the article", payload, [parts("article")[0]?.lastElementChild]);
  back();
}

async function abstained(payload) {
  await answering(payload, stream(eventsOf(answerOf(payload, "abstained"))));
  look("nearest");
  shown("passage", payload, parts("nearest"));
}

async function failed(payload) {
  const problem = { type: payload, title: payload, detail: payload, status: 500, request_id: payload };
  await answering(payload, json(problem, 500));
  look("problem");
  shown("request id", payload, parts("notice"));
}

async function misshapen(payload) {
  const events = eventsOf(answerOf(payload, "answered"));
  await answering(payload, stream(events.map(([name, data]) => [name, spoilt(data, payload)])));
  look("misshapen answer");
  await answering(payload, stream([["error", { problem: spoilt({ title: 1, status: 1 }, payload) }]]));
  look("misshapen problem");
}

async function fresh() {
  parts("fresh")[0]?.click();
  await TICK();
}

window.intruders = {
  seen,
  async feed(payloads) {
    for (const payload of payloads) {
      for (const step of [answered, abstained, failed, misshapen]) await step(payload);
      await fresh();
    }
  },
};
