import type { Strings } from "../widget";

/** The button that opens the panel: all that is said before the rest is loaded. */
export const LAUNCHER: Record<string, string> = {
  en: "Ask the articles",
  hi: "लेखों से पूछें",
  es: "Pregunte a los artículos",
  ar: "اسأل المقالات",
};

/** All else. */
export type PanelStrings = Omit<Strings, "launcher">;
