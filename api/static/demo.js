// The demo page: asks POST /v1/ask, and shows each sentence as it arrives, with its sources.
// Everything that comes from outside reaches the page as text, never as HTML.

const byId = (id) => document.getElementById(id);
const form = byId("ask");
const question = byId("question");
const submit = byId("submit");
const reader = byId("reader");

let asking = null; // the AbortController of the question under way

function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function readableDate(iso) {
  const day = iso ? new Date(`${iso.slice(0, 10)}T00:00:00Z`) : null;
  if (!day || Number.isNaN(day.getTime())) return iso;
  const options = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat("en-GB", options).format(day);
}

const origin = (source) => [source.outlet, readableDate(source.published_at)].filter(Boolean);
const nameOf = (source) => origin(source).join(", ") || source.title || source.article_id;
const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

// --- Asking -------------------------------------------------------------------------------------

async function* serverSentEvents(body) {
  const decoded = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { done, value } = await decoded.read();
    if (done) return;
    const blocks = (buffer + value).split("\n\n");
    buffer = blocks.pop();
    for (const block of blocks) {
      const fields = { event: "message", data: [] };
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) fields.event = line.slice(7);
        if (line.startsWith("data: ")) fields.data.push(line.slice(6));
      }
      if (fields.data.length) yield [fields.event, JSON.parse(fields.data.join("\n"))];
    }
  }
}

async function ask(text) {
  asking?.abort();
  const mine = (asking = new AbortController());
  begin(text);
  try {
    const response = await fetch("/v1/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
      body: JSON.stringify({ question: text, stream: true }),
      signal: mine.signal,
    });
    if (!response.ok) return showProblem(await response.json());
    for await (const [event, data] of serverSentEvents(response.body)) {
      if (event === "passages") tell(`Reading ${count(data.passages.length, "passage")} …`);
      if (event === "sentence") showSentence(data);
      if (event === "done") return finish(data);
      if (event === "error") return showProblem(data.problem);
    }
    showProblem({ title: "The answer broke off", detail: "The connection ended too early." });
  } catch (error) {
    if (mine.signal.aborted) {
      if (asking === mine) tell("Stopped.");
    } else {
      showProblem({ title: "The service cannot be reached", detail: "Is it still running?" });
    }
  } finally {
    if (asking === mine) end();
  }
}

function begin(text) {
  byId("promises").hidden = true;
  byId("answer").hidden = false;
  byId("answer").classList.remove("sourced");
  byId("headline").textContent = text;
  byId("text").replaceChildren(element("p"));
  byId("notes").replaceChildren();
  byId("source-list").replaceChildren();
  byId("sources").hidden = true;
  submit.textContent = "Stop";
  byId("status").classList.add("working");
  tell("Searching the articles …");
}

function end() {
  asking = null;
  submit.textContent = "Ask";
  byId("status").classList.remove("working");
}

function tell(message) {
  byId("status").textContent = message;
}

// --- The answer ---------------------------------------------------------------------------------

function showSentence(sentence) {
  for (const citation of sentence.new_citations) addSource(citation);
  const markers = sentence.citations.map((number) => {
    const name = byId(`source-${number}`)?.dataset.name ?? "";
    const label = `Source ${number}: ${name}`;
    const button = element("button", { type: "button", className: "cite", title: name }, `${number}`);
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => goToSource(number));
    return button;
  });
  const shown = element("span", { className: "sentence", dir: "auto" }, sentence.text,
    element("span", { className: "cites" }, ...markers), " ");
  byId("text").lastElementChild.append(shown);
}

function goToSource(number) {
  const item = byId(`source-${number}`);
  item.focus({ preventScroll: true });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  item.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
}

function addSource(citation) {
  const around = (text) => element("span", { className: "around" }, text);
  const quote = element("blockquote", { dir: "auto" },
    around(before(citation)), citation.quote, around(after(citation)));
  const item = listItem(citation, quote, { ...citation });
  item.id = `source-${citation.number}`;
  item.tabIndex = -1;
  item.dataset.name = nameOf(citation);
  item.prepend(element("span", { className: "number", "aria-hidden": "true" }, `${citation.number}`));
  showSources("Sources", item);
}

// What stands around a quote is cut to its paragraph and to whole words.
function before({ prefix, start }) {
  const line = prefix.split("\n").at(-1);
  const whole = line !== prefix || Array.from(prefix).length === start;
  return whole ? line : `… ${line.replace(/^\S*\s+/, "")}`;
}

function after({ suffix }) {
  const line = suffix.split("\n")[0];
  return line !== suffix || !line ? line : `${line.replace(/\s+\S*$/, "")} …`;
}

function listItem(source, quote, span) {
  const parameters = new URLSearchParams({ start: span.start, end: span.end });
  const page = `/articles/${encodeURIComponent(source.article_id)}?${parameters}#quote`;
  const link = element("a", { href: page }, "Read it in the article");
  link.addEventListener("click", (click) => {
    if (click.ctrlKey || click.metaKey || click.shiftKey) return; // a new tab is wanted
    click.preventDefault();
    openReader(source, span, page);
  });
  const title = source.title ? element("span", { dir: "auto" }, source.title) : null;
  const credits = [...origin(source), source.author].filter(Boolean).join(" · ");
  const where = element("p", { className: "origin" }, title);
  if (title && credits) where.append(element("br"));
  where.append(element("span", { dir: "auto" }, credits), element("br"), link);
  return element("li", {}, quote, where);
}

function showSources(title, ...items) {
  byId("sources-title").textContent = title;
  byId("source-list").append(...items);
  byId("sources").hidden = false;
  byId("answer").classList.add("sourced");
}

const FALLBACKS = {
  llm_unavailable: "The language model could not be reached; these are the articles’ own sentences.",
  llm_unsupported: "Nothing that the language model said was supported; these are the articles’ own sentences.",
  llm_refused: "The language model did not answer; these are the articles’ own sentences.",
};

function finish(answer) {
  if (answer.status === "abstained") abstain(answer);
  const notes = [];
  if (answer.fallback) notes.push(FALLBACKS[answer.fallback]);
  for (const { kind, sides } of answer.conflicts) {
    const [one, other] = sides.map((side) => side.map((number) => {
      const name = byId(`source-${number}`)?.dataset.name;
      return name ? `${number} (${name})` : `${number}`;
    }).join(", "));
    const differ = kind === "changed" ? "report different stages" : "contradict each other";
    notes.push(`The articles ${differ}: source ${one}, and ${kind === "changed" ? "later " : ""}source ${other}.`);
  }
  if (answer.withheld === 1) notes.push("1 sentence was withheld: the articles don’t support it.");
  if (answer.withheld > 1) notes.push(`${answer.withheld} sentences were withheld: the articles don’t support them.`);
  byId("notes").replaceChildren(...notes.map((note) => element("p", {}, note)));
  const seconds = (answer.timings_ms.total / 1000).toFixed(1);
  byId("notes").append(element("p", { className: "made" }, `${answer.model} · ${seconds} s`));
  tell(
    answer.status === "abstained"
      ? "Not in these articles."
      : `${count(answer.sentences.length, "sentence")} from ${count(answer.citations.length, "source")}, checked.`,
  );
}

function abstain(answer) {
  byId("text").replaceChildren(element("p", { dir: "auto" }, answer.text));
  if (!answer.nearest.length) return;
  const items = answer.nearest.map((passage) =>
    listItem(passage, element("blockquote", { dir: "auto" }, passage.text), passage));
  for (const item of items) item.classList.add("nearest");
  showSources("The nearest passages", ...items);
}

function showProblem(problem) {
  const again = element("button", { type: "button", className: "again" }, "Ask again");
  const text = byId("headline").textContent;
  again.addEventListener("click", () => ask(text));
  const box = element("div", { className: "problem", role: "alert" },
    element("p", {}, element("strong", {}, problem.title)),
    element("p", {}, problem.detail), again);
  if (problem.request_id) box.append(element("p", { className: "made" }, `Request ${problem.request_id}`));
  byId("notes").replaceChildren(box);
  tell("");
}

// --- The article beside the answer --------------------------------------------------------------

async function openReader(source, span, page) {
  byId("reader-outlet").textContent = source.outlet ?? "";
  byId("reader-title").textContent = source.title ?? "Untitled article";
  byId("reader-byline").textContent = [source.author, readableDate(source.published_at)].filter(Boolean).join(" · ");
  byId("reader-page").href = page;
  byId("reader-text").replaceChildren(element("p", {}, "Opening the article …"));
  reader.showModal();
  try {
    const response = await fetch(`/v1/articles/${encodeURIComponent(source.article_id)}`);
    const document_ = await response.json();
    if (!response.ok) throw new Error(document_.title);
    showArticle(document_.text, span, source.quote ?? source.text);
  } catch (error) {
    byId("reader-text").replaceChildren(
      element("p", { className: "notice", role: "alert" }, `The article cannot be shown: ${error.message}`));
  }
}

function showArticle(text, span, quote) {
  const points = Array.from(text); // offsets are code points; JavaScript's strings count UTF-16
  const cut = (start, end) => points.slice(start, end).join("");
  const holds = cut(span.start, span.end) === quote;
  const pieces = holds
    ? [[cut(0, span.start), false], [quote, true], [cut(span.end), false]]
    : [[text, false]];
  const shown = paragraphs(pieces);
  if (!holds) {
    const lost = "The quotation is not at its place in this text, so nothing is marked.";
    shown.unshift(element("p", { className: "notice" }, lost));
  }
  byId("reader-text").replaceChildren(...shown);
  byId("reader-text").scrollTop = 0;
  byId("reader-text").querySelector("mark")?.scrollIntoView({ block: "center" });
}

function paragraphs(pieces) {
  const shown = [element("p", { dir: "auto" })];
  for (const [text, marked] of pieces) {
    text.split(/\s*[\r\n\u2028\u2029]+\s*/).forEach((line, index) => {
      if (index) shown.push(element("p", { dir: "auto" }));
      if (line) shown.at(-1).append(marked ? element("mark", {}, line) : line);
    });
  }
  return shown.filter((paragraph) => paragraph.hasChildNodes());
}

// --- The page -----------------------------------------------------------------------------------

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (asking) return asking.abort();
  const text = question.value.trim();
  if (text) ask(text);
});

question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!asking) form.requestSubmit();
});

byId("sample").addEventListener("click", () => {
  question.value = byId("sample").textContent;
  ask(question.value);
});

byId("reader-close").addEventListener("click", () => reader.close());
reader.addEventListener("click", (event) => {
  if (event.target === reader) reader.close(); // the backdrop
});

if (matchMedia("(hover: hover)").matches) question.focus(); // on a phone it would open the keyboard
const long = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
byId("today").textContent = new Intl.DateTimeFormat("en-GB", long).format(new Date());
byId("curl").textContent = `curl ${location.origin}/v1/ask \\
  -H 'Content-Type: application/json' \\
  -d '{"question": "What did India say about terrorism?"}'`;
