// The demo page around the widget: today's date, and a key where the service wants one.

const KEY = "dateline:key"; // in this tab's own storage, which ends with it
const chat = document.querySelector("dateline-chat");
const form = document.getElementById("unlock");
const field = document.getElementById("key");
let asked = "";

const kept = sessionStorage.getItem(KEY);
if (kept) chat.setAttribute("key", kept);

chat.addEventListener("dateline:ask", (event) => (asked = event.detail.question));
chat.addEventListener("dateline:error", (event) => {
  if (event.detail.kind !== "key") return;
  sessionStorage.removeItem(KEY);
  form.hidden = false;
  field.focus();
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const key = field.value.trim();
  sessionStorage.setItem(KEY, key);
  chat.setAttribute("key", key);
  field.value = "";
  form.hidden = true;
  setTimeout(() => chat.ask(asked)); // once the widget has seen its key
});

const long = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
document.getElementById("today").textContent = new Intl.DateTimeFormat("en-GB", long).format(new Date());
