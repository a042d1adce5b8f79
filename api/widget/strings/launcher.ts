import type { Strings } from "../widget";

/** The button that opens the panel: all that is said before the rest is loaded. */
export const LAUNCHER: Record<string, Partial<Strings>> = {
  en: { launcher: "Ask the articles" },
  hi: { launcher: "लेखों से पूछें" },
  es: { launcher: "Pregunte a los artículos" },
  ar: { launcher: "اسأل المقالات" },
};

/** All else. */
export type PanelStrings = Omit<Strings, "launcher">;
