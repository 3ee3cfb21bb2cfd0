// Elements are made by these alone: texts are texts, and no attribute runs anything.

const SVG = "http://www.w3.org/2000/svg";
const SAFE = /^(class|id|type|dir|for|role|title|name|value|placeholder|tabindex|href|list|min|max|step|rows|lang|autocomplete|spellcheck|enterkeyhint|inputmode|open|disabled|checked|selected|multiple|accept|download|hidden|scope|colspan|viewBox|x|y|x1|y1|x2|y2|width|height|rx|r|cx|cy|d|points|transform|text-anchor|(aria|data)-[a-z-]+)$/;

function make(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

function makeSvg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "onclick") element.addEventListener("click", value);
    else if (name === "oninput") element.addEventListener("input", value);
    else if (name === "onchange") element.addEventListener("change", value);
    else if (!SAFE.test(name)) throw new Error(`no attribute ${name} is set here`);
    else if (name === "href" && !String(value).startsWith("#")) throw new Error("links lead to this page alone");
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function button(text, onclick, attributes = {}) {
  return make("button", { type: "button", onclick, ...attributes }, text);
}

// A text of a model's in a line: invisible characters are spelled, and its direction ends with it.
function line(text, name = "") {
  return make("bdi", { class: name || null }, plain(text));
}

function refill(element, ...children) {
  element.replaceChildren(...children.flat().filter(Boolean));
  return element;
}
