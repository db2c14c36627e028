// Single requests and chats; ../sdk_process.py describes the calls.

const weather = {
  tool: async () => ({
    functionDeclarations: [
      {
        name: "weather",
        parametersJsonSchema: {
          type: "object",
          properties: { place: { type: "string" } },
          required: ["place"],
        },
      },
    ],
  }),
  callTool: async (calls) =>
    calls.map(({ id, name, args }) => ({
      functionResponse: { id, name, response: { result: `sunny in ${args.place}` } },
    })),
};

function asked({ model, contents, config, tool }) {
  return { model, contents, config: { ...config, ...(tool && { tools: [weather] }) } };
}

export function promptCalls(client, plain) {
  return {
    "models.count": ({ model, contents }) => client.models.countTokens({ model, contents }),
    "models.generate": (args) => client.models.generateContent(asked(args)),
    "models.stream": async (args) => {
      const items = [];
      for await (const chunk of await client.models.generateContentStream(asked(args))) {
        items.push(plain(chunk));
      }
      return { items };
    },
    // Only an abort closes the connection: to leave the loop does not.
    "models.stream_and_leave": async (args) => {
      const leaving = new AbortController();
      const request = asked(args);
      request.config.abortSignal = leaving.signal;
      for await (const chunk of await client.models.generateContentStream(request)) {
        leaving.abort();
        return { item: plain(chunk) };
      }
      throw new Error("the stream is empty");
    },
    "chats.talk": async (args) => {
      const { model, config } = asked(args);
      const chat = client.chats.create({ model, config });
      const items = [];
      for (const message of args.messages) {
        const answers = [];
        if (args.stream) {
          for await (const chunk of await chat.sendMessageStream({ message })) answers.push(chunk);
        } else {
          answers.push(await chat.sendMessage({ message }));
        }
        const { promptTokenCount } = answers.at(-1).usageMetadata ?? {};
        items.push({ text: answers.map(textOf).join(""), promptTokenCount });
      }
      return { items, history: chat.getHistory(true) };
    },
  };
}

// Without the warning that `answer.text` gives where there are other parts.
function textOf(answer) {
  const parts = answer.candidates?.[0]?.content?.parts ?? [];
  return parts.map(({ text, thought }) => (thought ? "" : (text ?? ""))).join("");
}
