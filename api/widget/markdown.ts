/** What a language model wrote, as DOM nodes: emphasis and lists; links, images and HTML stay text. */
import { Lexer, type MarkedToken, type Token } from "marked";
import { h } from "./dom";

/** The nodes of a text in Markdown. */
export function markdown(text: string): Node[] {
  return blocks(new Lexer().lex(text));
}

/** The nodes of a text as it stands. */
export function verbatim(text: string): Node[] {
  return [document.createTextNode(text)];
}

function blocks(tokens: Token[]): Node[] {
  const nodes = tokens.map((token) => block(token as MarkedToken));
  return nodes.flatMap((some, index) => (index ? [document.createTextNode(" "), ...some] : some));
}

function block(token: MarkedToken): Node[] {
  switch (token.type) {
    case "space":
    case "def":
      return [];
    case "paragraph":
    case "text":
      return inline(token.tokens, token.text);
    case "heading":
      return [h("strong", {}, ...inline(token.tokens, token.text))];
    case "list": {
      const items = token.items.map((item) => h("li", {}, ...blocks(item.tokens)));
      const start = token.ordered && Number(token.start);
      return [token.ordered ? h("ol", { start }, ...items) : h("ul", {}, ...items)];
    }
    default:
      return verbatim(token.raw.trim());
  }
}

function inline(tokens: Token[] | undefined, text: string): Node[] {
  return tokens ? tokens.flatMap((token) => span(token as MarkedToken)) : verbatim(text);
}

function span(token: MarkedToken): Node[] {
  switch (token.type) {
    case "strong":
    case "em":
    case "del":
      return [h(token.type, {}, ...inline(token.tokens, token.text))];
    case "codespan":
      return [h("code", {}, token.text)];
    case "br":
      return [h("br")];
    case "escape":
    case "text":
      return verbatim(token.text);
    default:
      return verbatim(token.raw);
  }
}
