// Reads an AsyncAPI document with AsyncAPI's own parser, and prints as JSON what is wrong with it and what it says.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

const NEWER = "asyncapi-latest-version"; // a recommendation

async function main(path) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf8"));
  const problems = diagnostics.filter(({ code }) => code !== NEWER).map(({ code, path, message }) => `${code} ${path.join(".")}: ${message}`);
  const messages = {};
  for (const channel of document?.channels().all() ?? []) {
    for (const message of channel.messages().all()) {
      const bindings = channel.operations().all().map((operation) => operation.bindings().get("mqtt").value());
      const values = (name) => [...new Set(bindings.map((one) => one[name]).filter((value) => value !== undefined))];
      messages[message.name()] = {
        topic: channel.address(), contentType: message.contentType(), qos: values("qos"), retained: values("retain"),
      };
    }
  }
  console.log(JSON.stringify({ problems, messages }));
}

main(process.argv[2]);
