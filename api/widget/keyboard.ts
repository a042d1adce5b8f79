/** The focus: where it is, and that Tab keeps it within the dialog. */

const FOCUSABLE = "a[href],button,input,textarea,[tabindex='0']";

/** The element that has the focus, in whichever shadow root. */
export function focused(): HTMLElement | null {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active instanceof HTMLElement ? active : null;
}

/** Keep Tab within `panel`: from the last element it goes to the first, and back. */
export function keepWithin(panel: HTMLElement, event: KeyboardEvent): void {
  if (event.key !== "Tab") return;
  const all = [...panel.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(reachable);
  const [first, last] = [all[0], all.at(-1)];
  const at = (panel.getRootNode() as ShadowRoot).activeElement;
  if (event.shiftKey && at === first) move(last, event);
  else if (!event.shiftKey && at === last) move(first, event);
}

function reachable(element: HTMLElement): boolean {
  const disabled = "disabled" in element && element.disabled === true;
  return !disabled && element.getClientRects().length > 0 && !element.closest("[inert]");
}

function move(to: HTMLElement | undefined, event: Event): void {
  event.preventDefault();
  to?.focus();
}
