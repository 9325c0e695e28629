// The API's page: openapi.json as a person reads it, with a form to try each operation.

import { make } from "./page.js";

const api = await (await fetch("/openapi.json")).json();
document.getElementById("api-title").textContent = api.info.title;
document.getElementById("api-description").append(...prose(api.info.description));

/** Text with `code` in back-ticks. */
function prose(text) {
  return text.split("`").map((part, place) => (place % 2 ? make("code", {}, part) : part));
}

const resolve = (schema) => (schema.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema);

function typeName(schema) {
  if (schema.$ref) return typeName(resolve(schema));
  if (schema.anyOf) return schema.anyOf.map(typeName).join(" or ");
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return `list of ${typeName(schema.items)}`;
  if (schema.type === "object") return schema.title ?? "object";
  return schema.format ?? schema.type ?? "any";
}

/** Fields of an object, those of nested objects under their path. */
function fields(schema, path = "") {
  return Object.entries(resolve(schema).properties ?? {}).flatMap(([name, field]) => {
    const own = { name: path + name, type: typeName(field), text: field.description ?? "" };
    const inner = field.type === "array" ? field.items : (field.anyOf?.find((one) => one.$ref) ?? field);
    return [own, ...fields(inner, `${path}${name}${field.type === "array" ? "[]." : "."}`)];
  });
}

function fieldTable(schema) {
  const head = make("tr", {}, ...["Field", "Type", "Meaning"].map((name) => make("th", { scope: "col" }, name)));
  const rows = fields(schema).map(({ name, type, text }) =>
    make("tr", {}, make("td", {}, make("code", {}, name)), make("td", {}, type), make("td", {}, ...prose(text))),
  );
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
}

function tryForm(path, parameters) {
  const answer = make("pre", { class: "answer", hidden: "" });
  const inputs = parameters.map((parameter) => {
    const input = make("input", { name: parameter.name, autocomplete: "off" });
    if (parameter.in === "path") input.required = true;
    input.value = parameter.examples?.[0] ?? parameter.schema.examples?.[0] ?? parameter.schema.default ?? "";
    const text = make("label", {}, make("span", {}, make("b", {}, parameter.name), " ", ...prose(parameter.description ?? "")), input);
    return { parameter, input, text };
  });
  const form = make("form", {}, ...inputs.map(({ text }) => text), make("button", {}, "Try it"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    let address = path;
    for (const { parameter, input } of inputs) {
      if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value) query.set(parameter.name, input.value);
    }
    if (query.size) address += `?${query}`;
    const response = await fetch(address);
    const body = JSON.stringify(await response.json(), null, 2);
    answer.textContent = `GET ${address}\n${response.status} ${response.statusText}\n\n${body}`;
    answer.hidden = false;
  });
  return [form, answer];
}

for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const answers = Object.entries(operation.responses);
    const success = operation.responses["200"]?.content?.["application/json"]?.schema;
    document.getElementById("operations").append(
      make(
        "section", { class: "panel operation" },
        make("h2", {}, make("span", { class: "pill good" }, method.toUpperCase()), path),
        make("p", {}, operation.summary),
        ...tryForm(path, operation.parameters ?? []),
        make("details", {}, make("summary", {}, "What it answers"), ...answers.map(([status, { description }]) => make("p", { class: "muted" }, `${status}: `, ...prose(description))), success ? fieldTable(success) : null),
      ),
    );
  }
}
