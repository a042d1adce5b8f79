// Asks the server at argv[2] with the AI SDK in each of its ways; prints what it got as JSON.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";

const [, , address, prompt] = process.argv;
const dateline = createOpenAI({ baseURL: `${address}/v1`, apiKey: "none" });
const models = { chat: dateline.chat("dateline"), responses: dateline.responses("dateline") };

const got = {};
for (const [name, model] of Object.entries(models)) {
  const whole = await generateText({ model, prompt, maxRetries: 0 });
  got[name] = { text: whole.text, sources: whole.sources, finish: whole.finishReason };

  const errors = [];
  const streamed = streamText({
    model,
    maxRetries: 0,
    messages: [
      { role: "user", content: "Who met?" },
      { role: "assistant", content: "India and Russia. [1]" },
      { role: "user", content: prompt },
    ],
    onError: ({ error }) => errors.push(String(error)),
  });
  let text = "";
  for await (const delta of streamed.textStream) text += delta;
  got[`${name}, streamed`] = {
    text,
    sources: await streamed.sources,
    finish: await streamed.finishReason,
    errors,
  };
}
console.log(JSON.stringify(got));
