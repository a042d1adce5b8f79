// Asks the server at argv[2] with the <deep-chat> element, whole and streamed, in a page without a
// browser; prints the message that it shows for each as JSON.
import { Window } from "happy-dom";

const [, , address, prompt] = process.argv;
const window = new Window({ url: `${address}/` });
const ofThePage = ["CustomEvent", "Event", "EventTarget", "HTMLElement", "KeyboardEvent"];
for (const name of Object.getOwnPropertyNames(window)) {
  if (!(name in globalThis) || ofThePage.includes(name)) globalThis[name] = window[name];
}
Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true });
globalThis.window = window;
await import("deep-chat");

function ask(stream) {
  const chat = window.document.createElement("deep-chat");
  chat.directConnection = { openAI: { key: "none", validateKeyProperty: false } };
  chat.connect = { url: `${address}/v1/responses`, stream };
  return new Promise((resolve, reject) => {
    chat.onMessage = ({ message }) => message.role === "ai" && resolve(message.text);
    chat.onError = (error) => reject(new Error(String(error)));
    chat.onComponentRender = () => chat.submitUserMessage({ text: prompt });
    window.document.body.append(chat);
  });
}

console.log(JSON.stringify({ whole: await ask(false), streamed: await ask(true) }));
process.exit(0); // the page's timers would go on
