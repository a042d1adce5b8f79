/** `widget.js`: makes the element known, and adds a floating one if its own tag has a `data-key`. */
import { define, NAME } from "./shell";

declare const WIDGET_FILE: string; // the rest's name, which the build fills in

const tag = document.currentScript as HTMLScriptElement | null;
const address = tag?.src || document.baseURI;
const data = tag?.dataset ?? {};

define(
  (attempt) => {
    const file = new URL(WIDGET_FILE, address);
    if (attempt) file.search = `${attempt}`; // browsers remember what could not be loaded
    return import(file.href);
  },
  address,
  data,
);

function append(): void {
  if (!document.querySelector(NAME)) document.body.append(document.createElement(NAME));
}

if (data.key !== undefined) {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", append);
  else append();
}
