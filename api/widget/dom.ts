type Attribute = string | number | boolean | null | undefined | ((event: never) => void);
export type Child = Node | string | null | undefined | false;

/** An element. Strings become attributes and text, never markup; functions become listeners. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...present(children));
  return element;
}

/** A button of a kind: `kind` is its part and its class. */
export function button(
  kind: string,
  label: string,
  click: (event: MouseEvent) => void,
  attributes: Record<string, Attribute> = {},
): HTMLButtonElement {
  return h("button", { type: "button", part: kind, class: kind, click, ...attributes }, label);
}

/** The children that are there. */
export function present(children: Child[]): (Node | string)[] {
  return children.filter((child): child is Node | string => !!child);
}

/** A style sheet of its own: it needs no permission of the page's policy. */
export function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}
